import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dialogOfUac } from '../../../src/testkit/dialog.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('a call that nobody answers', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones({ limits: { noAnswerMs: 1500 } }));
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1);

  test('RFC 3261 §9.2: CANCEL while it rings is 487 to the caller and CANCEL to the phone', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    const cancel = a.cancel(invite);
    await a.response(cancel, 200);
    a.ackRefusal(invite, await a.response(invite, 487));
    const atBCancel = await b.next('CANCEL');
    assert.equal(atBCancel.topVia?.branch, atB.topVia?.branch);
    b.respond(atBCancel, 200);
    b.respond(atB, 487);
    await b.next('ACK');
    const record = await lastRecord();
    assert.deepEqual(
      [record?.result, record?.sipStatus, record?.releaseParty, record?.releaseReason],
      ['CANCELLED', 487, 'CALLER', 'caller-cancelled'],
    );
    assert.equal(record?.attempts[0]?.sipStatus, 487);
  });

  test('RFC 3326 §2: the Reason of the caller’s CANCEL reaches the phone, ours stands in for one it does not give', async () => {
    for (const [headers, expected] of [
      [{ Reason: 'SIP;cause=200;text="Call completed elsewhere"' }, /^SIP;cause=200;/],
      [{}, /^Q\.850;cause=\d+/],
    ] as const) {
      const invite = await a.invite('1002');
      const atB = await b.next('INVITE');
      b.respond(atB, 180);
      await a.response(invite, 180);
      a.cancel(invite, headers);
      a.ackRefusal(invite, await a.response(invite, 487));
      const atBCancel = await b.next('CANCEL');
      assert.match(atBCancel.get('reason') ?? '', expected);
      b.respond(atBCancel, 200);
      b.respond(atB, 487);
      await b.next('ACK');
      assert.equal((await lastRecord())?.releaseReason, 'caller-cancelled');
    }
  });

  test('RFC 3261 §9.1: CANCEL before the phone said anything waits for its first response', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    a.cancel(invite);
    a.ackRefusal(invite, await a.response(invite, 487));
    assert.equal(b.has('CANCEL'), false);
    b.respond(atB, 180);
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await b.next('ACK');
    assert.equal((await lastRecord())?.result, 'CANCELLED');
  });

  test('RFC 3261 §9.1: a phone that answers across our CANCEL gets ACK and BYE', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    a.cancel(invite);
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    await b.expectBye();
    a.ackRefusal(invite, await a.response(invite, 487));
    const record = await lastRecord();
    assert.equal(record?.result, 'CANCELLED');
    assert.equal(record?.answerTime, undefined);
  });

  for (const [status, result, reason, told] of [
    [486, 'BUSY', 'callee-busy', 486],
    [600, 'BUSY', 'callee-busy', 600],
    [603, 'REJECTED', 'callee-rejected', 603],
    [403, 'REJECTED', 'callee-rejected', 403],
    [480, 'NO_ANSWER', 'callee-unavailable', 480],
    [404, 'FAILED', 'callee-number-unknown', 404],
    [488, 'FAILED', 'callee-not-acceptable', 488],
    [482, 'FAILED', 'callee-failed', 482],
    [483, 'FAILED', 'callee-failed', 483],
    [502, 'FAILED', 'callee-failed', 502],
    [503, 'FAILED', 'callee-failed', 503],
    [504, 'FAILED', 'callee-failed', 504],
    [302, 'FAILED', 'callee-redirected', 480],
    [401, 'FAILED', 'callee-challenged', 500],
  ] as const)
    test(`RFC 3261 §16.7: ${status} of the phone is ${told} to the caller, and the record says ${result}`, async () => {
      const invite = await a.invite('1002');
      const atB = await b.next('INVITE');
      b.respond(atB, status);
      const response = await a.final(invite);
      a.ackRefusal(invite, response);
      await b.next('ACK');
      assert.equal(response.statusCode, told);
      assert.match(response.get('reason') ?? '', told === status ? /^Q\.850;cause=\d+/ : /SIP;cause=\d+/);
      const record = await lastRecord();
      assert.deepEqual([record?.result, record?.releaseReason, record?.sipStatus], [result, reason, told]);
      assert.equal(record?.releaseParty, 'CALLEE');
      assert.equal(record?.attempts[0]?.sipStatus, status);
    });

  test('RFC 3261 §21.1: 181 and 182 go on to the caller even after 180', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    for (const status of [180, 181, 182]) {
      b.respond(atB, status);
      assert.equal((await a.response(invite, status)).statusCode, status);
    }
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.final(invite));
    await lastRecord();
  });

  test('RFC 3311 §5.2: UPDATE of either phone before the answer: an offer comes too early, without one it is 200', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 183, { sdp: b.sdp() });
    const dialogs = [dialogOfUac(invite, await a.response(invite, 183)), b.dialogAsUas(atB)] as const;
    for (const [phone, dialog, status] of [
      [a, dialogs[0], 500],
      [b, dialogs[1], 491],
    ] as const) {
      const refused = await phone.final(phone.inDialog(dialog, 'UPDATE', { sdp: phone.sdp() }));
      assert.equal(refused.statusCode, status);
      if (status === 500) assert.match(refused.get('retry-after') ?? '', /^\d+$/);
      const ok = await phone.final(phone.inDialog(dialog, 'UPDATE'));
      assert.equal(ok.statusCode, 200);
      assert.ok(ok.has('contact'));
    }
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.final(invite));
    await lastRecord();
  });

  test('RFC 3326 §2: the Q.850 cause of the phone reaches the caller', async () => {
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 480, { headers: { Reason: 'Q.850;cause=20;text="absent"' } });
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.match(response.get('reason') ?? '', /Q\.850;cause=20/);
    assert.equal((await lastRecord())?.q850Cause, 20);
  });

  test('RFC 3261 §21.4.18: a phone that rings on and on is cancelled, the caller hears 480', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    assert.equal(response.statusCode, 480);
    assert.match(response.get('reason') ?? '', /Q\.850;cause=19/);
    const record = await lastRecord();
    assert.deepEqual([record?.result, record?.releaseReason], ['NO_ANSWER', 'callee-no-answer']);
  });

  test('a description from the callee that cannot be used ends the call: BYE to the phone, 502 to the caller', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: 'v=0\r\nnonsense\r\n' });
    await b.next('ACK');
    await b.expectBye();
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 502);
    const record = await lastRecord();
    assert.deepEqual([record?.result, record?.billSec], ['FAILED', 0]);
  });
});
