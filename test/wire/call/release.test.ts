import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('a call that the server ends', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  beforeEach(async () => {
    ({ rig, a, b } = await startTwoPhones());
  });
  afterEach(() => rig.close());

  test('an operator ends a call: BYE to both sides, the record names the operator', async () => {
    await connect(a, b);
    await rig.stateIs('connected');
    const ending = rig.control.end(rig.control.list()[0]?.id ?? '');
    await Promise.all([a.expectBye(), b.expectBye()]);
    const record = await ending;
    assert.deepEqual(
      [record?.result, record?.releaseParty, record?.releaseReason],
      ['ANSWERED', 'OPERATOR', 'operator-ended'],
    );
    assert.equal((await rig.records(1)).length, 1);
    assert.equal(await rig.control.end('unknown'), undefined);
  });

  test('an operator ends a call that rings: CANCEL to the phone, 480 to the caller', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    await rig.stateIs('ringing');
    const ending = rig.control.end(rig.control.list()[0]?.id ?? '');
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    a.ackRefusal(invite, await a.response(invite, 480));
    assert.equal((await ending)?.releaseParty, 'OPERATOR');
  });

  test('closing ends every call with BYE or 503 and closes its record', async () => {
    await connect(a, b);
    await rig.stateIs('connected');
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    const closing = rig.control.close();
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await Promise.all([a.expectBye(), b.expectBye()]);
    const response = await a.response(invite, 503);
    a.ackRefusal(invite, response);
    await closing;
    const reasons = (await rig.records(2)).map(({ releaseReason }) => releaseReason);
    assert.deepEqual(reasons, ['server-shutdown', 'server-shutdown']);
  });

  test('both sides hang up at once: each BYE is answered, one record', async () => {
    const call = await connect(a, b);
    const fromA = a.inDialog(call.a, 'BYE');
    const fromB = b.inDialog(call.b, 'BYE');
    await Promise.all([a.response(fromA, 200), b.response(fromB, 200, 481)]);
    for (const phone of [a, b]) if (phone.has('BYE')) await phone.expectBye();
    assert.equal((await rig.records(1))[0]?.result, 'ANSWERED');
  });

  test('a hundred calls in a row leave a hundred records and nothing behind', async () => {
    for (let i = 0; i < 100; i++) await hangUp(a, b, await connect(a, b));
    await rig.records(100);
    assert.deepEqual(rig.control.count(), { active: 0, connected: 0, total: 100 });
  });
});
