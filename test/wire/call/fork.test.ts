import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('a subscriber with two phones', () => {
  let rig: CallRig;
  let a: SipPeer;
  let desk: SipPeer;
  let mobile: SipPeer;
  let count = 0;
  before(async () => {
    rig = await startCallRig();
    a = await rig.phone('1001');
    desk = await rig.phone('1002');
    mobile = await rig.phone('1002');
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1);

  /** Calls; both phones ring. */
  async function ring() {
    const invite = await a.invite('1002');
    const [atDesk, atMobile] = await Promise.all([desk.next('INVITE'), mobile.next('INVITE')]);
    desk.respond(atDesk, 180);
    mobile.respond(atMobile, 180);
    await a.response(invite, 180);
    return { invite, atDesk, atMobile };
  }

  test('RFC 3261 §16.7 step 10: the first to answer has the call, the other is cancelled as answered elsewhere', async () => {
    const { invite, atDesk, atMobile } = await ring();
    assert.notEqual(atDesk.callId, atMobile.callId);
    mobile.respond(atMobile, 200, { sdp: mobile.sdp() });
    const cancel = await desk.next('CANCEL');
    assert.match(cancel.get('reason') ?? '', /SIP;cause=200;text="Call completed elsewhere"/);
    desk.respond(cancel, 200);
    desk.respond(atDesk, 487);
    await desk.next('ACK');
    const ok = await a.response(invite, 200);
    await mobile.next('ACK');
    const dialog = a.ack(invite, ok);
    const answer = a.bye(dialog);
    await mobile.expectBye();
    await answer;
    assert.equal(desk.has('BYE'), false);
    const record = await lastRecord();
    assert.equal(record?.result, 'ANSWERED');
    assert.deepEqual(record?.attempts.map(({ sipStatus }) => sipStatus).sort(), [200, 487]);
  });

  test('RFC 3261 §13.2.2.4: the phone that answers second gets ACK and BYE, the call goes on with the first', async () => {
    const { invite, atDesk, atMobile } = await ring();
    desk.respond(atDesk, 200, { sdp: desk.sdp() });
    mobile.respond(atMobile, 200, { sdp: mobile.sdp() });
    const ok = await a.response(invite, 200);
    await Promise.all([desk.next('ACK'), mobile.next('ACK')]);
    const dialog = a.ack(invite, ok);
    const [loser, winner] = await Promise.race([
      desk.expectBye().then(() => [desk, mobile] as const),
      mobile.expectBye().then(() => [mobile, desk] as const),
    ]);
    assert.notEqual(loser, winner);
    await rig.stateIs('connected');
    const answer = a.bye(dialog);
    // The loser's wait above is still open where the winner's BYE is answered.
    assert.equal((await answer).statusCode, 200);
    assert.equal((await lastRecord())?.result, 'ANSWERED');
  });

  test('RFC 3261 §16.7 step 5: busy on one phone lets the other ring on', async () => {
    const { invite, atDesk, atMobile } = await ring();
    desk.respond(atDesk, 486);
    await desk.next('ACK');
    mobile.respond(atMobile, 200, { sdp: mobile.sdp() });
    const ok = await a.response(invite, 200);
    await mobile.next('ACK');
    const answer = a.bye(a.ack(invite, ok));
    await mobile.expectBye();
    await answer;
    await lastRecord();
  });

  test('RFC 3261 §16.7 step 5: a 6xx of one phone ends the search and cancels the other', async () => {
    const { invite, atDesk, atMobile } = await ring();
    desk.respond(atDesk, 603);
    mobile.respond(await mobile.next('CANCEL'), 200);
    mobile.respond(atMobile, 487);
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 603);
    assert.equal((await lastRecord())?.result, 'REJECTED');
  });

  test('RFC 3261 §16.7 step 6: when all fail the caller hears the best answer', async () => {
    const { invite, atDesk, atMobile } = await ring();
    desk.respond(atDesk, 503);
    mobile.respond(atMobile, 486);
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 486);
    const record = await lastRecord();
    assert.deepEqual(record?.attempts.map(({ sipStatus }) => sipStatus).sort(), [486, 503]);
  });

  test('RFC 3261 §9.2: CANCEL of the caller cancels all phones', async () => {
    const { invite, atDesk, atMobile } = await ring();
    a.cancel(invite);
    for (const [phone, atPhone] of [
      [desk, atDesk],
      [mobile, atMobile],
    ] as const) {
      phone.respond(await phone.next('CANCEL'), 200);
      phone.respond(atPhone, 487);
    }
    a.ackRefusal(invite, await a.response(invite, 487));
    assert.equal((await lastRecord())?.result, 'CANCELLED');
  });

  test('RFC 3261 §13.2.1: the caller hears the early media of the phone that spoke last, then the answer', async () => {
    const { invite, atDesk, atMobile } = await ring();
    desk.respond(atDesk, 183, { sdp: desk.sdp() });
    const first = await a.response(invite, 183);
    mobile.respond(atMobile, 183, { sdp: mobile.sdp() });
    desk.respond(atDesk, 200, { sdp: desk.sdp() });
    const ok = await a.response(invite, 200);
    assert.equal(mediaPort(ok), mediaPort(first));
    mobile.respond(await mobile.next('CANCEL'), 200);
    mobile.respond(atMobile, 487);
    const answer = a.bye(a.ack(invite, ok));
    await desk.expectBye();
    await answer;
    await lastRecord();
  });
});
