import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../src/cdr/types.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp, mediaPort } from '../support/call-steps.js';
import { freeUdpPort } from '../support/free-port.js';
import type { SipPeer } from '../support/sip-peer.js';

describe('calls between phones of a whole server', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  before(async () => {
    calls = await startCallServer({ NO_ANSWER_SEC: '5' });
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls.close());

  /** The one record that this call has left. */
  async function record(): Promise<CallRecord> {
    const records = await calls.records(++count);
    const last = records.at(-1);
    assert.ok(last);
    assert.equal(last.callerNumber, '1001');
    return last;
  }

  const facts = ({ result, sipStatus, releaseParty, releaseReason }: CallRecord) => [
    result,
    sipStatus,
    releaseParty,
    releaseReason,
  ];

  test('RFC 3261 §13: digest, ringing, answer, and BYE of the caller', async () => {
    await hangUp(a, b, await connect(a, b));
    const { ringTime, answerTime, billSec, bCallIds, ...rest } = await record();
    assert.deepEqual(facts(rest as CallRecord), ['ANSWERED', 200, 'CALLER', 'normal-clearing']);
    assert.ok(ringTime !== undefined && answerTime !== undefined && ringTime <= answerTime);
    assert.equal(billSec, 1);
    assert.equal(bCallIds.length, 1);
  });

  test('RFC 3261 §15: BYE of the callee', async () => {
    const call = await connect(a, b);
    const bye = b.inDialog(call.b, 'BYE');
    await a.expectBye();
    assert.equal((await b.final(bye)).statusCode, 200);
    assert.deepEqual(facts(await record()), ['ANSWERED', 200, 'CALLEE', 'normal-clearing']);
  });

  test('RFC 3261 §9: CANCEL while it rings', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    a.cancel(invite);
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await b.next('ACK');
    a.ackRefusal(invite, await a.response(invite, 487));
    assert.deepEqual(facts(await record()), ['CANCELLED', 487, 'CALLER', 'caller-cancelled']);
  });

  for (const [status, result, reason] of [
    [486, 'BUSY', 'callee-busy'],
    [603, 'REJECTED', 'callee-rejected'],
    [503, 'FAILED', 'callee-failed'],
  ] as const)
    test(`RFC 3261 §16.7: ${status} of the callee`, async () => {
      const invite = await a.invite('1002');
      b.respond(await b.next('INVITE'), status);
      a.ackRefusal(invite, await a.response(invite, status));
      await b.next('ACK');
      assert.deepEqual(facts(await record()), [result, status, 'CALLEE', reason]);
    });

  test('RFC 3261 §21.4.18: nobody answers', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    b.respond(await b.next('CANCEL', 10_000), 200);
    b.respond(atB, 487);
    await b.next('ACK');
    a.ackRefusal(invite, await a.final(invite));
    assert.deepEqual(facts(await record()), ['NO_ANSWER', 480, 'SERVER', 'callee-no-answer']);
  });

  for (const [number, status, reason] of [
    ['9999', 404, 'callee-unknown'],
    ['1003', 480, 'callee-not-registered'],
  ] as const)
    test(`RFC 3261 §21.4: ${number} is ${status}`, async () => {
      const invite = await a.invite(number);
      a.ackRefusal(invite, await a.response(invite, status));
      assert.deepEqual(facts(await record()), ['FAILED', status, 'SERVER', reason]);
    });

  test('RFC 3261 §22.3: a wrong password is challenged again and calls nobody', async () => {
    const thief = await calls.phone('1001', { register: false, password: 'guessed-it' });
    const invite = await thief.invite('1002');
    thief.ackRefusal(invite, await thief.response(invite, 407));
    assert.equal(b.has('INVITE'), false);
    await calls.records(count);
  });

  for (const from of ['a', 'b'] as const)
    test(`RFC 3264 §8.4: hold and resume from ${from === 'a' ? 'the caller' : 'the callee'}`, async () => {
      const call = await connect(a, b);
      const [x, y] = from === 'a' ? [a, b] : [b, a];
      for (const [direction, answer, version] of [
        ['sendonly', 'recvonly', 2],
        ['sendrecv', 'sendrecv', 3],
      ] as const) {
        const request = x.inDialog(call[from], 'INVITE', { sdp: x.sdp(direction, version) });
        const atY = await y.next('INVITE');
        assert.match(atY.body.toString(), new RegExp(`a=${direction}`));
        y.respond(atY, 200, { sdp: y.sdp(answer, version) });
        assert.match((await x.response(request, 200)).body.toString(), new RegExp(`a=${answer}`));
        await y.next('ACK');
        x.ackIn(call[from], request.cseq?.seq ?? 0);
      }
      await hangUp(a, b, call);
      const { reinvites, holdMs } = await record();
      assert.equal(reinvites, 2);
      assert.ok(holdMs >= 0);
    });

  test('RFC 3264 §8.1: video is added', async () => {
    const call = await connect(a, b);
    const video = 'm=video 41500 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n';
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendrecv', 2) + video });
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp('sendrecv', 2) + video });
    const ok = await a.response(request, 200);
    await b.next('ACK');
    a.ackIn(call.a, request.cseq?.seq ?? 0);
    for (const message of [atB, ok]) assert.ok(![0, 41_500].includes(mediaPort(message, 'video') ?? 0));
    await hangUp(a, b, call);
    assert.equal((await record()).media.length, 2);
  });

  test('RFC 3261 §13.2.1: late offer', async () => {
    const invite = await a.invite('1002', null);
    b.respond(await b.next('INVITE'), 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    const dialog = a.ack(invite, ok, a.sdp());
    assert.ok((mediaPort(await b.next('ACK')) ?? 0) > 0);
    const bye = a.bye(dialog);
    await b.expectBye();
    await bye;
    assert.deepEqual(facts(await record()), ['ANSWERED', 200, 'CALLER', 'normal-clearing']);
  });

  test('RFC 3261 §16.7: of two phones the first to answer has the call', async () => {
    const second = await calls.phone('1002');
    const invite = await a.invite('1002');
    const [atB, atSecond] = await Promise.all([b.next('INVITE'), second.next('INVITE')]);
    b.respond(atB, 180);
    second.respond(atSecond, 180);
    second.respond(atSecond, 200, { sdp: second.sdp() });
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await b.next('ACK');
    const ok = await a.response(invite, 200);
    await second.next('ACK');
    const bye = a.bye(a.ack(invite, ok));
    await second.expectBye();
    await bye;
    const { attempts, calleePort } = await record();
    assert.deepEqual(attempts.map(({ sipStatus }) => sipStatus).sort(), [200, 487]);
    assert.equal(calleePort, second.port);
    await second.register(0);
  });

  test('RFC 3261 §12.2.2: a stranger that guessed the Call-ID hears 481, the call goes on', async () => {
    const call = await connect(a, b);
    const stranger = await calls.phone('1003', { register: false });
    const bye = stranger.inDialog({ ...call.a, localTag: 'guessed', localSeq: 50 }, 'BYE');
    assert.equal((await stranger.final(bye)).statusCode, 481);
    assert.equal(b.has('BYE'), false);
    await hangUp(a, b, call);
    await record();
  });

  test('an operator ends a call from the console: BYE to both phones', async () => {
    await connect(a, b);
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(await calls.server.mml('DSP CALL'))?.[0];
    const ended = calls.server.mml(`RMV CALL: ID=${id}, CONFIRM=YES`);
    await Promise.all([a.expectBye(), b.expectBye()]);
    assert.match(await ended, /RETCODE = 0|"retcode": ?0/i);
    assert.deepEqual(facts(await record()), ['ANSWERED', 200, 'OPERATOR', 'operator-ended']);
  });
});

test('RFC 3261 §21.5.4: without a media relay a call is 503 with Retry-After and an honest record', async () => {
  const relay = `rtpproxy+udp://127.0.0.1:${await freeUdpPort()}`;
  const calls = await startCallServer({ MEDIA_RELAY: relay });
  try {
    const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
    const invite = await a.invite('1002');
    const response = await a.response(invite, 503);
    a.ackRefusal(invite, response);
    assert.ok(Number(response.get('retry-after')) > 0);
    assert.equal(b.has('INVITE'), false);
    const [record] = await calls.records(1);
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.billSec],
      ['FAILED', 'media-unavailable', 0],
    );
  } finally {
    await calls.close();
  }
});
