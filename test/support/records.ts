import { setTimeout as delay } from 'node:timers/promises';
import { fromEntry } from '../../src/cdr/record-entry.js';
import type { CallRecord } from '../../src/cdr/types.js';
import type { TestServer } from './server.js';
import { waitFor } from './wait-for.js';

const LIMIT = 1000;
/** In which a record that should not be would come. */
const MOMENT_MS = 150;

/** The server's records of a type as they are in its Store, oldest first. */
async function storedRecords(server: Pick<TestServer, 'withStore'>, type: string): Promise<CallRecord[]> {
  const { records } = await server.withStore((store) =>
    store.records.query({ type, order: 'asc', limit: LIMIT }),
  );
  return records.map(fromEntry);
}

/** Waits until there are `count` records that are wanted, and a moment longer; rejects when there are more. Oldest first. */
export async function untilRecords(
  server: Pick<TestServer, 'withStore'>,
  count: number,
  isWanted: (record: CallRecord) => boolean = () => true,
  type = 'CALL',
): Promise<CallRecord[]> {
  const wanted = async (): Promise<CallRecord[]> => (await storedRecords(server, type)).filter(isWanted);
  await waitFor(`${count} records`, async () => (await wanted()).length >= count);
  await delay(MOMENT_MS);
  const records = await wanted();
  if (records.length !== count) throw new Error(`${records.length} records in place of ${count}`);
  return records;
}

/** The server's records of calls, the newest first; with `expected` as `untilRecords`. */
export async function callRecords(server: TestServer, expected?: number): Promise<CallRecord[]> {
  const records = await (expected === undefined
    ? storedRecords(server, 'CALL')
    : untilRecords(server, expected));
  return records.reverse();
}
