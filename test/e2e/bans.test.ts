// Black list, white list and bans of the server's own, with phones at several addresses of this machine.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withDeadline } from '../../src/platform/deadline.js';
import { comesBack } from '../support/alarm-steps.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { type PartProcess, startEngineProcess } from '../support/part-process.js';
import { hasBuiltInEngine } from '../support/parts.js';
import { RawTcp } from '../support/raw-sockets.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const BANNED = '127.0.0.66';
const GUESSER = '127.0.0.67';
const OFFICE = '127.0.0.68';
const CLOSE_MS = 5000;
const needsOurEngine = hasBuiltInEngine ? false : 'the built-in engine drops before it parses';

describe('who is heard', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer({ SIP_TRUSTED: '127.0.0.1/32', BAN_AFTER: '5', BAN_SEC: '600' });
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  const ok = async (command: string): Promise<string> => {
    const report = await calls.mml(command);
    assert.match(report, /RETCODE = 0 /, `${command}: ${report}`);
    return report;
  };
  const reports = async (command: string): Promise<Record<string, unknown>[][]> => {
    const { reports } = JSON.parse(await calls.mml(command, 'JSON')) as {
      reports: { rows: Record<string, unknown>[] }[];
    };
    return reports.map(({ rows }) => rows);
  };
  const rows = async (command: string): Promise<Record<string, unknown>[]> =>
    (await reports(command)).at(-1) ?? [];
  const dropped = async (): Promise<number> =>
    Number((await reports('DSP ATTACK STAT'))[0]?.[0]?.['dropped']);
  /** Of a phone that is not heard the server says that it dropped or refused something; any other gets 200. */
  const isHeard = async (phone: SipPeer): Promise<boolean> => {
    const before = await dropped();
    const options = phone.request('OPTIONS', 'sip:127.0.0.1');
    phone.send(options);
    const answers = () => phone.log.filter((message) => message.callId === options.callId);
    await waitFor('an answer or a drop', async () => answers().length > 0 || (await dropped()) > before);
    return answers().some((message) => message.type === 'response' && message.statusCode === 200);
  };

  test('a banned address is not heard, others are, and RMV BLACKLIST lets it in again', async () => {
    const phone = await calls.phone('1003', { from: BANNED });
    await ok(`ADD BLACKLIST: IP=${BANNED}, REASON="scans numbers"`);
    assert.equal(await isHeard(phone), false);
    await hangUp(a, b, await connect(a, b));
    assert.match(await ok('DSP BLACKLIST'), /127\.0\.0\.66[\s\S]*scans numbers/);
    await ok(`RMV BLACKLIST IP=${BANNED}`);
    assert.equal(await isHeard(phone), true);
  });

  test('a network is banned but for what the white list has', async () => {
    const [inside, excepted] = [
      await calls.phone('1003', { from: BANNED }),
      await calls.phone('1004', { from: '127.0.0.70' }),
    ];
    await ok('ADD WHITELIST: IP=127.0.0.70');
    await ok('ADD BLACKLIST: IP=127.0.0.64/28');
    assert.deepEqual([await isHeard(inside), await isHeard(excepted)], [false, true]);
    assert.equal((await rows(`LST BLACKLIST: IP=${BANNED}`))[0]?.['source'], '127.0.0.64/28');
    await ok('RMV BLACKLIST: IP=127.0.0.64/28');
    await ok('RMV WHITELIST: IP=127.0.0.70');
    assert.equal(await isHeard(inside), true);
  });

  test('the connection of a phone that is banned is closed, and none is taken', {
    skip: needsOurEngine,
  }, async () => {
    const phone = await calls.phone('1003', { from: BANNED, transport: 'tcp' });
    assert.equal(await isHeard(phone), true);
    await ok(`ADD BLACKLIST: IP=${BANNED}, FOR=1h`);
    await withDeadline(phone.closed, CLOSE_MS, 'closing the connection of the phone');
    const socket = await RawTcp.connect(calls.server.tcpPort, '127.0.0.1', BANNED);
    await withDeadline(socket.closed, CLOSE_MS, 'closing a new connection');
    await ok(`RMV BLACKLIST: IP=${BANNED}`);
  });

  test('an entry ends by itself', async () => {
    const phone = await calls.phone('1003', { from: BANNED });
    await ok(`ADD BLACKLIST: IP=${BANNED}, FOR=1s`);
    await waitFor('the end of the entry', async () => (await rows('LST BLACKLIST')).length === 0);
    assert.equal(await isHeard(phone), true);
  });

  const guess = async (from: string, times: number): Promise<SipPeer> => {
    const guesser = await calls.phone('nobody', { register: false, from, password: 'guess' });
    for (let i = 0; i < times; i++) await guesser.register();
    return guesser;
  };

  test('who guesses passwords is banned, and an operator is told and lets it in again', async () => {
    const guesser = await guess(GUESSER, 5);
    await waitFor('the ban', async () => (await rows('LST BLACKLIST: BY=SERVER')).length === 1);
    assert.equal(await isHeard(guesser), false);
    const [entry] = await rows('LST BLACKLIST: BY=SERVER');
    assert.equal(entry?.['source'], GUESSER);
    assert.match(String(entry?.['reason']), /^5 offences/);
    const [attacker] = await rows(`DSP ATTACK STAT: IP=${GUESSER}`);
    assert.equal(attacker?.['state'], 'BANNED');
    assert.equal(attacker?.['name'], 5);
    assert.ok(Number(attacker?.['dropped']) > 0);
    assert.match(await ok('LST ALARM'), /SOURCE_BANNED +127\.0\.0\.67/);
    await comesBack(calls, 'SOURCE_BANNED');
    await ok(`RMV BLACKLIST: IP=${GUESSER}`);
    assert.equal(await isHeard(guesser), true);
    assert.doesNotMatch(await ok('LST ALARM'), /SOURCE_BANNED/);
  });

  test('phones of subscribers, SIP_TRUSTED and the white list keep an address from being banned', async () => {
    await calls.phone('1003', { from: OFFICE });
    await ok('ADD WHITELIST: IP=127.0.0.71');
    await ok('ADD TRUNK: NAME=carrier, SOURCES=127.0.0.74, OPTIONSSEC=0');
    for (const from of [OFFICE, '127.0.0.1', '127.0.0.71', '127.0.0.74'])
      assert.equal(await isHeard(await guess(from, 6)), true, from);
    const states = await rows('DSP ATTACK STAT');
    const stateOf = (address: string) => states.find((row) => row['address'] === address)?.['state'];
    const exempt = [OFFICE, '127.0.0.1', '127.0.0.71', '127.0.0.74'];
    assert.deepEqual(exempt.map(stateOf), ['PHONES', 'TRUSTED', 'WHITELIST', 'TRUNK']);
    assert.deepEqual(await rows('LST BLACKLIST'), []);
    assert.match(await ok(`ADD BLACKLIST: IP=${OFFICE}`), /phones of subscribers/);
    await ok(`RMV BLACKLIST: IP=${OFFICE}`);
  });

  test('a scanner over UDP is counted but not banned: its address may be a lie', async () => {
    const victim = await calls.phone('1003', { register: false, from: BANNED });
    for (let i = 0; i < 8; i++) {
      const options = victim.request('OPTIONS', 'sip:100@127.0.0.1').append('User-Agent', 'friendly-scanner');
      victim.send(options);
      await victim.final(options);
    }
    const [row] = await rows(`DSP ATTACK STAT: IP=${BANNED}`);
    assert.deepEqual([row?.['scanner'], row?.['state']], [8, 'PHONES']);
    assert.equal(await isHeard(victim), true);
  });

  test('over TCP who sends what is no SIP is banned', { skip: needsOurEngine }, async () => {
    const from = '127.0.0.72';
    for (let i = 0; i < 5; i++) {
      const socket = await RawTcp.connect(calls.server.tcpPort, '127.0.0.1', from);
      socket.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await withDeadline(socket.closed, CLOSE_MS, 'closing what is no SIP');
    }
    await waitFor('the ban', async () => (await rows(`LST BLACKLIST: IP=${from}`)).length === 1);
    const socket = await RawTcp.connect(calls.server.tcpPort, '127.0.0.1', from);
    await withDeadline(socket.closed, CLOSE_MS, 'closing a new connection');
  });

  test('both lists outlive a restart, bans of the server too', async () => {
    await guess('127.0.0.73', 5);
    await waitFor('the ban', async () => (await rows('LST BLACKLIST: IP=127.0.0.73')).length === 1);
    await ok(`ADD BLACKLIST: IP=${BANNED}`);
    const before = [await rows('LST BLACKLIST'), await rows('LST WHITELIST')];
    await calls.restart();
    assert.deepEqual([await rows('LST BLACKLIST'), await rows('LST WHITELIST')], before);
    assert.match(await ok('LST ALARM'), /SOURCE_BANNED +127\.0\.0\.73/);
    assert.equal(await isHeard(await calls.phone('1003', { register: false, from: BANNED })), false);
    assert.equal((await (await calls.phone('1001')).register()).statusCode, 200);
  });
});

describe('who is heard through an engine elsewhere', () => {
  let engine: PartProcess;
  let calls: CallServer;
  before(async () => {
    engine = await startEngineProcess();
    calls = await startCallServer({ SIP_ENGINE: engine.url, SIP_TRUSTED: '127.0.0.1/32', BAN_AFTER: '4' });
  });
  after(async () => {
    await calls?.close();
    await engine?.close();
  });

  test('requests of a banned source get 403, its calls that are up can still be ended by it', async () => {
    const [a, b] = [await calls.phone('1001', { from: BANNED }), await calls.phone('1002')];
    const call = await connect(a, b);
    assert.match(await calls.mml(`ADD BLACKLIST: IP=${BANNED}`), /RETCODE = 0/);
    for (const method of ['OPTIONS', 'INVITE', 'MESSAGE']) {
      const request = method === 'INVITE' ? a.invitation('1002') : a.request(method, 'sip:1002@127.0.0.1');
      a.send(request);
      const refusal = await a.final(request);
      assert.equal(refusal.statusCode, 403, method);
      if (method === 'INVITE') a.ackRefusal(request, refusal);
    }
    assert.equal((await a.register()).statusCode, 403);
    assert.equal(b.has('INVITE'), false);
    await hangUp(a, b, call);
    assert.match(await calls.mml('DSP ATTACK STAT'), /127\.0\.0\.66 +BANNED(?: +0){6} +4 /);
    assert.match(await calls.mml(`RMV BLACKLIST: IP=${BANNED}`), /RETCODE = 0/);
    assert.equal((await a.register()).statusCode, 200);
  });

  test('who guesses is banned there, too', async () => {
    const guesser = await calls.phone('1003', { register: false, from: GUESSER, password: 'guess' });
    const answers: number[] = [];
    for (let i = 0; i < 5; i++) answers.push((await guesser.register()).statusCode);
    assert.deepEqual(answers, [401, 401, 401, 401, 403]);
  });
});
