import { AddressSet } from '../platform/address-set.js';
import type { SourceEntry, SourceListName } from './source-types.js';

/** Both lists in memory: each request asks them. */
export class SourceTable {
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

  count(name: SourceListName, isAutomatic: boolean): number {
    let count = 0;
    for (const entry of this.lists[name].values()) if (entry.isAutomatic === isAutomatic) count++;
    return count;
  }

  /** Changes some entries at once; undefined takes one out. */
  change(name: SourceListName, changes: ReadonlyMap<string, SourceEntry | undefined>): void {
    for (const [source, entry] of changes)
      if (entry) this.lists[name].set(source, entry);
      else this.lists[name].delete(source);
    this.sets[name] = new AddressSet(this.lists[name].keys());
  }

  /** Puts a whole list in the place of the one before. */
  replace(name: SourceListName, entries: readonly SourceEntry[]): void {
    this.lists[name] = new Map(entries.map((entry) => [entry.source, entry]));
    this.sets[name] = new AddressSet(this.lists[name].keys());
  }
}
