import { randomToken } from '../platform/ids.js';
import type { Collection, Json, Store } from '../store/types.js';
import { isSame } from './source-table.js';
import type { SourceEntry, SourceListName } from './source-types.js';

const PAGE = 500;
/** Key in the `settings` collection: another value means other lists. */
const VERSION_KEY = 'source-lists';

/** Both lists in the Store, and a mark by which servers on one Store see that they have changed. Rejects with StoreError. */
export class SourceStore {
  private readonly lists: Record<SourceListName, Collection>;
  private readonly settings: Collection;

  constructor(store: Pick<Store, 'collection'>) {
    this.lists = { black: store.collection('blacklist'), white: store.collection('whitelist') };
    this.settings = store.collection('settings');
  }

  async put(name: SourceListName, entry: SourceEntry): Promise<void> {
    await this.lists[name].put(entry.source, entry as unknown as Json);
  }

  /** Writes a ban where there is no entry, or one that `mayReplace`: another server may have put an operator's there. */
  async putBan(entry: SourceEntry, mayReplace: (stored: SourceEntry) => boolean): Promise<void> {
    if (await this.lists.black.put(entry.source, entry as unknown as Json, 'create')) return;
    const stored = await this.get('black', entry.source);
    if (stored && mayReplace(stored)) await this.put('black', entry);
  }

  /** Removes an entry unless another one of that source has taken its place. */
  async removeSame(name: SourceListName, entry: SourceEntry): Promise<void> {
    const stored = await this.get(name, entry.source);
    if (stored && isSame(stored, entry)) await this.remove(name, entry.source);
  }

  /** Resolves whether it was there. */
  remove(name: SourceListName, source: string): Promise<boolean> {
    return this.lists[name].remove(source);
  }

  async all(name: SourceListName): Promise<SourceEntry[]> {
    const entries: SourceEntry[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await this.lists[name].list({ limit: PAGE, ...(after !== undefined && { after }) });
      entries.push(...page.map(({ value }) => value as unknown as SourceEntry));
      after = page.at(-1)?.key;
      if (page.length < PAGE) return entries;
    }
  }

  private async get(name: SourceListName, source: string): Promise<SourceEntry | undefined> {
    return (await this.lists[name].get(source)) as unknown as SourceEntry | undefined;
  }

  version(): Promise<Json | undefined> {
    return this.settings.get(VERSION_KEY);
  }

  /** Makes another mark. */
  async renewVersion(): Promise<Json> {
    const version = randomToken(12);
    await this.settings.put(VERSION_KEY, version);
    return version;
  }
}
