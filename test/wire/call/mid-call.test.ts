import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp, type UpCall } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('a request inside a call', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let call: UpCall;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones());
  });
  after(() => rig.close());
  beforeEach(async () => {
    call = await connect(a, b);
  });
  afterEach(async () => {
    await hangUp(a, b, call);
    await rig.records(++count);
  });

  test('RFC 6086 §4: INFO goes through with its body, its answer comes back, and DTMF is counted', async () => {
    const headers = { 'Content-Type': 'application/dtmf-relay' };
    const info = a.inDialog(call.a, 'INFO', { headers, body: 'Signal=5\r\nDuration=160\r\n' });
    const atB = await b.next('INFO');
    assert.equal(atB.body.toString(), 'Signal=5\r\nDuration=160\r\n');
    assert.equal(atB.get('content-type'), 'application/dtmf-relay');
    b.respond(atB, 200);
    assert.equal((await a.final(info)).statusCode, 200);
    const refused = b.inDialog(call.b, 'INFO', { headers, body: 'Signal=#\r\n' });
    a.respond(await a.next('INFO'), 415);
    assert.equal((await b.final(refused)).statusCode, 415);
    const timeline = rig.control.get(rig.control.list()[0]?.id ?? '')?.timeline ?? [];
    assert.equal(timeline.filter(({ event }) => event.kind === 'dtmf').length, 2);
  });

  test('RFC 6086 §4: digits by application/dtmf go both ways as they are; an INFO without a body, too', async () => {
    const headers = { 'Content-Type': 'application/dtmf' };
    for (const [from, to, dialog] of [
      [a, b, call.a],
      [b, a, call.b],
    ] as const)
      for (const digit of ['1', '*', '#', 'D']) {
        const info = from.inDialog(dialog, 'INFO', { headers, body: digit });
        const passed = await to.next('INFO');
        assert.deepEqual([passed.body.toString(), passed.get('content-type')], [digit, 'application/dtmf']);
        to.respond(passed, 200);
        assert.equal((await from.final(info)).statusCode, 200);
      }
    const empty = a.inDialog(call.a, 'INFO');
    b.respond(await b.next('INFO'), 200);
    assert.equal((await a.final(empty)).statusCode, 200);
    const answer = a.bye(call.a);
    await b.expectBye();
    await answer;
    assert.equal((await rig.records(++count)).at(-1)?.dtmfCount, 8);
    call = await connect(a, b);
  });

  test('RFC 3428 §4: MESSAGE goes through', async () => {
    const headers = { 'Content-Type': 'text/plain' };
    const message = b.inDialog(call.b, 'MESSAGE', { headers, body: 'grüße' });
    const atA = await a.next('MESSAGE');
    assert.equal(atA.body.toString(), 'grüße');
    a.respond(atA, 200);
    assert.equal((await b.final(message)).statusCode, 200);
  });

  test('RFC 3261 §8.2.2.3: what requires an extension inside a call is 420 with Unsupported', async () => {
    for (const method of ['INFO', 'UPDATE', 'INVITE']) {
      const request = a.inDialog(call.a, method, { headers: { Require: 'fancy' } });
      const response = await a.final(request);
      if (method === 'INVITE') a.ackRefusal(request, response);
      assert.deepEqual([response.statusCode, response.get('unsupported')], [420, 'fancy']);
      assert.equal(b.has(method), false);
    }
  });

  for (const [method, status] of [
    ['NOTIFY', 489],
    ['SUBSCRIBE', 489],
  ] as const)
    test(`RFC 3261 §8.2.1, RFC 6665 §4.2.1.3: ${method} gets its final answer: ${status}`, async () => {
      const request = a.inDialog(call.a, method, {
        headers: { Event: 'refer', 'Refer-To': '<sip:1003@127.0.0.1>' },
      });
      assert.equal((await a.final(request)).statusCode, status);
      assert.equal(b.has(method), false);
    });

  for (const method of ['BYE', 'INFO', 'UPDATE', 'INVITE'] as const)
    test(`RFC 3261 §12.2.2: ${method} of a stranger that guessed the Call-ID is 481 and changes nothing`, async () => {
      const stranger = await rig.phone('1003', { register: false });
      const forged = { ...call.a, localTag: 'guessed', localSeq: 100 };
      const request = stranger.inDialog(forged, method, { sdp: method === 'INVITE' ? stranger.sdp() : null });
      const response = await stranger.final(request);
      assert.equal(response.statusCode, 481);
      if (method === 'INVITE') stranger.ackRefusal(request, response);
      await rig.stateIs('connected');
      assert.equal(b.has(method), false);
    });

  test('RFC 3261 §12.2.2: requests of a call that is over are 481', async () => {
    await hangUp(a, b, call);
    await rig.records(++count);
    const bye = a.inDialog(call.a, 'BYE');
    assert.equal((await a.final(bye)).statusCode, 481);
    call = await connect(a, b);
  });
});
