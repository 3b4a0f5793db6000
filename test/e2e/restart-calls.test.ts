import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { encodeLine } from '../../src/cdr/journal/journal-line.js';
import type { CallRecord } from '../../src/cdr/types.js';
import { Phone } from '../../src/testkit/phone.js';
import { connect, hangUp, mediaPort, type UpCall } from '../support/call-steps.js';
import { startEngineProcess, startRelayProcess } from '../support/part-process.js';
import { needsBuiltInEngine } from '../support/parts.js';
import { callRecords } from '../support/records.js';
import { startServer, type TestServer } from '../support/server.js';
import { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const PASSWORD = 'goes-on';
const USERS = { 1001: PASSWORD, 1002: PASSWORD, 1003: PASSWORD };

/** A server with two phones in a call that has been kept. */
interface Up {
  server: TestServer;
  readonly a: SipPeer;
  readonly b: SipPeer;
  readonly call: UpCall;
  readonly close: () => Promise<void>;
}

async function openPeer(server: TestServer, username: string): Promise<SipPeer> {
  const at = { address: server.address, port: server.udpPort };
  const peer = await SipPeer.open({ username, password: PASSWORD, server: at });
  assert.equal((await peer.register()).statusCode, 200);
  return peer;
}

async function callUp(env: Record<string, string> = {}): Promise<Up> {
  const server = await startServer({ users: USERS, env: { DRAIN_SEC: '0', ...env } });
  const a = await openPeer(server, '1001');
  const b = await openPeer(server, '1002');
  const call = await connect(a, b);
  if (env['CALL_RESTORE_SEC'] !== '0') await isKept(server, call);
  const up: Up = {
    server,
    a,
    b,
    call,
    close: async () => {
      await Promise.all([a.close(), b.close()]);
      await up.server.close();
    },
  };
  return up;
}

/** Waits until all that a restart needs of a call is on disk: a tenth of a second on an idle machine. */
async function isKept(server: TestServer, { invite, atB }: UpCall): Promise<void> {
  const { dataDir } = server;
  const [ofA, ofB] = [invite.callId ?? '', atB.callId ?? ''];
  await waitFor('the call to be kept', () => {
    const dialogs = readFileSync(join(dataDir, 'dialogs.journal'), 'utf8');
    const isInJournal = journalOf(server).some((line) => line.includes('"k":"state"') && line.includes(ofA));
    return isInJournal && dialogs.includes(ofA) && dialogs.includes(ofB);
  });
}

function journalOf({ dataDir }: TestServer): string[] {
  const directory = join(dataDir, 'journal');
  return readdirSync(directory).flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
}

/** The server dies or is stopped, and comes back; its phones are asked whether they are still there. */
async function comeBack(up: Up, signal: NodeJS.Signals): Promise<void> {
  await up.server.kill(signal);
  up.server = await up.server.restart();
  for (const phone of [up.a, up.b]) phone.respond(await phone.next('OPTIONS'), 200);
}

async function onlyRecord(up: Up): Promise<CallRecord> {
  const [record] = await callRecords(up.server, 1);
  return record!;
}

function assertWhole(record: CallRecord, restarts: number): void {
  assert.deepEqual([record.result, record.releaseReason], ['ANSWERED', 'normal-clearing']);
  assert.equal(record.extra?.['restarts'], String(restarts));
  const { answerTime = 0, endTime, billSec, durationMs } = record;
  assert.ok(
    billSec === Math.ceil((endTime - answerTime) / 1000),
    `${billSec} s of ${endTime - answerTime} ms`,
  );
  assert.ok(durationMs >= endTime - answerTime);
  assert.equal(record.callerNumber, '1001');
  assert.equal(record.calleeNumber, '1002');
}

describe('calls that are up when the server ends go on', { skip: needsBuiltInEngine }, () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    for (const who of ['caller', 'callee'] as const)
      test(`${signal}: BYE of the ${who} ends the other side, and one record holds the whole call`, async (t) => {
        const up = await callUp();
        t.after(up.close);
        const before = Date.now();
        await comeBack(up, signal);
        const { a, b, call } = up;
        if (who === 'caller') await hangUp(a, b, call);
        else {
          const answer = b.bye(call.b);
          const bye = await a.expectBye();
          assert.equal(bye.callId, call.invite.callId);
          assert.equal((await answer).statusCode, 200);
        }
        const record = await onlyRecord(up);
        assertWhole(record, 1);
        assert.ok(record.endTime >= before, 'the record ends after the restart');
        assert.equal(record.releaseParty, who === 'caller' ? 'CALLER' : 'CALLEE');
      });

  test('re-INVITE of either side, INFO both ways, and a second kill -9', async (t) => {
    const up = await callUp();
    t.after(up.close);
    await comeBack(up, 'SIGKILL');
    const { a, b, call } = up;
    // RFC 3261 §14, RFC 3264 §8.4: hold by the caller goes to the callee with the relay's ports, and back.
    const hold = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    assert.match(atB.body.toString(), /a=sendonly/);
    assert.ok(
      (atB.cseq?.seq ?? 0) > (call.atB.cseq?.seq ?? 0),
      'a higher number than any before (RFC 3261 §12.2.1.1)',
    );
    assert.equal(mediaPort(atB), mediaPort(call.atB), 'the port of before the restart');
    assert.equal(sessId(atB), sessId(call.atB), 'the session of before the restart (RFC 3264 §8)');
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    const held = await a.response(hold, 200);
    assert.equal(mediaPort(held), mediaPort(call.ok));
    a.ackIn(call.a, hold.cseq?.seq ?? 0);
    await b.next('ACK');
    assert.match(await up.server.mml('DSP CALL'), /held/);
    await waitFor('the hold to be kept', () =>
      journalOf(up.server).some((line) => line.includes('"held":["a"]')),
    );

    await comeBack(up, 'SIGKILL');
    assert.match(await up.server.mml('DSP CALL'), /held/);
    const resume = b.inDialog(call.b, 'INVITE', { sdp: b.sdp('sendrecv', 3) });
    const atA = await a.next('INVITE');
    assert.equal(mediaPort(atA), mediaPort(call.ok));
    a.respond(atA, 200, { sdp: a.sdp('sendrecv', 3) });
    await b.response(resume, 200);
    b.ackIn(call.b, resume.cseq?.seq ?? 0);
    await a.next('ACK');
    for (const [from, to, dialog] of [
      [a, b, call.a],
      [b, a, call.b],
    ] as const) {
      const headers = { 'Content-Type': 'application/dtmf-relay' };
      const info = from.inDialog(dialog, 'INFO', { headers, body: 'Signal=5\r\nDuration=160\r\n' });
      const passed = await to.next('INFO');
      assert.match(passed.body.toString(), /Signal=5/);
      to.respond(passed, 200);
      assert.equal((await from.final(info)).statusCode, 200);
    }
    await hangUp(a, b, call);
    const record = await onlyRecord(up);
    assertWhole(record, 2);
    assert.deepEqual([record.reinvites, record.dtmfCount], [2, 2]);
    assert.ok(record.holdMs > 300, 'on hold over the second restart');
    // A start later finds nothing more to tell.
    await up.server.kill('SIGKILL');
    up.server = await up.server.restart();
    await callRecords(up.server, 1);
  });

  test('a BYE that comes while the server starts is heard', async (t) => {
    const up = await callUp();
    t.after(up.close);
    const { a, b, call } = up;
    await up.server.kill('SIGKILL');
    const bye = a.inDialog(call.a, 'BYE');
    const restarted = up.server.restart();
    const repetition = setInterval(() => a.send(bye), 100);
    up.server = await restarted;
    await b.expectBye();
    assert.equal((await a.final(bye)).statusCode, 200);
    clearInterval(repetition);
    assertWhole(await onlyRecord(up), 1);
  });

  test('a phone that has gone ends the call', async (t) => {
    const up = await callUp();
    t.after(up.close);
    const { a, b, call } = up;
    await up.server.kill('SIGKILL');
    up.server = await up.server.restart();
    // RFC 3261 §12.2.1.2: 481 says that the phone does not have the call any more.
    b.respond(await b.next('OPTIONS'), 481);
    assert.equal((await a.expectBye()).callId, call.invite.callId);
    const record = await onlyRecord(up);
    assert.deepEqual([record.result, record.releaseReason], ['ABNORMAL', 'dialog-lost']);
  });

  test('RFC 5626 §4.5: a phone over TCP comes back by a new connection, and hears the BYE of the other there', async (t) => {
    const server = await startServer({ users: USERS, env: { DRAIN_SEC: '0' } });
    let now = server;
    const overTcp = (): Promise<SipPeer> =>
      SipPeer.open({
        username: '1001',
        password: PASSWORD,
        transport: 'tcp',
        server: { address: server.address, port: server.tcpPort },
      });
    const [former, b] = [await overTcp(), await openPeer(server, '1002')];
    let a = former;
    t.after(async () => {
      await Promise.all([former.close(), a.close(), b.close()]);
      await now.close();
    });
    assert.equal((await former.register()).statusCode, 200);
    const call = await connect(former, b);
    await isKept(server, call);
    await server.kill('SIGKILL');
    now = await server.restart();
    b.respond(await b.next('OPTIONS'), 200);
    a = await overTcp();
    assert.equal((await a.register()).statusCode, 200);
    // What it sends by the new connection is of its old call; what is sent to it goes there.
    const info = a.inDialog(call.a, 'INFO', {
      headers: { 'Content-Type': 'text/plain' },
      body: 'still there',
    });
    b.respond(await b.next('INFO'), 200);
    assert.equal((await a.final(info)).statusCode, 200);
    const bye = b.bye(call.b);
    assert.equal((await a.expectBye()).callId, call.invite.callId);
    assert.equal((await bye).statusCode, 200);
    const [record] = await callRecords(now, 1);
    assertWhole(record!, 1);
  });

  test('RFC 5589 §6.1: a call that was transferred goes on between the two that are left', async (t) => {
    const up = await callUp();
    const c = await openPeer(up.server, '1003');
    t.after(async () => {
      await c.close();
      await up.close();
    });
    const { a, b, call } = up;
    const headers = { 'Refer-To': '<sip:1003@127.0.0.1>', Contact: a.contact };
    assert.equal((await a.final(a.inDialog(call.a, 'REFER', { headers }))).statusCode, 202);
    const atC = await c.next('INVITE');
    c.respond(atC, 200, { sdp: c.sdp() });
    await c.next('ACK');
    const offer = await b.next('INVITE');
    b.respond(offer, 200, { sdp: b.sdp('sendrecv', 2) });
    await b.next('ACK');
    // Each NOTIFY waits for the answer to the one before.
    const answering = setInterval(() => {
      while (a.has('NOTIFY')) void a.next('NOTIFY').then((notify) => a.respond(notify, 200));
    }, 20);
    await a.expectBye().finally(() => clearInterval(answering));
    const [ofB, ofC] = [call.atB.callId ?? '', atC.callId ?? ''];
    await waitFor('the transfer to be kept', () =>
      journalOf(up.server).some((line) => ['"k":"state"', ofB, ofC].every((part) => line.includes(part))),
    );
    await up.server.kill('SIGKILL');
    up.server = await up.server.restart();
    for (const phone of [b, c]) phone.respond(await phone.next('OPTIONS'), 200);
    const bye = b.bye(call.b);
    assert.equal((await c.expectBye()).callId, ofC);
    assert.equal((await bye).statusCode, 200);
    const record = await onlyRecord(up);
    assert.deepEqual(
      [record.result, record.transferredBy, record.transferredTo, record.extra?.['restarts']],
      ['ANSWERED', '1001', '1003', '1'],
    );
    assert.equal(record.attempts.length, 2);
  });

  test('the longest duration goes on to count', async (t) => {
    const up = await callUp({ MAX_CALL_SEC: '4' });
    t.after(up.close);
    await up.server.kill('SIGKILL');
    up.server = await up.server.restart();
    await Promise.all([up.a.expectBye(), up.b.expectBye()]);
    const record = await onlyRecord(up);
    assert.equal(record.releaseReason, 'duration-exceeded');
    assert.ok(record.billSec >= 4, `${record.billSec} s of 4`);
  });

  test('media flows again through the same ports within two seconds of the start', async (t) => {
    const server = await startServer({ users: USERS, env: { DRAIN_SEC: '0' } });
    let now = server;
    const [caller, callee] = [await openPhone(server, '1001', 440), await openPhone(server, '1002', 1000)];
    t.after(async () => {
      await Promise.all([caller.close(), callee.close()]);
      await now.close();
    });
    const incoming = callee.nextIncoming();
    const call = await caller.call('1002');
    const answered = await incoming;
    const hears = (): boolean =>
      call.rtp.counters([1000]).heardHz === 1000 && answered.rtp.counters([440]).heardHz === 440;
    await waitFor('tones', hears);
    await waitFor('the call to be kept', () =>
      journalOf(server).some((line) => line.includes('"k":"state"')),
    );
    await server.kill('SIGKILL');
    const before = [call.rtp.counters().received, answered.rtp.counters().received];
    now = await server.restart();
    const ready = Date.now();
    await waitFor('media of both', () =>
      [call.rtp, answered.rtp].every((rtp, i) => rtp.counters().received > before[i]! + 10),
    );
    assert.ok(Date.now() - ready < 2000, `${Date.now() - ready} ms after the server took calls`);
    assert.equal(await call.hangUp(), 200);
    assert.equal(await answered.ended, 'there');
    const [record] = await callRecords(now, 1);
    assertWhole(record!, 1);
    assert.ok((record?.media[0]?.packetsFromA ?? 0) > 0);
  });
});

test('with an engine and a relay of their own media is not interrupted, and a BYE waits for call control', async (t) => {
  const [engine, relay] = await Promise.all([startEngineProcess(), startRelayProcess()]);
  const env = { DRAIN_SEC: '0', SIP_ENGINE: engine.url, MEDIA_RELAY: relay.url };
  let server = await startServer({ users: USERS, env });
  const phones = [await openPhone(server, '1001', 440), await openPhone(server, '1002', 1000)] as const;
  t.after(async () => {
    await Promise.all(phones.map((phone) => phone.close()));
    await server.close();
    await Promise.all([engine.close(), relay.close()]);
  });
  const [caller, callee] = phones;
  const incoming = callee.nextIncoming();
  const call = await caller.call('1002');
  const answered = await incoming;
  await waitFor('media', () => answered.rtp.counters().received > 20);
  await waitFor('the call to be kept', () => journalOf(server).some((line) => line.includes('"k":"state"')));
  await server.kill('SIGKILL');
  const before = answered.rtp.counters().received;
  await waitFor('media without a server', () => answered.rtp.counters().received > before + 50);
  const ended = call.hangUp();
  server = await server.restart();
  assert.equal(await ended, 200);
  assert.equal(await answered.ended, 'there');
  const [record] = await callRecords(server, 1);
  assertWhole(record!, 1);
  assert.ok((record?.media[0]?.packetsFromA ?? 0) > before, 'the figures are of the whole call');
});

describe('calls that cannot go on', { skip: needsBuiltInEngine }, () => {
  test('CALL_RESTORE_SEC=0: a stop ends them with BYE, a kill -9 costs them', async (t) => {
    const up = await callUp({ CALL_RESTORE_SEC: '0' });
    t.after(up.close);
    const { a, b } = up;
    const stopped = up.server.kill('SIGTERM');
    await Promise.all([a.expectBye(), b.expectBye()]);
    await stopped;
    up.server = await up.server.restart();
    assert.equal((await onlyRecord(up)).releaseReason, 'server-shutdown');
    const call = await connect(a, b);
    const callId = call.invite.callId ?? '';
    await waitFor('its record', () => journalOf(up.server).some((line) => line.includes(callId)));
    await up.server.kill('SIGKILL');
    up.server = await up.server.restart();
    const [record] = await callRecords(up.server, 2);
    assert.equal(record?.releaseReason, 'server-crashed');
    assert.equal((await a.bye(call.a)).statusCode, 481);
  });

  test('away for too long: both phones hear BYE, and the record ends when the call was last known alive', async (t) => {
    const up = await callUp({ CALL_RESTORE_SEC: '1' });
    t.after(up.close);
    await up.server.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    up.server = await up.server.restart();
    await Promise.all([up.a.expectBye(), up.b.expectBye()]);
    const record = await onlyRecord(up);
    assert.deepEqual([record.result, record.releaseReason], ['ABNORMAL', 'server-crashed']);
  });

  test('what was kept is rubbish: the server starts, says so, and the record is closed', async (t) => {
    const up = await callUp();
    t.after(up.close);
    const { server, call } = up;
    await server.kill('SIGKILL');
    const record = openRecordOf(server);
    appendFileSync(
      record.segment,
      encodeLine({ k: 'state', id: record.id, state: { v: 1, a: 'no leg', parties: ['nobody'] } }),
    );
    appendFileSync(join(server.dataDir, 'dialogs.journal'), '{"put":{"v":1,"id":5}}\nrubbish\n{"put":');
    up.server = await server.restart();
    const [closed] = await callRecords(up.server, 1);
    assert.deepEqual([closed?.result, closed?.releaseReason], ['ABNORMAL', 'server-crashed']);
    assert.match(up.server.output(), /what was kept cannot be read/);
    assert.match(up.server.output(), /not all dialogs of the last run are taken over/);
    assert.equal((await up.a.bye(call.a)).statusCode, 481);
    await hangUp(up.a, up.b, await connect(up.a, up.b));
    await callRecords(up.server, 2);
  });

  test('the engine’s dialogs are gone: the call ends, with its record', async (t) => {
    const up = await callUp();
    t.after(up.close);
    await up.server.kill('SIGKILL');
    rmSync(join(up.server.dataDir, 'dialogs.journal'));
    up.server = await up.server.restart();
    const record = await onlyRecord(up);
    assert.deepEqual([record.result, record.releaseReason], ['ABNORMAL', 'dialog-lost']);
  });

  test('another has a media port: the call ends with BYE both ways', async (t) => {
    const up = await callUp();
    t.after(up.close);
    await up.server.kill('SIGKILL');
    const thief = createSocket('udp4');
    t.after(() => thief.close());
    await new Promise<void>((resolve) => thief.bind(mediaPort(up.call.ok)!, resolve));
    up.server = await up.server.restart();
    await Promise.all([up.a.expectBye(), up.b.expectBye()]);
    const record = await onlyRecord(up);
    assert.deepEqual([record.result, record.releaseReason], ['ABNORMAL', 'media-failed']);
  });
});

function openPhone(server: TestServer, username: '1001' | '1002', toneHz: number): Promise<Phone> {
  const at = { address: server.address, port: server.udpPort };
  const options = { username, password: PASSWORD, domain: 'ims', address: '127.0.0.1', toneHz };
  return Phone.open({ ...options, server: at }).then(async (phone) => {
    await phone.register(600);
    return phone;
  });
}

/** Id in the o= line. */
function sessId(message: { readonly body: Buffer }): string | undefined {
  return /^o=\S+ (\S+)/m.exec(message.body.toString())?.[1];
}

/** The last record that the journal has opened, and the segment that it is in. */
function openRecordOf({ dataDir }: TestServer): { id: string; segment: string } {
  const directory = join(dataDir, 'journal');
  for (const name of readdirSync(directory).sort().reverse()) {
    const segment = join(directory, name);
    const id = [
      ...readFileSync(segment, 'utf8').matchAll(/"k":"open","facts":\{.*?"id":"(\w+)","type":"CALL"/g),
    ].at(-1);
    if (id) return { id: id[1]!, segment };
  }
  throw new Error('no record in the journal');
}
