import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Phone } from '../../src/testkit/phone.js';
import { callRecords } from '../support/records.js';
import { runIms, startServer, type TestServer } from '../support/server.js';
import { talkSeconds } from '../support/talk-seconds.js';
import { waitFor } from '../support/wait-for.js';

const USERS = { 1001: 'crash-1', 1002: 'crash-2' };
const CALLS = 8;

function openPhone(server: TestServer, username: '1001' | '1002', toneHz: number): Promise<Phone> {
  return Phone.open({
    username,
    password: USERS[username],
    domain: 'ims',
    server: { address: server.address, port: server.udpPort },
    address: '127.0.0.1',
    toneHz,
  });
}

test('kill -9 with calls up: one closed record each, bindings kept, calls go on at once', async () => {
  let server = await startServer({ users: USERS, env: { CALL_RESTORE_SEC: '0' } });
  const caller = await openPhone(server, '1001', 440);
  const callee = await openPhone(server, '1002', 880);
  try {
    await Promise.all([caller.register(600), callee.register(600)]);
    for (let i = 0; i < CALLS; i++) await caller.call('1002');
    // Each is known to have been alive for a second: that is how often the journal says so.
    await waitFor('all calls to be up for a while', async () => {
      return (await talkSeconds(server)).filter((seconds) => seconds >= 2).length === CALLS;
    });
    await server.kill('SIGKILL');
    server = await server.restart();
    const records = await callRecords(server, CALLS);
    for (const { result, releaseReason, answerTime, billSec } of records) {
      assert.deepEqual([result, releaseReason], ['ABNORMAL', 'server-crashed']);
      assert.ok(answerTime !== undefined && billSec >= 1);
    }
    assert.equal(new Set(records.map(({ callId }) => callId)).size, CALLS);
    // The phones were not told: the server finds them by the bindings it kept.
    const call = await caller.call('1002');
    assert.equal(await call.hangUp(), 200);
    await callRecords(server, CALLS + 1);
    server = await server.restart();
    await callRecords(server, CALLS + 1);
  } finally {
    await Promise.all([caller.close(), callee.close()]);
    await server.close();
  }
});

test('a second server on the same DATA_DIR is refused in one line', async () => {
  const server = await startServer();
  try {
    const env = {
      ...(process.env as Record<string, string>),
      DATA_DIR: server.dataDir,
      SIP_LISTEN: 'udp:127.0.0.1:0',
    };
    const { code, stderr } = await runIms(env, ['start']);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`is used by a running server \\(pid ${server.facts.pid}\\)`));
    assert.equal(stderr.trim().split('\n').length, 1);
    assert.match(await server.mml('DSP SYSINFO'), /State += +running/);
  } finally {
    await server.close();
  }
});

test('a setting that cannot be used ends the start with 2 and one line', async () => {
  const env = { ...(process.env as Record<string, string>), RTP_PORTS: '5-6' };
  const { code, stderr } = await runIms(env, ['start']);
  assert.equal(code, 2);
  assert.match(stderr, /^RTP_PORTS: '5-6' is not usable; allowed: .*\n$/);
});
