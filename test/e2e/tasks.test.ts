// Tasks of the whole server: kept over a stop and a kill, run once, also by two servers on one Redis.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readRunFacts } from '../../src/app/run-file.js';
import { runMml } from '../../src/mml/transport/run-mml.js';
import { missing } from '../support/peers.js';
import { startRedis } from '../support/redis-server.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

interface Run {
  readonly task: string;
  readonly state: string;
  readonly done: number;
  readonly by: string;
  readonly file: string;
  readonly node: string;
}

/** One command by the admin socket; resolves the rows of its first part. */
async function rows<T>(server: TestServer, command: string): Promise<T[]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const socketPath = join(server.dataDir, 'ims.sock');
  await runMml({ socketPath, command, format: 'JSON', stdin: Readable.from(['']), stdout, stderr });
  stdout.end();
  const report = JSON.parse(await text(stdout));
  assert.equal(report.retcode, 0, JSON.stringify(report));
  return report.reports[0]?.rows ?? [];
}

const runs = (server: TestServer, name?: string): Promise<Run[]> =>
  rows(server, name === undefined ? 'DSP TASK' : `DSP TASK: NAME=${name}`);

/** A moment as commands take it, whole seconds. */
function written(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `"${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}"`;
}

async function begun(server: TestServer, name: string): Promise<void> {
  await waitFor(`${name} to be under way`, async () =>
    (await runs(server, name)).some(({ done }) => done > 0),
  );
}

describe('tasks of a server', { timeout: 120_000 }, () => {
  test('survive a kill: what ran is not begun again, what was missed by seconds is made up', async () => {
    let server = await startServer();
    try {
      const { dataDir } = server;
      await mkdir(join(dataDir, 'exchange'), { recursive: true });
      await writeFile(
        join(dataDir, 'exchange', 'long.mml'),
        `// slow\n${'DSP SYSINFO;\nHLP;\n'.repeat(500)}`,
      );
      await rows(server, 'ADD TASK: NAME=long, FILE=long.mml');
      await rows(server, `ADD TASK: NAME=first, COMMAND="DSP VERSION", AT=${written(Date.now() + 2500)}`);
      await waitFor('the first to run', async () => (await runs(server, 'first'))[0]?.state === 'OK');
      const [first] = await runs(server, 'first');
      assert.equal(first?.by, 'SCHEDULE');
      assert.match(
        readFileSync(join(dataDir, 'exchange', first!.file), 'utf8'),
        /%%DSP VERSION;%%\nRETCODE = 0 /,
      );

      const lateAt = Date.now() + 3500;
      await rows(server, `ADD TASK: NAME=late, COMMAND="DSP VERSION", AT=${written(lateAt)}`);
      await rows(server, 'STR TASK: NAME=long');
      await begun(server, 'long');
      await server.kill('SIGKILL');
      await delay(Math.max(0, lateAt - Date.now()));
      server = await server.restart();

      await waitFor('the late one to run', async () => (await runs(server, 'late'))[0]?.state === 'OK');
      assert.deepEqual(
        (await runs(server, 'long')).map(({ state }) => state),
        ['INTERRUPTED'],
      );
      assert.equal((await runs(server, 'late')).length, 1);
      assert.equal((await runs(server, 'first')).length, 1);
      const [log] = await rows<{ operator: string }>(server, 'LST OPLOG: KEYWORD="DSP VERSION", LIMIT=1');
      assert.equal(log?.operator, 'local');

      await rows(server, 'STR TASK: NAME=long');
      await begun(server, 'long');
      server = await server.restart();
      const states = (await runs(server, 'long')).map(({ state }) => state);
      assert.deepEqual(states, ['INTERRUPTED', 'INTERRUPTED'], 'a stop ends what runs');
      await rows(server, 'RMV TASK: NAME=long');

      await rows(server, 'ADD TASK: NAME=again, COMMAND="RST SERVICE: CONFIRM=YES"');
      const before = readRunFacts(dataDir)?.startedAt;
      await rows(server, 'STR TASK: NAME=again');
      await waitFor('the server to start anew', () => {
        const facts = readRunFacts(dataDir);
        return facts?.sip !== undefined && facts.startedAt !== before;
      });
      assert.deepEqual(
        (await runs(server, 'again')).map(({ state }) => state),
        ['OK'],
        'it restarts once',
      );
    } finally {
      await server.close();
    }
  });

  test('two servers on one Redis run each time once', { skip: missing('redis-server') }, async () => {
    const redis = await startRedis();
    // Not database 0: servers of tests get one each then.
    const STORE_URL = redis.url.replace(/0$/, '5');
    const servers: TestServer[] = [];
    try {
      for (const NODE_NAME of ['a', 'b']) servers.push(await startServer({ env: { STORE_URL, NODE_NAME } }));
      const [a, b] = servers as [TestServer, TestServer];
      const at = Date.now() + 4000;
      for (let i = 0; i < 6; i++)
        await rows(
          i % 2 ? a : b,
          `ADD TASK: NAME=job${i}, COMMAND="DSP VERSION; DSP PERF", AT=${written(at)}`,
        );
      assert.ok(Date.now() < at - 1000, 'all were there before their time');
      const ended = async () => (await runs(a)).filter(({ state }) => state === 'OK').length;
      await waitFor('six runs', async () => (await ended()) === 6, 20_000);
      // The other server has looked again by then.
      await delay(1000);
      const all = await runs(b);
      assert.deepEqual(all.map(({ task }) => task).sort(), ['job0', 'job1', 'job2', 'job3', 'job4', 'job5']);
      assert.ok(all.every(({ state, done }) => state === 'OK' && done === 2));
      let count = 0;
      for (const server of servers)
        count += (await rows(server, 'LST OPLOG: KEYWORD="DSP PERF", LIMIT=50')).length;
      // Each of the six ADD TASK holds the words as well.
      assert.equal(count, 6 + 6);
    } finally {
      for (const server of servers) await server.close();
      await redis.close();
    }
  });
});
