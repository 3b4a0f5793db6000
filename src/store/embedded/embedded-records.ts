import { createHash } from 'node:crypto';
import { keyBytes, MAX_RECORD_ID_BYTES, wallTimeMs } from '../arguments.js';
import type { RecordPosition } from '../record-position.js';
import {
  type IndexScan,
  indexesOf,
  queryRecords,
  type RecordIndex,
  type RecordReader,
} from '../record-query.js';
import type { RecordEntry, RecordPage, RecordQuery, RecordStore } from '../types.js';
import { entryCount } from './embedded-collection.js';
import type { LmdbEnvironment, Table } from './lmdb-environment.js';

/** Records removed in one transaction. */
const REMOVE_CHUNK = 500;
/** Records written in one transaction. */
const APPEND_CHUNK = 500;
const INDEX_BYTES = 12;
const TIME_BYTES = 6;

/** Records by id, and one table of index keys: `hash-of-index time id`. */
export class EmbeddedRecords implements RecordStore, RecordReader {
  private readonly byId: Table<RecordEntry>;
  private readonly index: Table<true>;

  constructor(private readonly environment: LmdbEnvironment) {
    this.byId = environment.table<RecordEntry>('records');
    this.index = environment.table<true>('records:index');
  }

  async append(entries: readonly RecordEntry[]): Promise<void> {
    for (const entry of entries) checkEntry(entry);
    for (let i = 0; i < entries.length; i += APPEND_CHUNK) {
      const chunk = entries.slice(i, i + APPEND_CHUNK);
      await this.environment.write('records append', () => {
        for (const entry of chunk) this.appendOne(entry);
      });
    }
    // The journal forgets what the Store has taken, so taken must mean on disk.
    await this.environment.flushed();
  }

  async get(id: string): Promise<RecordEntry | undefined> {
    const key = keyBytes(id, MAX_RECORD_ID_BYTES);
    return this.environment.read('record get', () => this.byId.get(key));
  }

  query(query: RecordQuery): Promise<RecordPage> {
    return queryRecords(this, query);
  }

  async count(): Promise<number> {
    return this.environment.read('records count', () => entryCount(this.byId as Table<never>));
  }

  async removeBefore(time: number): Promise<number> {
    const scan: IndexScan = { index: 'time', from: 0, to: time, order: 'asc', count: REMOVE_CHUNK };
    let removed = 0;
    for (;;) {
      const ids = (await this.scan(scan)).map(({ id }) => id);
      if (ids.length === 0) return removed;
      removed += await this.environment.write('records removal', () => this.removeAll(ids));
    }
  }

  async load(ids: readonly string[]): Promise<(RecordEntry | undefined)[]> {
    return this.environment.read('records load', () => ids.map((id) => this.byId.get(Buffer.from(id))));
  }

  async scan({ index, from, to, after, order, count }: IndexScan): Promise<RecordPosition[]> {
    const lowest = indexKey(index, from);
    const highest = indexKey(index, Math.min(Math.ceil(to), 2 ** 48 - 1));
    const mark = after && indexKey(index, after.time, after.id);
    const justAfter = (key: Buffer) => Buffer.concat([key, Buffer.alloc(1)]);
    // A reverse range starts at the greatest key that is wanted and ends before the first that is not.
    const range =
      order === 'asc'
        ? { start: mark ? later(lowest, justAfter(mark)) : lowest, end: highest }
        : { start: mark ? earlier(highest, mark) : highest, end: lowest, reverse: true };
    return this.environment.read('records scan', () => {
      const positions: RecordPosition[] = [];
      for (const key of this.index.getKeys(range)) {
        const position = positionOf(key);
        if (order === 'desc' && (position.time >= to || (mark && key.equals(mark)))) continue;
        positions.push(position);
        if (positions.length === count) break;
      }
      return positions;
    });
  }

  /** Within a transaction. An id that is known is left as it is. */
  private appendOne(entry: RecordEntry): void {
    const key = Buffer.from(entry.id);
    if (this.byId.doesExist(key)) return;
    void this.byId.put(key, entry);
    for (const index of indexesOf(entry)) void this.index.put(indexKey(index, entry.time, entry.id), true);
  }

  /** Within a transaction; returns how many were there. */
  private removeAll(ids: readonly string[]): number {
    let removed = 0;
    for (const id of ids) {
      const entry = this.byId.get(Buffer.from(id));
      if (!entry) continue;
      void this.byId.remove(Buffer.from(id));
      for (const index of indexesOf(entry)) void this.index.remove(indexKey(index, entry.time, id));
      removed++;
    }
    return removed;
  }
}

/** Throws StoreError when an entry cannot be indexed. */
function checkEntry(entry: RecordEntry): void {
  keyBytes(entry.id, MAX_RECORD_ID_BYTES);
  wallTimeMs(entry.time, 'record time');
}

/** Index names may be long and hold any text; their hash has one length and no surprises. */
function indexKey(index: RecordIndex, time: number, id = ''): Buffer {
  const hash = createHash('sha256').update(index).digest().subarray(0, INDEX_BYTES);
  const when = Buffer.alloc(TIME_BYTES);
  when.writeUIntBE(Math.floor(time), 0, TIME_BYTES);
  return Buffer.concat([hash, when, Buffer.from(id)]);
}

function positionOf(key: Buffer): RecordPosition {
  return {
    time: key.readUIntBE(INDEX_BYTES, TIME_BYTES),
    id: key.toString('utf8', INDEX_BYTES + TIME_BYTES),
  };
}

const later = (a: Buffer, b: Buffer) => (Buffer.compare(a, b) >= 0 ? a : b);
const earlier = (a: Buffer, b: Buffer) => (Buffer.compare(a, b) <= 0 ? a : b);
