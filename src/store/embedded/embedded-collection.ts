import { keyBytes, pageSize } from '../arguments.js';
import type { Collection, Json } from '../types.js';
import type { LmdbEnvironment, Table } from './lmdb-environment.js';

/** No UTF-8 text holds this byte, so it stands after every key that begins with a prefix. */
const AFTER_ANY_TEXT = Buffer.from([0xff]);

/** A Collection as one LMDB database. */
export class EmbeddedCollection implements Collection {
  private readonly table: Table<Json>;

  constructor(
    private readonly environment: LmdbEnvironment,
    name: string,
  ) {
    this.table = environment.table<Json>(name);
  }

  async get(key: string): Promise<Json | undefined> {
    const bytes = keyBytes(key);
    return this.environment.read('get', () => this.table.get(bytes));
  }

  async put(key: string, value: Json, mode?: 'create' | 'update'): Promise<boolean> {
    const bytes = keyBytes(key);
    return await this.environment.write('put', () => {
      if (mode !== undefined && this.table.doesExist(bytes) !== (mode === 'update')) return false;
      void this.table.put(bytes, value);
      return true;
    });
  }

  async remove(key: string): Promise<boolean> {
    const bytes = keyBytes(key);
    return await this.environment.write('remove', () => {
      if (!this.table.doesExist(bytes)) return false;
      void this.table.remove(bytes);
      return true;
    });
  }

  async list(
    options: { prefix?: string; after?: string; limit?: number } = {},
  ): Promise<{ key: string; value: Json }[]> {
    const limit = pageSize(options.limit);
    const prefix = Buffer.from(options.prefix ?? '', 'utf8');
    const after = Buffer.from(options.after ?? '', 'utf8');
    // The least key after `after` is `after` with one zero byte more.
    const start = options.after === undefined ? prefix : Buffer.concat([after, Buffer.alloc(1)]);
    const range = {
      start: Buffer.compare(start, prefix) > 0 ? start : prefix,
      end: Buffer.concat([prefix, AFTER_ANY_TEXT]),
      limit,
    };
    return this.environment.read('list', () =>
      Array.from(this.table.getRange(range), ({ key, value }) => ({ key: key.toString('utf8'), value })),
    );
  }

  async count(): Promise<number> {
    return this.environment.read('count', () => entryCount(this.table));
  }
}

/** How many entries a table holds, without walking them. */
export function entryCount(table: Table<never> | Table<Json>): number {
  return (table.getStats() as { entryCount: number }).entryCount;
}
