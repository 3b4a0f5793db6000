import { AddressSet } from '../platform/address-set.js';
import type { SourceEntry, SourceListName } from './source-types.js';

/** Both lists in memory: each request asks them. */
export class SourceTable {
  /** Bans of the server's own. */
  bans = 0;
  private readonly lists: Record<SourceListName, Map<string, SourceEntry>> = {
    black: new Map(),
    white: new Map(),
  };
  private readonly sets: Record<SourceListName, AddressSet> = {
    black: new AddressSet(),
    white: new AddressSet(),
  };

  get(name: SourceListName, source: string): SourceEntry | undefined {
    return this.lists[name].get(source);
  }

  entries(name: SourceListName): SourceEntry[] {
    return [...this.lists[name].values()];
  }

  sources(name: SourceListName): string[] {
    return [...this.lists[name].keys()];
  }

  /** Whether an address is in a list. */
  has(name: SourceListName, address: string): boolean {
    return this.sets[name].has(address);
  }

  /** Whether requests from there are not taken. */
  isBlocked(address: string): boolean {
    return this.has('black', address) && !this.has('white', address);
  }

  /** Entries that operators made. */
  ownCount(name: SourceListName): number {
    return this.lists[name].size - (name === 'black' ? this.bans : 0);
  }

  /** Changes some entries at once; undefined takes one out. */
  change(name: SourceListName, changes: ReadonlyMap<string, SourceEntry | undefined>): void {
    for (const [source, entry] of changes) {
      this.bans += Number(entry?.isAutomatic ?? false);
      this.bans -= Number(this.lists[name].get(source)?.isAutomatic ?? false);
      if (entry) {
        this.lists[name].set(source, entry);
        this.sets[name].add(source);
      } else {
        this.lists[name].delete(source);
        this.sets[name].delete(source);
      }
    }
  }

  /** What has to change for a list to be these entries. */
  difference(
    name: SourceListName,
    entries: readonly SourceEntry[],
  ): ReadonlyMap<string, SourceEntry | undefined> {
    const wanted = new Map<string, SourceEntry | undefined>(entries.map((entry) => [entry.source, entry]));
    for (const [source, entry] of this.lists[name])
      if (!wanted.has(source)) wanted.set(source, undefined);
      else if (isSame(wanted.get(source)!, entry)) wanted.delete(source);
    return wanted;
  }
}

/** Whether two entries of one source are the same one. */
export function isSame(x: SourceEntry, y: SourceEntry): boolean {
  return x.addedAt === y.addedAt && x.expiresAt === y.expiresAt && x.by === y.by && x.reason === y.reason;
}
