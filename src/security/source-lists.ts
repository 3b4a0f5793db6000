import { canonicalSource } from '../platform/address-set.js';
import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import type { Json, Store } from '../store/types.js';
import { MAX_BANS, MAX_ENTRIES } from './limits.js';
import { SourceListError } from './source-list-error.js';
import { SourceStore } from './source-store.js';
import { SourceTable } from './source-table.js';
import type { SourceEntry, SourceInput, SourceListName } from './source-types.js';

/** Entries end, and changes made by another server on the same Store are seen, after this at the latest. */
const LOOK_MS = 2000;
/** Everything is read anew after so many looks, for what two servers did at the same moment. */
const READ_LOOKS = 30;
const WRITTEN_AT_ONCE = 500;
/** The white list first: it exempts from bans of the black one. */
const NAMES: readonly SourceListName[] = ['white', 'black'];

/** Sources that came and went. */
export interface SourceChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface SourceListsOptions {
  readonly store: Pick<Store, 'collection'>;
  readonly clock?: Clock;
  readonly log: Logger;
  /**
   * Whether bans of an address or network by the server itself do not count here, asked at each read: a server on the same Store does not
   * know whose phones and trusted networks these are. Default: none is exempt.
   */
  readonly isExempt?: (source: string) => boolean;
  /** Called after each change of a list with what was put in or taken out. */
  readonly onChange: (name: SourceListName, change: SourceChange) => void;
  /** Called for each ban of the server's own that comes into force here, and when it ends. */
  readonly onBan: (entry: SourceEntry, isInForce: boolean) => void;
}

/** Black list and white list: in the Store, and in memory as last seen. The caller closes it. */
export class SourceLists implements Closeable {
  readonly table = new SourceTable();
  private readonly clock: Clock;
  private readonly store: SourceStore;
  /** The Store's mark that `table` is of. */
  private version: Json | undefined;
  private isRead = false;
  private isAway = false;
  private looks = 0;
  /** Changes made and bans written here so far: a look that began before the last one has seen too little. */
  private changes = 0;
  /** Bans that the Store does not know yet. */
  private readonly unsaved = new Set<string>();
  private isSaving = false;
  private timer: TimerHandle | undefined;
  private isClosed = false;

  constructor(private readonly options: SourceListsOptions) {
    const { store, clock = systemClock } = options;
    this.clock = clock;
    this.store = new SourceStore(store);
  }

  /** Reads both lists, and looks after them until `close`. Never rejects: without the Store it begins with none. */
  async start(): Promise<void> {
    await this.look();
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.clock.clearTimeout(this.timer);
    return Promise.resolve();
  }

  /** Adds entries of an operator at once; each source must be canonical and not be in the list by an operator's hand. */
  async add(
    name: SourceListName,
    sources: readonly string[],
    { reason, by, expiresAt }: SourceInput,
  ): Promise<void> {
    if (this.table.ownCount(name) + sources.length > MAX_ENTRIES)
      throw new SourceListError('FIELD_INVALID', `a list has at most ${MAX_ENTRIES} entries`);
    const present = sources.find((source) => this.table.get(name, source)?.isAutomatic === false);
    if (present) throw new SourceListError('SOURCE_EXISTS', `${present} is in the list`, present);
    const addedAt = this.clock.now();
    const made = new Map<string, SourceEntry>();
    try {
      for (let i = 0; i < sources.length; i += WRITTEN_AT_ONCE) {
        const entries = sources.slice(i, i + WRITTEN_AT_ONCE).map((source) => ({
          source,
          reason,
          by,
          isAutomatic: false,
          addedAt,
          ...(expiresAt && { expiresAt }),
        }));
        await Promise.all(entries.map((entry) => this.put(name, entry)));
        for (const entry of entries) made.set(entry.source, entry);
      }
    } finally {
      if (made.size > 0) this.apply(name, made);
    }
    await this.tellOthers();
  }

  async remove(name: SourceListName, source: string): Promise<void> {
    const wasThere = await this.store.remove(name, source);
    if (!wasThere && !this.table.get(name, source))
      throw new SourceListError('SOURCE_UNKNOWN', `${source} is not in the list`, source);
    this.apply(name, new Map([[source, undefined]]));
    await this.tellOthers();
  }

  /** Bans a source at once; the Store hears of it when it can. */
  ban(entry: SourceEntry): void {
    const isOne = this.table.bans >= MAX_BANS;
    const surplus = isOne ? [this.bans().reduce((x, y) => (endOf(x) <= endOf(y) ? x : y))] : [];
    this.unsaved.add(entry.source);
    this.apply('black', new Map([...surplus.map(gone), [entry.source, entry]]));
    this.forget('black', surplus);
    void this.saveBans();
  }

  /** Bans of the server's own that are in force here, as `onBan` was told of them. */
  bans(): SourceEntry[] {
    return this.table.entries('black').filter(({ isAutomatic }) => isAutomatic);
  }

  private async put(name: SourceListName, entry: SourceEntry): Promise<void> {
    const { source } = entry;
    // A ban of that source is not to be written over it.
    const isUnsaved = name === 'black' && this.unsaved.delete(source);
    try {
      await this.store.put(name, entry);
    } catch (error) {
      if (isUnsaved) this.unsaved.add(source);
      throw error;
    }
  }

  private apply(name: SourceListName, changes: ReadonlyMap<string, SourceEntry | undefined>): void {
    this.changes++;
    const before = [...changes.keys()].flatMap((source) => this.table.get(name, source) ?? []);
    this.table.change(name, changes);
    if (name === 'black')
      this.tellBans(
        before,
        [...changes.values()].flatMap((entry) => entry ?? []),
      );
    const [add, remove]: [string[], string[]] = [[], []];
    for (const [source, entry] of changes) {
      (entry ? add : remove).push(source);
      if (!entry && name === 'black') this.unsaved.delete(source);
    }
    this.options.onChange(name, { add, remove });
  }

  private tellBans(before: readonly SourceEntry[], now: readonly SourceEntry[]): void {
    const isBan = ({ isAutomatic }: SourceEntry): boolean => isAutomatic;
    const [were, are] = [before.filter(isBan), now.filter(isBan)];
    const [old, present] = [were, are].map((list) => new Set(list.map(({ source }) => source)));
    for (const entry of were) if (!present!.has(entry.source)) this.options.onBan(entry, false);
    for (const entry of are) if (!old!.has(entry.source)) this.options.onBan(entry, true);
  }

  private async look(): Promise<void> {
    try {
      await this.saveBans();
      const version = await this.store.version();
      const isDue = ++this.looks % READ_LOOKS === 0;
      if (isDue || !this.isRead || version !== this.version) await this.read(version);
      this.isAway = false;
    } catch (error) {
      if (!this.isAway)
        this.options.log.warn(
          { err: error },
          'black and white list cannot be read, the last known ones serve',
        );
      this.isAway = true;
    }
    // Behind the read: what was made anew elsewhere has not ended.
    this.endExpired();
    if (!this.isClosed) this.timer = this.clock.setTimeout(() => void this.look(), LOOK_MS);
  }

  private async read(version: Json | undefined): Promise<void> {
    const { changes } = this;
    const lists = await Promise.all(NAMES.map((name) => this.store.all(name)));
    // What was changed meanwhile may be missing: the next look reads again.
    if (changes !== this.changes) return;
    this.version = version;
    this.isRead = true;
    for (const [index, name] of NAMES.entries()) {
      const kept = name === 'black' ? this.table.entries(name) : [];
      const unsaved = kept.filter(({ source }) => this.unsaved.has(source));
      const [over, live] = parted(lists[index] ?? [], (entry) => this.isOver(entry));
      const counting = [...unsaved, ...live].filter((entry) => this.counts(name, entry));
      const difference = this.table.difference(name, counting);
      if (difference.size > 0) this.apply(name, difference);
      this.forget(name, over);
    }
  }

  private counts(name: SourceListName, { source, isAutomatic }: SourceEntry): boolean {
    // Reading an address costs more than all the rest: what the table has was read when it came.
    if (!this.table.get(name, source) && canonicalSource(source) !== source) return false;
    return !isAutomatic || !this.options.isExempt?.(source);
  }

  /** A wall clock that was set is noticed here, too. */
  private endExpired(): void {
    for (const name of NAMES) {
      const [over] = parted(this.table.entries(name), (entry) => this.isOver(entry));
      if (over.length > 0) this.apply(name, new Map(over.map(gone)));
      this.forget(name, over);
    }
  }

  private isOver({ expiresAt }: SourceEntry): boolean {
    return expiresAt !== undefined && expiresAt <= this.clock.now();
  }

  /** Takes entries out of the Store that are over, or one ban too many. What stays for want of it goes with the next full read. */
  private forget(name: SourceListName, entries: readonly SourceEntry[]): void {
    for (const { source } of entries) this.options.log.info({ source, list: name }, 'an entry has ended');
    const removed = async (): Promise<void> => {
      for (const entry of entries) await this.store.removeSame(name, entry);
    };
    void removed().catch(() => undefined);
  }

  /** One at a time: bans that come meanwhile are written by the one that runs. */
  private async saveBans(): Promise<void> {
    if (this.unsaved.size === 0 || this.isSaving) return;
    this.isSaving = true;
    try {
      // What is put in meanwhile comes behind.
      for (const source of this.unsaved) {
        const entry = this.table.get('black', source);
        const mayReplace = (stored: SourceEntry): boolean =>
          this.unsaved.has(source) && (stored.isAutomatic || this.isOver(stored));
        if (entry?.isAutomatic) await this.store.putBan(entry, mayReplace);
        this.unsaved.delete(source);
        this.changes++;
        // Taken out while it was written.
        if (entry && !this.table.get('black', source)) await this.store.removeSame('black', entry);
      }
      await this.tellOthers();
    } catch (error) {
      this.options.log.debug({ err: error }, 'bans are not in the store yet');
    } finally {
      this.isSaving = false;
    }
  }

  private async tellOthers(): Promise<void> {
    // Another server's change that was not seen here is read with the next look.
    if ((await this.store.version()) !== this.version) this.isRead = false;
    this.version = await this.store.renewVersion();
  }
}

const endOf = ({ expiresAt }: SourceEntry): number => expiresAt ?? 0;
const gone = ({ source }: SourceEntry): [string, undefined] => [source, undefined];

/** Those that are so, and the others. */
function parted<T>(all: readonly T[], isSo: (one: T) => boolean): [T[], T[]] {
  const parts: [T[], T[]] = [[], []];
  for (const one of all) parts[isSo(one) ? 0 : 1].push(one);
  return parts;
}
