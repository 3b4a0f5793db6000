import type { TestServer } from './server.js';

/** How long each connected call has talked, as the console shows it, seconds. The journal says once a second that they are alive. */
export async function talkSeconds(server: Pick<TestServer, 'mml'>): Promise<number[]> {
  const { reports } = JSON.parse(await server.mml('DSP CALL', 'JSON')) as {
    reports: { rows: { talkSec?: number }[] }[];
  };
  return reports[0]?.rows.flatMap(({ talkSec }) => talkSec ?? []) ?? [];
}
