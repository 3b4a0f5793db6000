import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { FeatureChanges } from '../../../src/accounts/user-features.js';
import { type CallRig, startCallRig, startThreePhones } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';

const NONE: FeatureChanges = {
  ring: null,
  ringSec: null,
  forwardAlways: null,
  forwardBusy: null,
  forwardNoAnswer: null,
  forwardUnreachable: null,
  noAnswerSec: null,
  doNotDisturb: null,
  maxCalls: null,
  maxDurationSec: null,
  mayDeflect: null,
};

describe('calls that are forwarded', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones({ limits: { noAnswerMs: 4000 } }));
    await rig.phone('1004', { register: false });
  });
  after(() => rig.close());
  beforeEach(async () => {
    for (const user of ['1001', '1002', '1003', '1004']) await rig.users.modify(user, { features: NONE });
  });

  const lastRecord = async () => (await rig.records(++count)).at(-1)!;
  const set = (user: string, features: FeatureChanges) => rig.users.modify(user, { features });

  /** The call reaches `phone`, which answers; then it ends. Resolves what the phone got. */
  async function answeredBy(phone: SipPeer, invite: Awaited<ReturnType<SipPeer['invite']>>) {
    const atPhone = await phone.next('INVITE');
    phone.respond(atPhone, 200, { sdp: phone.sdp() });
    const ok = await a.response(invite, 200);
    await phone.next('ACK');
    const answer = a.bye(a.ack(invite, ok));
    await phone.expectBye();
    await answer;
    return atPhone;
  }

  /** The call is refused; resolves status and record. */
  async function refused(invite: Awaited<ReturnType<SipPeer['invite']>>) {
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    return { response, record: await lastRecord() };
  }

  test('RFC 3261 §21.1.3: every call is sent on, the caller hears 181, the phone and the record who did it', async () => {
    await set('1002', { forwardAlways: '1003' });
    const invite = await a.invite('1002');
    await a.response(invite, 181);
    const atC = await answeredBy(c, invite);
    assert.match(atC.get('diversion') ?? '', /^<sip:1002@ims>;reason=unconditional;counter=1$/);
    assert.deepEqual(atC.list('history-info'), [
      '<sip:1002@ims>;index=1',
      '<sip:1003@ims;cause=302>;index=1.1;mp=1',
    ]);
    assert.equal(b.has('INVITE'), false);
    const record = await lastRecord();
    assert.deepEqual(
      [record.dialledNumber, record.calleeNumber, record.forwardedBy, record.result],
      ['1002', '1003', '1002', 'ANSWERED'],
    );
    assert.deepEqual(record.diversions, [{ by: '1002', to: '1003', reason: 'unconditional' }]);
  });

  test('RFC 5806: the last of two forwardings stands first', async () => {
    await set('1002', { forwardAlways: '1004' });
    await set('1004', { forwardUnreachable: '1003' });
    const atC = await answeredBy(c, await a.invite('1002'));
    assert.deepEqual(
      atC.list('diversion').map((value) => value.slice(0, 30)),
      ['<sip:1004@ims>;reason=unavaila', '<sip:1002@ims>;reason=uncondit'],
    );
    const record = await lastRecord();
    assert.equal(record.forwardedBy, '1004');
    assert.equal(record.diversions?.length, 2);
  });

  test('a busy phone sends the call on, its 486 stays in the attempts', async () => {
    await set('1002', { forwardBusy: '1003' });
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 486);
    await a.response(invite, 181);
    await answeredBy(c, invite);
    const record = await lastRecord();
    assert.deepEqual(
      record.attempts.map(({ sipStatus }) => sipStatus),
      [486, 200],
    );
    assert.equal(record.diversions?.[0]?.reason, 'user-busy');
    assert.equal(record.calleePort, c.port);
  });

  test('RFC 5806: after the time of the user a call that nobody answers goes on, the first phone is cancelled', async () => {
    await set('1002', { forwardNoAnswer: '1003', noAnswerSec: 3 });
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    const cancel = await b.next('CANCEL');
    b.respond(cancel, 200);
    b.respond(atB, 487);
    assert.match(cancel.get('reason') ?? '', /cause=19/);
    await answeredBy(c, invite);
    const record = await lastRecord();
    assert.equal(record.diversions?.[0]?.reason, 'no-answer');
    assert.equal(record.result, 'ANSWERED');
  });

  test('a user without a phone sends calls on, one whose phone is gone too', async () => {
    await set('1004', { forwardUnreachable: '1003' });
    await answeredBy(c, await a.invite('1004'));
    assert.equal((await lastRecord()).diversions?.[0]?.reason, 'unavailable');
    await set('1002', { forwardUnreachable: '1003' });
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 503);
    await answeredBy(c, invite);
    assert.equal((await lastRecord()).forwardedBy, '1002');
  });

  test('RFC 3261 §17.1.1.2: a phone that says nothing at all is unreachable, not unanswered', async () => {
    await set('1002', { forwardUnreachable: '1003', forwardNoAnswer: '9999', noAnswerSec: 3 });
    const invite = await a.invite('1002');
    await b.next('INVITE');
    await answeredBy(c, invite);
    const record = await lastRecord();
    assert.deepEqual([record.diversions?.[0]?.reason, record.attempts[0]?.sipStatus], ['unavailable', 487]);
  });

  test('RFC 3261 §21.4.18: do not disturb is 480, or the way of a busy phone', async () => {
    await set('1002', { doNotDisturb: true });
    const { response, record } = await refused(await a.invite('1002'));
    assert.equal(response.statusCode, 480);
    assert.deepEqual([record.releaseReason, record.result], ['callee-do-not-disturb', 'REJECTED']);
    await set('1002', { forwardBusy: '1003' });
    await answeredBy(c, await a.invite('1002'));
    assert.equal((await lastRecord()).diversions?.[0]?.reason, 'do-not-disturb');
    assert.equal(b.has('INVITE'), false);
  });

  test('a user in as many calls as it may have is busy', async () => {
    await set('1002', { maxCalls: 1 });
    const first = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(first, 180);
    const second = await c.invite('1002');
    const busy = await c.final(second);
    c.ackRefusal(second, busy);
    assert.equal(busy.statusCode, 486);
    a.cancel(first);
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    a.ackRefusal(first, await a.response(first, 487));
    count++;
    const records = await rig.records(++count);
    assert.deepEqual(
      records.slice(-2).map(({ result }) => result),
      ['BUSY', 'CANCELLED'],
    );
    const again = await a.invite('1002');
    await answeredBy(b, again);
    await lastRecord();
  });

  test('forwarding in a circle is 482, on busy the busy is heard', async () => {
    await set('1002', { forwardAlways: '1003' });
    await set('1003', { forwardAlways: '1002' });
    const { response, record } = await refused(await a.invite('1002'));
    assert.equal(response.statusCode, 482);
    assert.equal(record.releaseReason, 'forward-loop');
    assert.equal(record.forwardedBy, '1002');
    await set('1002', { forwardAlways: null, forwardBusy: '1003' });
    await set('1003', { forwardAlways: null, forwardBusy: '1002' });
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 486);
    c.respond(await c.next('INVITE'), 486);
    const second = await refused(invite);
    assert.equal(second.response.statusCode, 486);
    assert.equal(second.record.diversions?.length, 1);
  });

  test('a forwarding to the caller itself is not followed, one to nowhere is 404', async () => {
    await set('1002', { forwardAlways: '1001' });
    await answeredBy(b, await a.invite('1002'));
    assert.equal((await lastRecord()).forwardedBy, undefined);
    await set('1002', { forwardAlways: '9999' });
    const { response, record } = await refused(await a.invite('1002'));
    assert.equal(response.statusCode, 404);
    assert.deepEqual([record.releaseReason, record.forwardedBy], ['callee-unknown', '1002']);
  });

  test('the longest call of a user is ended, with both phones told why', async () => {
    await set('1001', { maxDurationSec: 1 });
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 200, { sdp: b.sdp() });
    a.ack(invite, await a.response(invite, 200));
    await b.next('ACK');
    const [atA] = await Promise.all([a.expectBye(), b.expectBye()]);
    assert.match(atA.get('reason') ?? '', /cause=31;text="duration-exceeded"/);
    const record = await lastRecord();
    assert.deepEqual([record.result, record.releaseParty], ['ANSWERED', 'SERVER']);
  });

  test('RFC 3261 §8.1.3.4: a 302 of a phone that may deflect is followed to a number of ours, else not', async () => {
    const deflect = async (host: string) => {
      const invite = await a.invite('1002');
      b.respond(await b.next('INVITE'), 302, { headers: { Contact: `<sip:1003@${host}>` } });
      return invite;
    };
    const { response } = await refused(await deflect('127.0.0.1'));
    assert.equal(response.statusCode, 480);
    await set('1002', { mayDeflect: true });
    assert.equal((await refused(await deflect('evil.example'))).response.statusCode, 480);
    await answeredBy(c, await deflect('127.0.0.1'));
    assert.deepEqual((await lastRecord()).diversions, [{ by: '1002', to: '1003', reason: 'deflection' }]);
  });
});

describe('phones that ring in rounds', () => {
  let rig: CallRig;
  let a: SipPeer;
  let old: SipPeer;
  let young: SipPeer;
  let count = 0;
  before(async () => {
    rig = await startCallRig({ limits: { noAnswerMs: 8000 } });
    a = await rig.phone('1001');
    old = await rig.phone('1002');
    await new Promise((resolve) => setTimeout(resolve, 5));
    young = await rig.phone('1002');
    await rig.users.modify('1002', { features: { ring: 'ORDER', ringSec: 3 } });
  });
  after(() => rig.close());

  test('RFC 3261 §16.6: one after another, the newest first; a failure leads on at once, silence after the time', async () => {
    const invite = await a.invite('1002');
    young.respond(await young.next('INVITE'), 486);
    const atOld = await old.next('INVITE');
    old.respond(atOld, 180);
    await a.response(invite, 180);
    old.respond(atOld, 200, { sdp: old.sdp() });
    const ok = await a.response(invite, 200);
    await old.next('ACK');
    const answer = a.bye(a.ack(invite, ok));
    await old.expectBye();
    await answer;
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual(
      record?.attempts.map(({ sipStatus }) => sipStatus),
      [486, 200],
    );
  });

  test('RFC 3261 §9.1: a phone that answers after its round was given up gets ACK and BYE; early media of both rounds is heard', async () => {
    const invite = await a.invite('1002');
    const atYoung = await young.next('INVITE');
    young.respond(atYoung, 183, { sdp: young.sdp() });
    const early = await a.response(invite, 183);
    young.respond(await young.next('CANCEL'), 200);
    const atOld = await old.next('INVITE');
    young.respond(atYoung, 200, { sdp: young.sdp() });
    await young.next('ACK');
    await young.expectBye();
    old.respond(atOld, 180, { sdp: old.sdp() });
    const second = await a.response(invite, 180);
    assert.ok(second.body.length > 0);
    assert.equal(second.toTag, early.toTag);
    old.respond(atOld, 603);
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 603);
    const record = (await rig.records(++count)).at(-1);
    assert.equal(record?.result, 'REJECTED');
  });

  test('RFC 3261 §16.7 step 5: a 6xx of the first phone ends the search', async () => {
    const invite = await a.invite('1002');
    young.respond(await young.next('INVITE'), 603);
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 603);
    assert.equal((await rig.records(++count)).at(-1)?.attempts.length, 1);
    assert.equal(old.has('INVITE'), false);
  });
});

describe('a search that takes too long', () => {
  test('RFC 3261 §21.4.18: ends after the longest time for all rounds and forwardings together', async () => {
    const rig = await startCallRig({ limits: { noAnswerMs: 500, searchMs: 1200 } });
    try {
      const a = await rig.phone('1001');
      const b = await rig.phone('1002');
      await rig.users.modify('1002', { features: { noAnswerSec: 30, forwardNoAnswer: '1001' } });
      const invite = await a.invite('1002');
      const atB = await b.next('INVITE');
      b.respond(atB, 180);
      await a.response(invite, 180);
      b.respond(await b.next('CANCEL'), 200);
      b.respond(atB, 487);
      const response = await a.final(invite);
      a.ackRefusal(invite, response);
      assert.equal(response.statusCode, 480);
      const [record] = await rig.records(1);
      assert.deepEqual([record?.releaseReason, record?.q850Cause], ['callee-no-answer', 19]);
      assert.ok((record?.durationMs ?? 0) >= 1000 && (record?.durationMs ?? 0) < 10_000);
    } finally {
      await rig.close();
    }
  });
});
