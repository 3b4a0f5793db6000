// Faults that users of the old server knew, one block each (docs/old-server.md): registrations and records.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../src/cdr/types.js';
import type { SipRequest } from '../../src/sip/message.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { freeUdpPort } from '../support/free-port.js';
import type { SipPeer } from '../support/sip-peer.js';
import { talkSeconds } from '../support/talk-seconds.js';
import { waitFor } from '../support/wait-for.js';

const facts = (record: CallRecord | undefined) => [record?.result, record?.sipStatus, record?.releaseReason];

describe('fault 4: a second phone wiped the first, and a restart wiped all', () => {
  let calls: CallServer;
  let desk: SipPeer;
  let mobile: SipPeer;
  before(async () => {
    calls = await startCallServer();
    desk = await calls.phone('1001', { register: false });
    mobile = await calls.phone('1001', { register: false });
  });
  after(() => calls?.close());

  /** A REGISTER of that phone with these Contacts. */
  const register = (phone: SipPeer, contact: string, ...more: [string, string][]): SipRequest => {
    const request = phone.request('REGISTER', 'sip:127.0.0.1', 'sip:1001@127.0.0.1');
    if (contact !== '') request.append('Contact', contact);
    for (const [name, value] of more) request.append(name, value);
    return request;
  };
  const contacts = async (): Promise<number[]> => {
    const answer = await desk.withCredentials(register(desk, ''));
    assert.equal(answer.statusCode, 200);
    return answer.list('contact').map((contact) => Number(/:(\d+)[>;]/.exec(contact)?.[1]));
  };
  const both = () => [desk.port, mobile.port].sort();

  test('RFC 3261 §10.3: a second phone is added to the first, and both ring', async () => {
    for (const phone of [desk, mobile]) assert.equal((await phone.register()).statusCode, 200);
    assert.deepEqual((await contacts()).sort(), both());
    const caller = await calls.phone('1002');
    const invite = await caller.invite('1001');
    for (const phone of [desk, mobile]) phone.respond(await phone.next('INVITE'), 180);
    caller.cancel(invite);
    for (const phone of [desk, mobile]) phone.respond(await phone.next('CANCEL'), 200);
    caller.ackRefusal(invite, await caller.response(invite, 487));
  });

  test('bindings survive a restart, even a kill -9', async () => {
    await calls.server.kill('SIGKILL');
    await calls.restart();
    assert.deepEqual((await contacts()).sort(), both());
  });

  test('RFC 3261 §21.4.17: an interval too brief is 423 with Min-Expires, and one phone can leave alone', async () => {
    const brief = await desk.withCredentials(register(desk, desk.contact, ['Expires', '5']));
    assert.equal(brief.statusCode, 423);
    assert.equal(brief.get('min-expires'), '60');
    assert.equal((await mobile.register(0)).statusCode, 200);
    assert.deepEqual(await contacts(), [desk.port]);
  });

  test('RFC 3261 §10.2.2: Contact: * takes all away', async () => {
    await mobile.register();
    const all = await mobile.withCredentials(register(mobile, '*', ['Expires', '0']));
    assert.equal(all.statusCode, 200);
    assert.deepEqual(await contacts(), []);
  });
});

describe('fault 8: records were missing or wrong', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer();
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  for (const [number, status, result, reason] of [
    ['1003', 480, 'FAILED', 'callee-not-registered'],
    ['9999', 404, 'FAILED', 'callee-unknown'],
  ] as const)
    test(`a call to ${number}: ${status} and its record`, async () => {
      const invite = await a.invite(number);
      a.ackRefusal(invite, await a.response(invite, status));
      const [record] = await calls.recordsOf(invite.callId);
      assert.deepEqual(facts(record), [result, status, reason]);
      assert.equal(record?.dialledNumber, number);
    });

  for (const [answer, status, result, reason] of [
    [302, 480, 'FAILED', 'callee-redirected'],
    [480, 480, 'NO_ANSWER', 'callee-unavailable'],
    [486, 486, 'BUSY', 'callee-busy'],
    [503, 503, 'FAILED', 'callee-failed'],
    [603, 603, 'REJECTED', 'callee-rejected'],
  ] as const)
    test(`a phone that says ${answer}: a record with the phone’s own status`, async () => {
      const invite = await a.invite('1002');
      const contact = { Contact: '<sip:1003@127.0.0.1>' };
      b.respond(await b.next('INVITE'), answer, answer === 302 ? { headers: contact } : {});
      a.ackRefusal(invite, await a.response(invite, status));
      await b.next('ACK');
      const [record] = await calls.recordsOf(invite.callId);
      assert.deepEqual(facts(record), [result, status, reason]);
      assert.equal(record?.attempts[0]?.sipStatus, answer);
    });

  test('ringing has its time, and numbers are bare however they were written', async () => {
    const invite = await a.invite('1002', a.sdp(), (request) => {
      request.requestUri = 'sip:1002@127.0.0.1:5060;user=phone';
      request.set('From', '"Li Si" <sip:1001@127.0.0.1;user=phone>;tag=li-si');
      request.set('To', '"Wang, Wu" <sip:1002@127.0.0.1:5060;user=phone>');
    });
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    b.respond(atB, 200, { sdp: b.sdp() });
    const dialog = a.ack(invite, await a.response(invite, 200));
    await b.next('ACK');
    const bye = a.bye(dialog);
    await b.expectBye();
    await bye;
    const [record] = await calls.recordsOf(invite.callId);
    assert.ok(record?.ringTime !== undefined && record.answerTime !== undefined);
    assert.ok(record.startTime <= record.ringTime && record.ringTime <= record.answerTime);
    assert.deepEqual([record.callerNumber, record.callerName], ['1001', 'Li Si']);
    assert.deepEqual([record.dialledNumber, record.calleeNumber], ['1002', '1002']);
    const report = await calls.server.mml('LST CDR: LIMIT=1, TYPE=CALL');
    assert.match(report, /1001 +1002 +1002 +ANSWERED/);
    assert.doesNotMatch(report, /<|sip:/);
  });
});

describe('fault 8: the end of the server left no record', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer({ DRAIN_SEC: '0', CALL_RESTORE_SEC: '0' });
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  test('a shutdown ends a call that is up with BYE both ways, one that rings with 503, each with its record', async () => {
    const up = await connect(a, b);
    const ringing = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(ringing, 180);
    const stopped = calls.server.kill('SIGTERM');
    a.ackRefusal(ringing, await a.response(ringing, 503));
    await Promise.all([a.expectBye(), b.expectBye()]);
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await stopped;
    const [answered] = await calls.recordsOf(up.invite.callId);
    assert.equal(answered?.releaseReason, 'server-shutdown');
    assert.ok(answered.answerTime !== undefined && answered.billSec >= 1);
    const [unanswered] = await calls.recordsOf(ringing.callId);
    assert.deepEqual(facts(unanswered), ['ABNORMAL', 503, 'server-shutdown']);
    assert.deepEqual([unanswered?.billSec, unanswered?.answerTime], [0, undefined]);
    await calls.restart();
  });

  test('a kill -9 leaves one closed record for each call, written by the next start', async () => {
    const up = await connect(a, b);
    await waitFor('a call that has talked', async () => (await talkSeconds(calls.server))[0]! >= 2);
    await calls.server.kill('SIGKILL');
    await calls.restart();
    const [record] = await calls.recordsOf(up.invite.callId);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'server-crashed']);
    assert.ok((record?.billSec ?? 0) >= 1);
  });
});

test('fault 8: no relay: 503 and its record', async () => {
  const calls = await startCallServer({ MEDIA_RELAY: `rtpproxy+udp://127.0.0.1:${await freeUdpPort()}` });
  try {
    const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
    const invite = await a.invite('1002');
    a.ackRefusal(invite, await a.response(invite, 503));
    assert.equal(b.has('INVITE'), false);
    const [record] = await calls.recordsOf(invite.callId);
    assert.deepEqual(facts(record), ['FAILED', 503, 'media-unavailable']);
  } finally {
    await calls.close();
  }
});

test('a call is carried to its end while the server drains, and new ones hear 503', async () => {
  const calls = await startCallServer({ DRAIN_SEC: '30' });
  try {
    const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
    const up = await connect(a, b);
    const stopped = calls.server.kill('SIGINT');
    await waitFor('draining', async () => /draining/i.test(await calls.server.mml('DSP SYSINFO')));
    const late = a.invitation('1002');
    a.send(late);
    const refusal = await a.final(late);
    a.ackRefusal(late, refusal);
    assert.equal(refusal.statusCode, 503);
    await hangUp(a, b, up);
    await stopped;
    const [record] = await calls.recordsOf(up.invite.callId);
    assert.deepEqual(facts(record), ['ANSWERED', 200, 'normal-clearing']);
  } finally {
    await calls.close();
  }
});
