import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { allCommands } from '../../../src/mml/commands/all-commands.js';
import { MAX_LIVE_REPORTS } from '../../../src/mml/limits.js';
import type { LivePart, LiveReport } from '../../../src/mml/registry/live-report.js';
import { ConsoleCore } from '../../../src/mml/session/console-core.js';
import { LiveRunner } from '../../../src/mml/session/live-runner.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { mmlTestServices } from '../../support/mml-services.js';

const report = (parts: (signal: AbortSignal) => AsyncGenerator<LivePart>): LiveReport => ({
  kind: 'watch',
  parts,
});
const forever = report(async function* () {
  for (;;) yield {};
});

describe('reports that go on', () => {
  it('are asked for the next part only when the one before was read', async () => {
    const runner = new LiveRunner();
    const end = new AbortController();
    let made = 0;
    const counted = report(async function* () {
      for (;;) {
        made++;
        yield {};
      }
    });
    let read = (): void => undefined;
    const running = runner.run(counted, end.signal, () => new Promise((resolve) => (read = resolve)));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(made, 1);
    read();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(made, 2);
    end.abort();
    read();
    assert.equal(await running, 2);
  });

  it('do not wait for a part in the making when they are ended, and what fails then has not failed', async () => {
    const runner = new LiveRunner();
    const end = new AbortController();
    const stuck = report(async function* () {
      yield {};
      await new Promise((_, reject) => setImmediate(() => reject(new Error('too late'))));
    });
    const count = await runner.run(stuck, end.signal, async () => end.abort());
    assert.equal(count, 1);
    await new Promise((resolve) => setImmediate(resolve));
    const broken = report(async function* () {
      yield {};
      throw new Error('store away');
    });
    await assert.rejects(
      runner.run(broken, new AbortController().signal, async () => undefined),
      /store away/,
    );
  });

  it('have a number of places, each given back at the end', async () => {
    const runner = new LiveRunner();
    const end = new AbortController();
    const wait = () => new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
    const all = Array.from({ length: MAX_LIVE_REPORTS }, () => runner.run(forever, end.signal, wait));
    await assert.rejects(runner.run(forever, end.signal, wait), { retcode: 4003 });
    end.abort();
    assert.deepEqual(await Promise.all(all), Array(MAX_LIVE_REPORTS).fill(1));
    assert.equal(await runner.run(forever, end.signal, wait), 0);
  });

  it('are refused where nobody could end them: scheduled commands', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ims-live-'));
    const core = new ConsoleCore({
      services: mmlTestServices(),
      commands: allCommands,
      clock: systemClock,
      log: silentLogger,
      product: { name: 'ims-server', version: '0.1.0' },
      operationLogPath: join(directory, 'oplog'),
      exchangePath: join(directory, 'exchange'),
    });
    const owner = {
      operator: 'admin',
      role: 'ADMIN',
      address: '::1',
      transport: 'task',
      grants: [],
    } as const;
    const session = core.sessions.add(owner, () => undefined);
    for (const command of ['DSP CALL STAT: WATCH=1', 'DSP LOG: FOLLOW=YES'])
      assert.equal((await core.executor.run(command, session)).retcode, 4004);
    await core.operations.close();
    await rm(directory, { recursive: true });
  });
});
