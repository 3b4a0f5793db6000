import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { ManualClock } from '../../support/manual-clock.js';
import { needsBuiltInEngine } from '../../support/parts.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

describe('session timers', { skip: needsBuiltInEngine }, () => {
  const clock = new ManualClock();
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  before(async () => {
    const session = { intervalSec: 1800, minSec: 120 };
    ({ rig, a, b } = await startTwoPhones({ engineClock: clock, limits: { session } }));
  });
  after(() => rig.close());
  afterEach(async () => {
    await rig.records(++count);
  });

  /** A call whose phones say these headers in INVITE and 200. */
  async function timedCall(ofA: Record<string, string>, ofB: Record<string, string>) {
    const invite = await a.invite('1002', undefined, (request) => {
      for (const [name, value] of Object.entries(ofA)) request.append(name, value);
    });
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp(), headers: ofB });
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    const call = { invite, ok, atB, a: a.ack(invite, ok), b: b.dialogAsUas(atB) };
    await acknowledged();
    return call;
  }

  /** Waits until the engine has the caller's ACK: its time may go on then. */
  const acknowledged = () =>
    waitFor('the ACK', () => {
      const timeline = rig.control.get(rig.control.list()[0]?.id ?? '')?.timeline ?? [];
      return timeline.some(({ event }) => event.kind === 'acknowledged');
    });

  const lastRecord = async () => (await rig.records(count + 1)).at(-1);

  test('RFC 4028 §7.1, §9: each leg has a timer of its own', async () => {
    const call = await timedCall(
      { Supported: 'timer', 'Session-Expires': '600;refresher=uac' },
      { 'Session-Expires': '1200;refresher=uac', Require: 'timer' },
    );
    assert.equal(call.ok.get('session-expires'), '600;refresher=uac');
    assert.equal(call.ok.get('require'), 'timer');
    assert.equal(call.atB.get('session-expires'), '1800');
    assert.equal(call.atB.get('min-se'), '120');
    assert.match(call.atB.get('supported') ?? '', /\btimer\b/);
    // The caller refreshes by a description that is no news, and the callee hears nothing of it.
    clock.advance(300_000);
    const refresh = a.inDialog(call.a, 'INVITE', {
      sdp: a.sdp(),
      headers: { Supported: 'timer', 'Session-Expires': '600;refresher=uac' },
    });
    const ok = await a.response(refresh, 200);
    a.ackIn(call.a, refresh.cseq?.seq ?? 0);
    // What is answered came after the ACK.
    await a.final(a.inDialog(call.a, 'OPTIONS'));
    assert.equal(ok.get('session-expires'), '600;refresher=uac');
    assert.equal(ok.body.toString(), call.ok.body.toString());
    assert.equal(b.has('INVITE'), false);
    // The callee is refreshed by us.
    clock.advance(300_000);
    const atB = await b.next('INVITE');
    assert.equal(atB.get('session-expires'), '1200;refresher=uac');
    assert.equal(atB.body.toString(), call.atB.body.toString());
    b.respond(atB, 200, { sdp: b.sdp(), headers: { 'Session-Expires': '1200;refresher=uac' } });
    await b.next('ACK');
    assert.equal(a.has('INVITE'), false);
    await hangUp(a, b, call);
    assert.equal((await lastRecord())?.reinvites, 0);
  });

  test('RFC 3261 §14.1: the same description from another address is news: the phone has changed its network', async () => {
    const call = await timedCall({}, {});
    const moved = await rig.phone('1001', { register: false });
    const again = () => moved.inDialog(call.a, 'INVITE', { sdp: a.sdp() });
    const first = again();
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    await moved.response(first, 200);
    moved.ackIn(call.a, first.cseq?.seq ?? 0);
    await b.next('ACK');
    // From there on it is at home there.
    const second = again();
    await moved.response(second, 200);
    moved.ackIn(call.a, second.cseq?.seq ?? 0);
    assert.equal(b.has('INVITE'), false);
    const answer = moved.bye(call.a);
    await b.expectBye();
    assert.equal((await answer).statusCode, 200);
    assert.equal((await lastRecord())?.reinvites, 1);
  });

  test('RFC 4028 §10: the caller stops refreshing: both sides get BYE, the record says session-expired', async () => {
    const call = await timedCall({ Supported: 'timer', 'Session-Expires': '600;refresher=uac' }, {});
    clock.advance(300_000);
    const update = a.inDialog(call.a, 'UPDATE', {
      headers: { Supported: 'timer', 'Session-Expires': '600;refresher=uac' },
    });
    const ok = await a.response(update, 200);
    assert.equal(ok.get('session-expires'), '600;refresher=uac');
    clock.advance(560_000);
    await rig.stateIs('connected');
    clock.advance(10_000);
    const [atA, atB] = await Promise.all([a.expectBye(), b.expectBye()]);
    assert.match(atA.get('reason') ?? '', /Session timer expired/);
    assert.match(atB.get('reason') ?? '', /Q\.850;cause=102;text="session-expired"/);
    const record = await lastRecord();
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.releaseParty, record?.q850Cause],
      ['ABNORMAL', 'session-expired', 'CALLER', 102],
    );
  });

  for (const [how, answer] of [
    ['is answered 481', 481],
    ['is answered 408', 408],
    ['is not answered', undefined],
  ] as const)
    test(`RFC 4028 §10: a refresh that ${how} ends the call on both sides`, async () => {
      const headers = { 'Session-Expires': '1800;refresher=uac', Allow: 'INVITE, ACK, BYE, UPDATE' };
      await timedCall({}, headers);
      clock.advance(900_000);
      const update = await b.next('UPDATE');
      assert.equal(update.body.length, 0);
      if (answer) b.respond(update, answer);
      else clock.advance(33_000);
      await Promise.all([a.expectBye(), b.expectBye()]);
      const record = await lastRecord();
      assert.deepEqual([record?.releaseReason, record?.releaseParty], ['session-expired', 'CALLEE']);
    });

  test('RFC 4028 §9: too short a session is 422 with Min-SE and leaves no record; the caller asks again', async () => {
    const invite = a.invitation('1002');
    invite.append('Supported', 'timer').append('Session-Expires', '100');
    a.send(invite);
    const refused = await a.response(invite, 422);
    assert.equal(refused.get('min-se'), '120');
    a.ackRefusal(invite, refused);
    invite.set('Session-Expires', '120').set('Min-SE', '120').set('CSeq', '2 INVITE');
    invite.set('Via', invite.get('via')?.replace(/branch=z9hG4bK/, 'branch=z9hG4bK2') ?? '');
    a.send(invite);
    const challenge = await a.response(invite, 407);
    a.ackRefusal(invite, challenge);
    const again = a.sendWithCredentials(invite, challenge);
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(again, 200);
    assert.equal(ok.get('session-expires'), '120;refresher=uac');
    await b.next('ACK');
    await hangUp(a, b, { invite: again, ok, atB, a: a.ack(again, ok), b: b.dialogAsUas(atB) });
  });

  test('RFC 4028 §7.3: a phone that wants a longer session gets it, in the same call', async () => {
    const invite = await a.invite('1002');
    const first = await b.next('INVITE');
    b.respond(first, 422, { headers: { 'Min-SE': '3600' } });
    const second = await b.next('INVITE');
    assert.deepEqual([second.get('session-expires'), second.get('min-se')], ['3600', '3600']);
    assert.equal(second.callId, first.callId);
    assert.equal(second.fromTag, first.fromTag);
    assert.equal(second.cseq?.seq, (first.cseq?.seq ?? 0) + 1);
    b.respond(second, 180);
    await a.response(invite, 180);
    b.respond(second, 200, { sdp: b.sdp(), headers: { 'Session-Expires': '3600;refresher=uas' } });
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    await hangUp(a, b, { invite, ok, atB: second, a: a.ack(invite, ok), b: b.dialogAsUas(second) });
    const record = await lastRecord();
    assert.equal(record?.attempts.length, 1);
    assert.equal(record?.result, 'ANSWERED');
  });

  test('RFC 4028 §7.3: a phone that asks for no more than it was offered fails like any other', async () => {
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 422, { headers: { 'Min-SE': '90' } });
    a.ackRefusal(invite, await a.response(invite, 500));
    assert.equal((await lastRecord())?.attempts[0]?.sipStatus, 422);
  });

  test('a user may have a session timer of its own', async () => {
    await rig.users.modify('1001', { features: { sessionSec: 200 } });
    await rig.users.modify('1002', { features: { sessionSec: 240 } });
    const call = await timedCall({ Supported: 'timer' }, {});
    assert.equal(call.ok.get('session-expires'), '200;refresher=uac');
    assert.equal(call.atB.get('session-expires'), '240');
    await rig.users.modify('1001', { features: { sessionSec: null } });
    await rig.users.modify('1002', { features: { sessionSec: null } });
    await hangUp(a, b, call);
  });

  test('a phone that knows nothing of timers has none', async () => {
    const call = await connect(a, b);
    await acknowledged();
    assert.equal(call.ok.get('session-expires'), undefined);
    clock.advance(4_000_000);
    // What a timer would have sent came before the answers to these.
    const asked = a.final(a.inDialog(call.a, 'OPTIONS'));
    assert.equal((await asked).statusCode, 200);
    assert.equal((await b.final(b.inDialog(call.b, 'OPTIONS'))).statusCode, 200);
    for (const phone of [a, b])
      for (const method of ['INVITE', 'UPDATE', 'BYE']) assert.ok(!phone.has(method));
    await rig.stateIs('connected');
    await hangUp(a, b, call);
    assert.equal((await lastRecord())?.releaseReason, 'normal-clearing');
  });
});
