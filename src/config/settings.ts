import { stringify } from 'yaml';
import { withDeadline } from '../platform/deadline.js';
import type { Logger } from '../platform/logger.js';
import { describeConfig, type SettingView, showValue } from './describe.js';
import { ConfigError, SettingError } from './errors.js';
import { checkTogether, type LoadedConfig, type Origin, parseSetting, readSettings } from './load.js';
import { type Config, SETTINGS, type SettingName } from './schema.js';
import { maskUserinfo } from './userinfo.js';

/** Before the name of a setting in the collection `settings` of the Store. */
const PREFIX = 'cfg.';
/** A Store that does not answer is no reason not to start. */
const STORE_WAIT_MS = 2000;
const NAMES = Object.keys(SETTINGS) as SettingName[];

/** Where settings of the console are kept: the Store's collection `settings`. */
export interface SettingsStore {
  put(key: string, value: string): Promise<boolean>;
  remove(key: string): Promise<boolean>;
  list(options: { prefix: string; limit: number }): Promise<{ key: string; value: unknown }[]>;
}

/** A setting as consoles see it. */
export interface RunningSetting extends SettingView {
  /** What will be in force after the next start, where that is another value. */
  readonly next?: string;
}

export interface SettingChange {
  readonly name: SettingName;
  readonly value: string;
  /** Whether it is in force now, or from the next start on. */
  readonly effect: 'now' | 'next-start';
}

interface Declared {
  readonly live?: boolean;
  readonly secret?: true | 'url';
  readonly early?: boolean;
  readonly meaning: string;
}

const declared = (name: SettingName): Declared => SETTINGS[name];

/**
 * The settings of a running server: those it was started with, and those set at the console, which are kept in the Store and
 * are stronger than defaults alone. `config` is one object for the life of the server; live settings change in it.
 */
export class RunningSettings {
  readonly config: Config;
  private readonly values: Record<string, unknown>;
  private readonly origins: Partial<Record<SettingName, Origin>>;
  /** Text of what the Store has. */
  private readonly stored = new Map<SettingName, string>();
  private readonly listeners = new Set<(name: SettingName) => void>();
  private store: SettingsStore | undefined;

  constructor(
    private readonly loaded: LoadedConfig,
    private readonly log: Logger,
  ) {
    this.values = { ...loaded.config };
    this.origins = { ...loaded.origins };
    this.config = this.values as unknown as Config;
  }

  /**
   * Takes what the Store has into force where nothing stronger is set, before the parts are started. Stored values that
   * are no longer allowed, or not together, are left out and logged. Rejects with what the Store says, or with TIMEOUT when it
   * has not answered after `waitMs` milliseconds: what it says then is not heard any more.
   */
  async load(store: SettingsStore, waitMs = STORE_WAIT_MS): Promise<void> {
    this.store = store;
    const stored = store.list({ prefix: PREFIX, limit: 1000 });
    const weaker: [SettingName, string][] = [];
    for (const { key, value } of await withDeadline(stored, waitMs, 'reading the settings')) {
      const name = key.slice(PREFIX.length) as SettingName;
      if (!NAMES.includes(name) || typeof value !== 'string') continue;
      this.stored.set(name, value);
      if (this.strongerOrigin(name) === undefined) weaker.push([name, value]);
    }
    this.putStored(weaker);
  }

  /** One that is refused may go together with what comes behind it: those are tried again as long as any is taken. */
  private putStored(entries: readonly (readonly [SettingName, string])[]): void {
    const reasons = new Map<SettingName, string>();
    for (const [name, value] of entries)
      try {
        this.check(name, value);
        this.put(name, value, 'stored');
      } catch (error) {
        reasons.set(name, (error as Error).message);
      }
    if (reasons.size < entries.length) this.putStored(entries.filter(([name]) => reasons.has(name)));
    else for (const [key, reason] of reasons) this.log.warn({ key, reason }, 'a stored setting is left out');
  }

  /** Calls back after a live setting has changed. */
  onChange(listener: (name: SettingName) => void): void {
    this.listeners.add(listener);
  }

  list(): RunningSetting[] {
    return describeConfig({ config: this.config, origins: this.origins }).map((view) => {
      const next = this.nextValue(view.name);
      const isSame = declared(view.name).secret || next === showValue(this.values[view.name]);
      return isSame ? view : { ...view, next: maskUserinfo(next) };
    });
  }

  /**
   * Sets one setting: now when it is live, else from the next start on; with `keep` false until the next start only.
   * Rejects with SettingError or ConfigError, or with what the Store says; nothing is changed then.
   */
  async change(name: string, text: string, keep = true): Promise<SettingChange> {
    const known = knownName(name);
    this.checkMayChange(known, keep);
    const value = this.check(known, text);
    if (keep) await this.keep(known, value);
    if (!declared(known).live) return { name: known, value, effect: 'next-start' };
    this.apply(known, value, keep ? 'stored' : 'running');
    return { name: known, value, effect: 'now' };
  }

  /**
   * Forgets what the Store has of a setting; the default is in force now when it is live, else from the next start on. Rejects
   * with ConfigError when a default that would be in force now does not go with the other settings.
   */
  async forget(name: string): Promise<SettingChange> {
    const known = knownName(name);
    const { config } = this.loaded;
    const { live } = declared(known);
    if (live) checkTogether({ ...this.config, [known]: config[known] });
    await this.storeOrFail().remove(PREFIX + known);
    this.stored.delete(known);
    const value = showValue(config[known]);
    if (live) this.apply(known, value, this.loaded.origins[known]);
    const isInForce = showValue(this.values[known]) === value;
    return { name: known, value, effect: isInForce ? 'now' : 'next-start' };
  }

  /** Keeps what was set until the next start only, where nothing stronger would win then; resolves the names. */
  async save(): Promise<SettingName[]> {
    const names = NAMES.filter(
      (name) => this.origins[name] === 'running' && this.strongerOrigin(name) === undefined,
    );
    for (const name of names) {
      await this.keep(name, showValue(this.values[name]));
      this.origins[name] = 'stored';
    }
    return names;
  }

  /** The settings in force that are not defaults, secrets left out, as a file that `ims start --config` reads. */
  exported(): string {
    const chosen = NAMES.filter(
      (name) => !declared(name).secret && this.origins[name] !== 'default' && this.values[name] !== undefined,
    );
    const entries = chosen.map((name) => [name, showValue(this.values[name])]);
    return stringify(Object.fromEntries(entries));
  }

  /** Sets every setting of such a file that is another now; when one of them may not be set, none is. */
  async imported(text: string, path: string): Promise<SettingChange[]> {
    const entries = Object.entries(readSettings(text, path)).filter(([name, value]) =>
      this.isNews(name as SettingName, value),
    );
    const together = { ...this.values };
    for (const [name, value] of entries) {
      this.checkMayChange(name as SettingName, true);
      together[name] = parseSetting(name as SettingName, value);
    }
    checkTogether(together as unknown as Config);
    const changes: SettingChange[] = [];
    for (const [name, value] of entries) {
      const known = name as SettingName;
      await this.keep(known, value);
      const { live } = declared(known);
      if (live) this.apply(known, value, 'stored');
      changes.push({ name: known, value, effect: live ? 'now' : 'next-start' });
    }
    return changes;
  }

  /** Whether a value differs from the one in force now or after the next start. */
  private isNews(name: SettingName, text: string): boolean {
    const value = showValue(parseSetting(name, text));
    return value !== showValue(this.values[name]) || value !== this.nextValue(name);
  }

  private checkMayChange(name: SettingName, keep: boolean): void {
    const { secret, early, live } = declared(name);
    if (secret) throw new SettingError('SETTING_SECRET', name);
    if (early) throw new SettingError('SETTING_EARLY', name);
    if (!live && !keep) throw new SettingError('SETTING_NOT_LIVE', name);
    const stronger = this.strongerOrigin(name);
    if (keep && stronger !== undefined) throw new SettingError('SETTING_OVERRIDDEN', name, stronger);
  }

  /** The text as it will be kept; throws ConfigError when the value, or what it makes of the whole, is not allowed. */
  private check(name: SettingName, text: string): string {
    const value = parseSetting(name, text);
    checkTogether({ ...this.values, [name]: value } as unknown as Config);
    return showValue(value) || text.trim();
  }

  private async keep(name: SettingName, text: string): Promise<void> {
    await this.storeOrFail().put(PREFIX + name, text);
    this.stored.set(name, text);
  }

  private storeOrFail(): SettingsStore {
    if (this.store) return this.store;
    throw new SettingError('SETTING_NO_STORE', '');
  }

  private apply(name: SettingName, text: string, origin: Origin | undefined): void {
    this.put(name, text, origin);
    for (const listener of this.listeners) listener(name);
  }

  private put(name: SettingName, text: string, origin: Origin | undefined): void {
    this.values[name] = parseSetting(name, text);
    if (origin === undefined) delete this.origins[name];
    else this.origins[name] = origin;
  }

  /** What at the start was stronger than the Store. */
  private strongerOrigin(name: SettingName): Origin | undefined {
    const origin = this.loaded.origins[name];
    return origin === 'default' ? undefined : origin;
  }

  /** As a person would write it. */
  private nextValue(name: SettingName): string {
    const stored = this.strongerOrigin(name) === undefined ? this.stored.get(name) : undefined;
    if (stored === undefined) return showValue(this.loaded.config[name]);
    const { success, data } = SETTINGS[name].type.safeParse(stored);
    return success ? showValue(data) : showValue(this.loaded.config[name]);
  }
}

function knownName(name: string): SettingName {
  const upper = name.toUpperCase() as SettingName;
  if (NAMES.includes(upper)) return upper;
  throw new ConfigError('KEY', name, 'the name of a setting');
}
