import { setImmediate as nextTurn } from 'node:timers/promises';
import { pageSize, wallTimeMs } from './arguments.js';
import { comparePositions, parseCursor, type RecordPosition, toCursor } from './record-position.js';
import type { RecordEntry, RecordPage, RecordQuery } from './types.js';

/** Positions read ahead when most of them may be filtered out. */
const SCAN_CHUNK = 500;

/** What records are indexed by. `time` holds every record. */
export type RecordIndex =
  | 'time'
  | `caller:${string}`
  | `callee:${string}`
  | `type:${string}`
  | `result:${string}`;

/** One read of an index: at most `count` positions in `order`, within from..to, strictly after `after`. */
export interface IndexScan {
  readonly index: RecordIndex;
  /** Inclusive and exclusive, wall milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly after?: RecordPosition;
  readonly order: 'asc' | 'desc';
  readonly count: number;
}

/** What an implementation offers so that `queryRecords` can answer any query by pages. */
export interface RecordReader {
  scan(scan: IndexScan): Promise<RecordPosition[]>;
  /** Entries by id, in the order asked; undefined where one is gone. */
  load(ids: readonly string[]): Promise<(RecordEntry | undefined)[]>;
}

/** The indexes that a record stands in. */
export function indexesOf(entry: RecordEntry): RecordIndex[] {
  return [
    'time',
    `caller:${entry.caller}`,
    `callee:${entry.callee}`,
    `type:${entry.type}`,
    `result:${entry.result}`,
  ];
}

/** Whether an entry is what the query asks for, time and cursor aside. */
export function matchesQuery(entry: Omit<RecordEntry, 'body'>, query: RecordQuery): boolean {
  return (
    (query.type === undefined || entry.type === query.type) &&
    (query.result === undefined || entry.result === query.result) &&
    (query.caller === undefined || entry.caller === query.caller) &&
    (query.callee === undefined || entry.callee === query.callee) &&
    (query.number === undefined || entry.caller === query.number || entry.callee === query.number)
  );
}

/** The narrowest indexes that together hold every answer. */
function sourcesOf(query: RecordQuery): RecordIndex[] {
  if (query.caller !== undefined) return [`caller:${query.caller}`];
  if (query.callee !== undefined) return [`callee:${query.callee}`];
  if (query.number !== undefined) return [`caller:${query.number}`, `callee:${query.number}`];
  if (query.result !== undefined) return [`result:${query.result}`];
  if (query.type !== undefined) return [`type:${query.type}`];
  return ['time'];
}

/** Answers a query by reading indexes in chunks; never holds more than a page and a chunk. */
export async function queryRecords(reader: RecordReader, query: RecordQuery): Promise<RecordPage> {
  const limit = pageSize(query.limit);
  const positions = mergedPositions(reader, query, limit + 1);
  const records: RecordEntry[] = [];
  for await (const chunk of positions) {
    for (const entry of await reader.load(chunk.map(({ id }) => id))) {
      if (entry === undefined || !matchesQuery(entry, query)) continue;
      if (records.length === limit) return { records, next: toCursor(records.at(-1)!) };
      records.push(entry);
    }
    // A long scan lets calls go on between its chunks.
    await nextTurn();
  }
  return { records };
}

/** Chunks of positions over all sources in the query's order, each position once. */
async function* mergedPositions(
  reader: RecordReader,
  query: RecordQuery,
  firstCount: number,
): AsyncGenerator<RecordPosition[]> {
  const order = query.order ?? 'desc';
  const base = {
    from: query.from === undefined ? 0 : wallTimeMs(Math.max(0, query.from), 'from'),
    to: query.to === undefined ? 2 ** 48 : Math.max(0, query.to),
    order,
  } as const;
  let after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
  let count = Math.min(firstCount, SCAN_CHUNK);
  const sources = sourcesOf(query);
  for (;;) {
    const scans = await Promise.all(
      sources.map((index) => reader.scan({ ...base, index, count, ...(after && { after }) })),
    );
    const chunk = mergeScans(scans, count, order);
    if (chunk.length > 0) yield chunk;
    if (scans.every((scan) => scan.length < count)) return;
    after = chunk.at(-1);
    count = SCAN_CHUNK;
  }
}

/** Merges ordered scans; stops where a full scan ends, because what follows in it is not known yet. */
function mergeScans(scans: RecordPosition[][], count: number, order: 'asc' | 'desc'): RecordPosition[] {
  if (scans.length === 1) return scans[0]!;
  const sign = order === 'asc' ? 1 : -1;
  const horizons = scans.filter((scan) => scan.length === count).map((scan) => scan.at(-1)!);
  const merged = scans.flat().sort((a, b) => sign * comparePositions(a, b));
  return merged.filter(
    (position, i) =>
      (i === 0 || position.id !== merged[i - 1]!.id) &&
      horizons.every((horizon) => sign * comparePositions(position, horizon) <= 0),
  );
}
