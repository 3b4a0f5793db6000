// Faults that users of the old server knew, one block each (docs/old-server.md): signalling.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../src/sip/message.js';
import { serialize } from '../../src/sip/serialize.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

let calls: CallServer;
let a: SipPeer;
let b: SipPeer;
let c: SipPeer;
let d: SipPeer;

before(async () => {
  calls = await startCallServer();
  a = await calls.phone('1001');
  b = await calls.phone('1002');
  c = await calls.phone('1003');
  d = await calls.phone('1004');
});

after(() => calls?.close());

/** An answer, passed by the server once more: every request before it has been dealt with. */
async function serverIsThrough(phone: SipPeer): Promise<void> {
  const options = phone.request('OPTIONS', 'sip:127.0.0.1');
  phone.send(options);
  assert.equal((await phone.final(options)).statusCode, 200);
}

describe('fault 1: everything was keyed by Call-ID', () => {
  /** Two calls with one Call-ID, CSeq numbers alike, from two phones to two phones, both ringing. */
  async function twoRinging(callId: string) {
    const sameCallId = (invite: SipRequest): void => void invite.set('Call-ID', callId);
    const [fromA, fromC] = [
      await a.invite('1002', a.sdp(), sameCallId),
      await c.invite('1004', c.sdp(), sameCallId),
    ];
    const [atB, atD] = [await b.next('INVITE'), await d.next('INVITE')];
    b.respond(atB, 180);
    d.respond(atD, 180);
    await Promise.all([a.response(fromA, 180), c.response(fromC, 180)]);
    return { fromA, fromC, atB, atD };
  }

  test('RFC 3261 §17.2.3: two calls that share a Call-ID each get their own answers', async () => {
    const { fromA, fromC, atB, atD } = await twoRinging('shared-1');
    d.respond(atD, 486);
    c.ackRefusal(fromC, await c.response(fromC, 486));
    await d.next('ACK');
    b.respond(atB, 200, { sdp: b.sdp() });
    const dialog = a.ack(fromA, await a.response(fromA, 200));
    await b.next('ACK');
    const bye = a.bye(dialog);
    await b.expectBye();
    assert.equal((await bye).statusCode, 200);
    const results = (await calls.recordsOf('shared-1', 2)).map(({ callerNumber, result }) => [
      callerNumber,
      result,
    ]);
    assert.deepEqual(results.sort(), [
      ['1001', 'ANSWERED'],
      ['1003', 'BUSY'],
    ]);
  });

  test('RFC 3261 §9.2: the 200 is the CANCEL’s, the 487 the INVITE’s, and the other call rings on', async () => {
    const { fromA, fromC, atB, atD } = await twoRinging('shared-2');
    const cancel = a.cancel(fromA);
    assert.equal((await a.response(cancel, 200)).cseq?.method, 'CANCEL');
    a.ackRefusal(fromA, await a.response(fromA, 487));
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await b.next('ACK');
    d.respond(atD, 200, { sdp: d.sdp() });
    const dialog = c.ack(fromC, await c.response(fromC, 200));
    await d.next('ACK');
    assert.equal(d.has('CANCEL'), false);
    assert.ok(!c.log.some((message) => message.type === 'response' && message.statusCode === 487));
    const bye = c.bye(dialog);
    await d.expectBye();
    assert.equal((await bye).statusCode, 200);
  });

  test('RFC 3262 §3: a PRACK’s answer is no answer to the INVITE: that comes to the caller, later', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    const ringing = await a.response(invite, 180);
    const early = {
      ...{ callId: invite.callId ?? '', localUri: invite.from?.uri ?? '', localTag: invite.fromTag ?? '' },
      ...{ remoteUri: ringing.to?.uri ?? '', remoteTag: ringing.toTag ?? '', routeSet: [] },
      ...{ remoteTarget: invite.requestUri, localSeq: invite.cseq?.seq ?? 1 },
    };
    const prack = a.inDialog(early, 'PRACK', { headers: { RAck: `1 ${invite.cseq?.seq} INVITE` } });
    assert.equal((await a.final(prack)).cseq?.method, 'PRACK');
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    assert.equal(ok.cseq?.method, 'INVITE');
    await b.next('ACK');
    const bye = a.bye(a.ack(invite, ok));
    await b.expectBye();
    await bye;
  });
});

describe('fault 2: repeats were swallowed, and answers of the callee dropped', () => {
  test('RFC 3261 §17.2.2: a BYE that is repeated is answered again', async () => {
    const call = await connect(a, b);
    const bye = a.inDialog(call.a, 'BYE');
    await b.expectBye();
    assert.equal((await a.final(bye)).statusCode, 200);
    const answers = () =>
      a.log.filter((message) => message.type === 'response' && message.topVia?.branch === bye.topVia?.branch);
    for (let repeat = 2; repeat <= 4; repeat++) {
      a.send(bye);
      await waitFor(`answer ${repeat}`, () => answers().length === repeat);
    }
    assert.equal(new Set(answers().map((answer) => serialize(answer).toString())).size, 1);
    assert.equal(b.has('BYE'), false);
  });

  test('RFC 3261 §13.3.1.4: an ACK that is repeated harms nothing', async () => {
    const call = await connect(a, b);
    const seq = call.invite.cseq?.seq ?? 1;
    for (let repeat = 0; repeat < 3; repeat++) a.ackIn(call.a, seq);
    const info = a.inDialog(call.a, 'INFO', {
      headers: { 'Content-Type': 'text/plain' },
      body: 'still there',
    });
    b.respond(await b.next('INFO'), 200);
    assert.equal((await a.final(info)).statusCode, 200);
    assert.equal(b.has('BYE'), false);
    await hangUp(a, b, call);
  });

  test('RFC 3261 §13.3.1.4: a 200 that is repeated gets its ACK again', async () => {
    const call = await connect(a, b);
    const acks = () =>
      b.log.filter((message) => message.type === 'request' && message.method === 'ACK').length;
    const before = acks();
    b.respond(call.atB, 200, { sdp: b.sdp() });
    await waitFor('the ACK', () => acks() === before + 1);
    await hangUp(a, b, call);
  });

  for (const status of [482, 483, 500, 502, 503, 504])
    test(`RFC 3261 §16.7: ${status} of the callee reaches the caller, and a record`, async () => {
      const invite = await a.invite('1002');
      b.respond(await b.next('INVITE'), status);
      const refusal = await a.final(invite);
      a.ackRefusal(invite, refusal);
      await b.next('ACK');
      assert.equal(refusal.statusCode, status);
      const [record] = await calls.recordsOf(invite.callId);
      assert.deepEqual(
        [record?.result, record?.sipStatus, record?.releaseParty],
        ['FAILED', status, 'CALLEE'],
      );
      assert.deepEqual(
        record?.attempts.map(({ sipStatus }) => sipStatus),
        [status],
      );
    });
});

describe('fault 5: INFO was refused, requests outside a call got no answer', () => {
  test('RFC 6086 §4: INFO goes through both ways, and its DTMF digits are counted', async () => {
    const call = await connect(a, b);
    for (const [from, to, dialog, signal] of [
      [a, b, call.a, '5'],
      [b, a, call.b, '#'],
      [a, b, call.a, '0'],
    ] as const) {
      const headers = { 'Content-Type': 'application/dtmf-relay' };
      const body = `Signal=${signal}\r\nDuration=160\r\n`;
      const info = from.inDialog(dialog, 'INFO', { headers, body });
      const arrived = await to.next('INFO');
      assert.equal(arrived.body.toString(), body);
      assert.equal(arrived.get('content-type'), headers['Content-Type']);
      to.respond(arrived, 200);
      assert.equal((await from.final(info)).statusCode, 200);
    }
    await hangUp(a, b, call);
    const [record] = await calls.recordsOf(call.invite.callId);
    assert.equal(record?.dtmfCount, 3);
  });

  for (const method of ['SUBSCRIBE', 'REFER', 'MESSAGE', 'PUBLISH', 'NOTIFY', 'INFO', 'NONSENSE'])
    test(`RFC 3261 §8.2: ${method} outside a call gets a final answer and rings nobody`, async () => {
      const request = a.request(method, 'sip:1002@127.0.0.1');
      request
        .append('Contact', a.contact)
        .append('Event', 'presence')
        .append('Refer-To', '<sip:1003@127.0.0.1>');
      a.send(request);
      const { statusCode } = await a.final(request);
      assert.ok(statusCode >= 200 && statusCode < 500, `${statusCode}`);
      assert.equal(b.has(method), false);
      await serverIsThrough(a);
    });
});
