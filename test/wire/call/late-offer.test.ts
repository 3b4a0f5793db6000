import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('an INVITE without a description', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones());
  });
  after(() => rig.close());

  test('RFC 3261 §13.2.1: the callee offers in its 200, the caller answers in its ACK', async () => {
    const invite = await a.invite('1002', null);
    const atB = await b.next('INVITE');
    assert.equal(atB.body.length, 0);
    b.respond(atB, 180);
    await a.response(invite, 180);
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    assert.ok((mediaPort(ok) ?? 0) > 0);
    assert.equal(b.has('ACK'), false);
    const dialog = a.ack(invite, ok, a.sdp());
    const ack = await b.next('ACK');
    assert.ok((mediaPort(ack) ?? 0) > 0);
    assert.notEqual(mediaPort(ack), mediaPort({ body: Buffer.from(a.sdp()) }));
    const answer = a.bye(dialog);
    await b.expectBye();
    await answer;
    assert.equal((await rig.records(1)).at(-1)?.result, 'ANSWERED');
  });

  test('RFC 3261 §13.2.1: an ACK without the answer ends the call on both sides', async () => {
    const invite = await a.invite('1002', null);
    b.respond(await b.next('INVITE'), 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    a.ack(invite, ok);
    // RFC 3261 §13.2.2.4: the callee's offer is answered all the same, with every stream refused.
    assert.equal(mediaPort(await b.next('ACK')), 0);
    await Promise.all([a.expectBye(), b.expectBye()]);
    const record = (await rig.records(2)).at(-1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'ack-without-answer']);
  });

  test('RFC 3261 §13.2.1: a 200 without the offer that was asked for ends the call', async () => {
    const invite = await a.invite('1002', null);
    b.respond(await b.next('INVITE'), 200);
    await b.next('ACK');
    await b.expectBye();
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 502);
    await rig.records(3);
  });
});
