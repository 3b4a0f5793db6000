import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

/** Both parties hear why a call ends (RFC 3326), and the record has the same cause. */
describe('the reason of an end', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones({ limits: { noAnswerMs: 300 } }));
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1);

  test('RFC 3326 §2: nobody answers: CANCEL and 480 with cause 19', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    const cancel = await b.next('CANCEL');
    b.respond(cancel, 200);
    b.respond(atB, 487);
    const response = await a.response(invite, 480);
    a.ackRefusal(invite, response);
    for (const message of [cancel, response])
      assert.match(message.get('reason') ?? '', /Q\.850;cause=19;text="callee-no-answer"/);
    const record = await lastRecord();
    assert.deepEqual([record?.releaseReason, record?.q850Cause], ['callee-no-answer', 19]);
  });

  test('RFC 3326 §2: the longest time of a user is over: BYE with cause 31 to both', async () => {
    await rig.users.modify('1002', { features: { maxDurationSec: 1 } });
    await connect(a, b);
    const byes = await Promise.all([a.expectBye(), b.expectBye()]);
    for (const bye of byes) assert.equal(bye.get('reason'), 'Q.850;cause=31;text="duration-exceeded"');
    const record = await lastRecord();
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.q850Cause, record?.releaseParty],
      ['ANSWERED', 'duration-exceeded', 31, 'SERVER'],
    );
    await rig.users.modify('1002', { features: { maxDurationSec: null } });
  });

  test('RFC 3326 §2: an operator ends it: BYE with cause 16 to both', async () => {
    await connect(a, b);
    await rig.stateIs('connected');
    const ended = rig.control.end(rig.control.list()[0]?.id ?? '');
    const byes = await Promise.all([a.expectBye(), b.expectBye()]);
    for (const bye of byes) assert.equal(bye.get('reason'), 'Q.850;cause=16;text="operator-ended"');
    assert.equal((await ended)?.q850Cause, 16);
    await lastRecord();
  });

  test('RFC 3326 §2: a phone hangs up without a reason: the other one hears cause 16, or the reason given', async () => {
    const plain = await connect(a, b);
    const answer = a.bye(plain.a);
    assert.equal((await b.expectBye()).get('reason'), 'Q.850;cause=16;text="normal-clearing"');
    await answer;
    await lastRecord();
    const told = await connect(a, b);
    const headers = { Reason: 'Q.850;cause=27;text="cable cut"' };
    const bye = b.inDialog(told.b, 'BYE', { headers });
    assert.equal((await a.expectBye()).get('reason'), headers.Reason);
    assert.equal((await b.final(bye)).statusCode, 200);
    assert.equal((await lastRecord())?.q850Cause, 27);
  });

  test('RFC 3326 §2, RFC 6432: a phone is busy: its status and cause reach the caller', async () => {
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 486);
    const response = await a.response(invite, 486);
    a.ackRefusal(invite, response);
    assert.match(response.get('reason') ?? '', /Q\.850;cause=17/);
    assert.equal((await lastRecord())?.q850Cause, 17);
  });
});
