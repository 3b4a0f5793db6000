import type { Clock, TimerHandle } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import type { Collection, Json, Store } from '../store/types.js';
import { RelayError } from './relay-errors.js';
import { isSameRelay, parseRelayUrl } from './rtpproxy/relay-url.js';
import type { RelayControl, RelayState, RelayUse } from './types.js';

/** A change made by another server on the same Store is seen after this at the latest, milliseconds. */
const REFRESH_MS = 5000;
/** Relays added here; far more than one server can use. */
const MAX_RELAYS = 100;
/** Greatest share of calls. */
export const MAX_RELAY_WEIGHT = 100;
/** Neither a URL nor the key of a relay of the settings. */
const NAME = /^[A-Za-z][\w.-]{0,31}$/;

/** A relay as configured. */
export interface RelayView extends RelayUse {
  readonly name: string;
  readonly url: string;
  /** `MEDIA_RELAY` names it: it can be taken out of service here, not removed. */
  readonly isSetting: boolean;
}

/** The media relays, as consoles see them. Changes reject with RelayError, all with StoreError. */
export interface RelayService {
  list(): RelayView[];
  /** How each one is now. Never rejects. */
  states(): Promise<RelayState[]>;
  /** Every server on this Store uses it from then on. */
  add(name: string, url: string, weight: number): Promise<RelayView>;
  setWeight(name: string, weight: number): Promise<RelayView>;
  /** Whether it gets new calls; those that it has stay. */
  setActive(name: string, active: boolean): Promise<RelayView>;
  /** Refused while calls of this server are on it. */
  remove(name: string): Promise<void>;
}

/** As kept in the Store; those of the settings without `url`. */
type Kept = { url?: string; weight: number; active: boolean };

/** Relays beside those of `MEDIA_RELAY`, and how each one is used, in the Store's collection `relays`. */
export class StoredRelays implements RelayService {
  private readonly kept: Collection;
  private readonly settings: ReadonlySet<string>;
  private timer: TimerHandle | undefined;
  private isClosed = false;

  constructor(
    private readonly options: {
      readonly store: Pick<Store, 'collection'>;
      readonly control: RelayControl;
      /** The built-in relay has audio endpoints on loopback, which no other could reach. */
      readonly isAlone: boolean;
      /** Name of this server among those on the Store: its own relays have its own state. */
      readonly node: string;
      readonly clock: Clock;
      readonly log: Logger;
    },
  ) {
    this.kept = options.store.collection('relays');
    this.settings = new Set(options.control.list().map(({ name }) => name));
  }

  /** Takes over what the Store has, and again from time to time until `close`. Never rejects. */
  async start(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.options.log.warn({ err: errorMessage(error) }, 'media relays of the Store are not known yet');
    }
    if (!this.isClosed) this.timer = this.options.clock.setTimeout(() => void this.start(), REFRESH_MS);
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.options.clock.clearTimeout(this.timer);
    return Promise.resolve();
  }

  list(): RelayView[] {
    return this.options.control
      .list()
      .map((relay) => ({ ...relay, isSetting: this.settings.has(relay.name) }));
  }

  states(): Promise<RelayState[]> {
    return this.options.control.states();
  }

  async add(name: string, url: string, weight: number): Promise<RelayView> {
    if (this.options.isAlone)
      throw new RelayError(
        'RELAY_FIXED',
        'the built-in relay stands alone: name relays in MEDIA_RELAY first',
      );
    if (!NAME.test(name))
      throw new RelayError('FIELD_INVALID', 'a name is a letter and up to 31 letters, digits, dots, hyphens');
    parseRelayUrl(url);
    if ((await this.kept.count()) >= MAX_RELAYS)
      throw new RelayError('FIELD_INVALID', `there are ${MAX_RELAYS} relays already`);
    if (
      this.list().some((one) => one.name === name) ||
      !(await this.put(name, { url, weight, active: true }, 'create'))
    )
      throw new RelayError('RELAY_EXISTS', `relay ${name} exists`, name);
    return this.changed(name);
  }

  setWeight(name: string, weight: number): Promise<RelayView> {
    return this.change(name, { weight });
  }

  setActive(name: string, active: boolean): Promise<RelayView> {
    return this.change(name, { active });
  }

  async remove(name: string): Promise<void> {
    const { isSetting } = this.known(name);
    if (isSetting)
      throw new RelayError(
        'RELAY_FIXED',
        `MEDIA_RELAY names ${name}: DEA RELAY takes it out of service`,
        name,
      );
    const calls = this.options.control.calls(name);
    if (calls > 0)
      throw new RelayError(
        'RELAY_BUSY',
        `${calls} calls are on ${name}: DEA RELAY first, and wait until DSP RELAY shows none`,
        name,
      );
    await this.kept.remove(name);
    await this.options.control.remove(name);
  }

  private async change(name: string, change: Partial<RelayUse>): Promise<RelayView> {
    const { isSetting, weight, active } = this.known(name);
    // Another server may have changed it since the last look. Of one of the settings that nobody has changed nothing is kept.
    const stored = (await this.kept.get(this.keyOf(name))) as unknown as Kept | undefined;
    const changed = { ...(stored ?? { weight, active }), ...change };
    if (!(await this.put(name, changed, isSetting ? undefined : 'update'))) throw unknown(name);
    return this.changed(name);
  }

  private async changed(name: string): Promise<RelayView> {
    await this.refresh();
    return this.known(name);
  }

  private known(name: string): RelayView {
    const found = this.list().find((one) => one.name === name);
    if (!found) throw unknown(name);
    return found;
  }

  private put(name: string, kept: Kept, mode: 'create' | 'update' | undefined): Promise<boolean> {
    return this.kept.put(this.keyOf(name), kept as unknown as Json, mode);
  }

  private keyOf(name: string): string {
    return this.settings.has(name) ? `${this.options.node}/${name}`.slice(0, 255) : name;
  }

  private async refresh(): Promise<void> {
    const entries = await this.kept.list({ limit: 2 * MAX_RELAYS });
    if (this.isClosed) return;
    const wanted = new Map(entries.map(({ key, value }) => [key, value as unknown as Kept]));
    // All at once: while a removal is waited for, another look may find something newer.
    const removals = this.follow(wanted);
    if (!this.options.isAlone) this.addNew(wanted);
    await Promise.all(removals);
  }

  /** Uses known relays as the Store says. Takes out those that it has no more, or has at another URL: they were removed and added again. */
  private follow(wanted: ReadonlyMap<string, Kept>): Promise<void>[] {
    const removals: Promise<void>[] = [];
    for (const { name, url, isSetting } of this.list()) {
      const kept = wanted.get(this.keyOf(name));
      if (kept && (isSetting || isSameRelay(kept.url, url)))
        this.options.control.use(name, { weight: kept.weight, active: kept.active });
      else if (!isSetting) removals.push(this.options.control.remove(name));
    }
    return removals;
  }

  private addNew(wanted: ReadonlyMap<string, Kept>): void {
    const { control, log } = this.options;
    const known = new Set(control.list().map(({ name }) => name));
    for (const [name, { url, weight, active }] of wanted) {
      if (url === undefined || known.has(name)) continue;
      try {
        control.add(name, url, { weight, active });
      } catch (error) {
        log.warn({ relay: name, err: errorMessage(error) }, 'a media relay of the Store cannot be used');
      }
    }
  }
}

const unknown = (name: string) =>
  new RelayError('RELAY_UNKNOWN', `there is no relay ${name.slice(0, 64)}`, name);
