import { pageSize } from '../store/arguments.js';
import { comparePositions, parseCursor, type RecordPosition, toCursor } from '../store/record-position.js';
import { matchesQuery } from '../store/record-query.js';
import type { RecordPage, RecordQuery } from '../store/types.js';
import { fromEntry } from './record-entry.js';
import type { CallRecord } from './types.js';
import type { RecordHead, WaitingRecord } from './waiting-records.js';

/** Puts waiting records into a page of the Store where they belong; each record once, cursors stay good. */
export async function mergePage(
  query: RecordQuery,
  page: RecordPage,
  waiting: readonly WaitingRecord[],
  load: (waiting: WaitingRecord) => Promise<CallRecord | undefined>,
): Promise<{ records: CallRecord[]; next?: string }> {
  const limit = pageSize(query.limit);
  const sign = query.order === 'asc' ? 1 : -1;
  const inStore = new Set(page.records.map(({ id }) => id));
  const candidates: { position: RecordPosition; read: () => Promise<CallRecord | undefined> }[] = [
    ...page.records.map((entry) => ({ position: entry, read: async () => fromEntry(entry) })),
    ...waiting
      .filter(({ head }) => !inStore.has(head.id) && isAskedFor(head, query, sign))
      .map((record) => ({ position: record.head, read: () => load(record) })),
  ];
  candidates.sort((a, b) => sign * comparePositions(a.position, b.position));
  const chosen = candidates.slice(0, limit);
  const records = await Promise.all(chosen.map(({ read }) => read()));
  const hasMore = candidates.length > limit || page.next !== undefined;
  return {
    records: records.filter((record) => record !== undefined),
    ...(hasMore && chosen.length > 0 && { next: toCursor(chosen.at(-1)!.position) }),
  };
}

function isAskedFor(head: RecordHead, query: RecordQuery, sign: 1 | -1): boolean {
  const { from = 0, to = Number.POSITIVE_INFINITY, cursor } = query;
  if (head.time < from || head.time >= to || !matchesQuery(head, query)) return false;
  return cursor === undefined || sign * comparePositions(head, parseCursor(cursor)) > 0;
}
