import type { CallRecord } from '../../src/cdr/types.js';
import type { TestServer } from './server.js';
import { waitFor } from './wait-for.js';

const LIMIT = 1000;

/**
 * The server's records of calls, the newest first. With `expected`: waits until there are that many and a moment longer,
 * and rejects when there are more.
 */
export async function callRecords(server: TestServer, expected?: number): Promise<CallRecord[]> {
  if (expected === undefined) return list(server);
  let records: CallRecord[] = [];
  await waitFor(`${expected} records`, async () => {
    records = await list(server);
    return records.length >= expected;
  });
  if (records.length > expected) throw new Error(`${records.length} records in place of ${expected}`);
  return records;
}

async function list(server: TestServer): Promise<CallRecord[]> {
  const { code, stdout, stderr } = await server.ims('cdr', 'list', '--json', '--last', String(LIMIT));
  if (code !== 0) throw new Error(`ims cdr list: ${stderr}`);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as CallRecord)
    .filter(({ type }) => type === 'CALL');
}
