import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { referred, replacing } from '../../support/transfer-steps.js';
import { addTrunk, reach, routeZero } from '../../support/trunk-steps.js';

describe('features of calls over trunks', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let one: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones({ limits: { noAnswerMs: 3000 } }));
    one = await rig.peer('one');
    await addTrunk(rig, 'one', one);
    await routeZero(rig, 'one');
  });
  after(() => rig.close());

  /** A call from a phone to the gateway, answered. */
  async function up(phone: SipPeer, number: string) {
    const { invite, atGateway } = await reach(phone, one, number);
    one.respond(atGateway, 200, { sdp: one.sdp() });
    const ok = await phone.response(invite, 200);
    await one.next('ACK');
    return { atPhone: phone.ack(invite, ok), atOne: one.dialogAsUas(atGateway), atGateway, invite, ok };
  }

  test('RFC 3264 §8.4: the gateway holds and resumes, DTMF by INFO crosses', async () => {
    const call = await up(a, '030111');
    for (const direction of ['sendonly', 'sendrecv']) {
      const hold = one.inDialog(call.atOne, 'INVITE', { sdp: one.sdp(direction, 2) });
      const atA = await a.next('INVITE');
      assert.match(atA.body.toString(), new RegExp(`a=${direction}`));
      a.respond(atA, 200, { sdp: a.sdp(direction === 'sendonly' ? 'recvonly' : 'sendrecv', 2) });
      await a.next('ACK');
      await one.response(hold, 200);
      one.ackIn(call.atOne, hold.cseq?.seq ?? 0);
      await rig.stateIs(direction === 'sendonly' ? 'held' : 'connected');
    }
    const headers = { 'Content-Type': 'application/dtmf-relay' };
    const info = a.inDialog(call.atPhone, 'INFO', { headers, body: 'Signal=5\r\nDuration=160\r\n' });
    const atOne = await one.next('INFO');
    assert.match(atOne.body.toString(), /Signal=5/);
    one.respond(atOne, 200);
    await a.response(info, 200);
    const ended = one.bye(call.atOne);
    await a.expectBye();
    await ended;
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.trunkOut, record?.reinvites, record?.result], ['one', 2, 'ANSWERED']);
    assert.ok((record?.holdMs ?? 0) > 0);
  });

  test('RFC 5589 §7.3: a subscriber transfers a call to somebody it asked beyond a trunk', async () => {
    const first = await connect(a, b);
    const asked = await up(b, '030222');
    const to = replacing('sip:030222@ims', asked.atPhone);
    assert.equal((await referred(b, first.b, to)).statusCode, 202);
    const atOne = await one.next('INVITE');
    one.respond(atOne, 200, { sdp: one.sdp('sendrecv', 2) });
    await one.next('ACK');
    const atA = await a.next('INVITE');
    a.respond(atA, 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    await b.expectBye();
    await b.expectBye();
    const ended = a.bye(first.a);
    await one.expectBye();
    await ended;
    count += 2;
    const records = await rig.records(count);
    const talk = records.find(
      ({ dialledNumber, transferredBy }) => dialledNumber === '1002' && transferredBy,
    );
    const question = records.findLast(({ dialledNumber }) => dialledNumber === '030222');
    assert.deepEqual(
      [talk?.transferredBy, talk?.transferredTo, talk?.result],
      ['1002', '030222', 'ANSWERED'],
    );
    assert.deepEqual(
      [question?.trunkOut, question?.releaseReason, question?.transferredTo],
      ['one', 'call-transferred', '1001'],
    );
    assert.equal(rig.trunks.states()[0]?.callsOut, 0);
  });

  test('who does not answer has calls go outside', async () => {
    await rig.users.modify('1002', { features: { forwardNoAnswer: '030333', noAnswerSec: 3 } });
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 180);
    const cancel = await b.next('CANCEL');
    b.respond(cancel, 200);
    const atOne = await one.next('INVITE');
    assert.match(atOne.get('diversion') ?? '', /<sip:1002@ims>;reason=no-answer/);
    one.respond(atOne, 200, { sdp: one.sdp() });
    const ok = await a.response(invite, 200);
    await one.next('ACK');
    const ended = a.bye(a.ack(invite, ok));
    await one.expectBye();
    await ended;
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual(
      [record?.direction, record?.trunkOut, record?.forwardedBy, record?.calleeNumber],
      ['OUTBOUND', 'one', '1002', '030333'],
    );
  });

  test('RFC 3261 §9.1: a caller that gives up has the trunk cancelled, and the place is free', async () => {
    const { invite, atGateway } = await reach(a, one, '030444');
    one.respond(atGateway, 183);
    await a.response(invite, 183);
    await a.final(a.cancel(invite));
    const cancel = await one.next('CANCEL');
    one.respond(cancel, 200);
    one.respond(atGateway, 487);
    a.ackRefusal(invite, await a.response(invite, 487));
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.result, record?.trunkOut], ['CANCELLED', 'one']);
    assert.equal(rig.trunks.states()[0]?.callsOut, 0);
  });
});
