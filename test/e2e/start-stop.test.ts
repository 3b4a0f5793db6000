import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readRunFacts } from '../../src/app/run-file.js';
import { startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { MAIN_JS, startServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

describe('starting and stopping a server', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ims-start-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('RST SERVICE with a mistake in the settings file says so, and the server goes on; without it starts anew', async () => {
    const settingsFile = join(directory, 'ims.yaml');
    writeFileSync(settingsFile, 'MAX_CALLS: 9\n');
    const server = await startServer({ settingsFile });
    try {
      for (const mistake of ['MAX_CALLS: many\n', 'REG_MIN_SEC: 7200\n', 'MAX_CALLS: [\n']) {
        writeFileSync(settingsFile, mistake);
        const report = await server.mml('RST SERVICE CONFIRM=YES');
        assert.match(report, /RETCODE = 2010 .*(MAX_CALLS|REG_MIN_SEC|ims\.yaml)/);
      }
      assert.match(await server.mmlOk('LST CFG: KEY=MAX_CALLS'), /Value += {2}9\n/);
      writeFileSync(settingsFile, 'MAX_CALLS: 11\n');
      await server.mmlOk('RST SERVICE CONFIRM=YES');
      await waitFor('the server to be back', () => {
        const facts = readRunFacts(server.dataDir);
        return facts?.sip !== undefined && facts.startedAt !== server.facts.startedAt;
      });
      assert.match(await server.mmlOk('LST CFG: KEY=MAX_CALLS'), /Value += {2}11\n/);
    } finally {
      await server.close();
    }
  });

  test('SET DRAIN OFF does not open a server again that stops', async () => {
    const calls = await startCallServer({ DRAIN_SEC: '20' });
    try {
      const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
      const call = await connect(a, b);
      process.kill(calls.server.facts.pid, 'SIGTERM');
      await waitFor('the server to drain', async () => /draining/.test(await calls.mml('DSP SYSINFO')));
      assert.match(await calls.mml('SET DRAIN OFF CONFIRM=YES'), /State += {2}draining/);
      await assert.rejects(a.invite('1002'), /^Error: 503 in place of a challenge/);
      await hangUp(a, b, call);
    } finally {
      await calls.close();
    }
  });

  test('a second signal ends the server at once, which its next start calls no crash', async () => {
    const calls = await startCallServer({ DRAIN_SEC: '20' });
    try {
      await connect(await calls.phone('1001'), await calls.phone('1002'));
      process.kill(calls.server.facts.pid, 'SIGTERM');
      await waitFor('the server to drain', async () => /draining/.test(await calls.mml('DSP SYSINFO')));
      await calls.server.kill('SIGTERM');
      await calls.restart();
      assert.doesNotMatch(await calls.mmlOk('LST ALARM: ACTIVE'), /SERVER_CRASHED/);
    } finally {
      await calls.close();
    }
  });

  test('a signal during the start is answered, and a second one ends it', async () => {
    // An engine that takes the connection and says nothing: the start waits for it.
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const env = {
      SIP_ENGINE: `drachtio://:s@127.0.0.1:${port}`,
      DATA_DIR: directory,
      MML_LISTEN: '127.0.0.1:0',
    };
    const child = spawn(process.execPath, [MAIN_JS, 'start'], { env: { ...process.env, ...env } });
    const ended = once(child, 'exit');
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    try {
      await waitFor('the start to wait', () => sockets.length > 0);
      child.kill('SIGTERM');
      await waitFor('an answer', () => /Stops as soon as it has started\. Once more ends now\./.test(output));
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [1, null]);
    } finally {
      child.kill('SIGKILL');
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});
