import assert from 'node:assert/strict';
import type { CallServer } from './call-server.js';
import { waitFor } from './wait-for.js';

export interface AlarmRow {
  readonly id: number;
  readonly name: string;
  readonly subject?: string;
  readonly severity: string;
  readonly detail: string;
  readonly firstAt: string;
  readonly clearedBy?: string;
}

/** What a console lists, oldest first. */
export async function listed(calls: Pick<CallServer, 'mml'>, command = 'LST ALARM'): Promise<AlarmRow[]> {
  const report = JSON.parse(await calls.mml(command, 'JSON')) as { reports: { rows: AlarmRow[] }[] };
  return report.reports[0]!.rows.sort((x, y) => x.id - y.id);
}

/** Waits until these alarms are active and no others; the names in any order. */
export async function becomes(calls: Pick<CallServer, 'mml'>, ...wanted: string[]): Promise<void> {
  let seen: string[] = [];
  await waitFor(
    `the alarms ${wanted}`,
    async () => {
      seen = (await listed(calls)).map(({ name }) => name).sort();
      return seen.join() === [...wanted].sort().join();
    },
    25_000,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; there are: ${seen.join()}`);
  });
}

/** Clears the one alarm that is active by hand, and waits until it is raised again: what it tells of is still so. */
export async function comesBack(calls: Pick<CallServer, 'mml'>, name: string): Promise<void> {
  const [cleared] = await listed(calls);
  assert.match(await calls.mml('CLR ALARM ALL'), /RETCODE = 0 /);
  await becomes(calls, name);
  const [again] = await listed(calls);
  assert.ok(again!.id > cleared!.id, 'it is a new one');
  assert.equal(again!.detail, cleared!.detail);
}
