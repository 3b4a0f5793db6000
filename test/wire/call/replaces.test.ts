import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import type { SipRequest, SipResponse } from '../../../src/sip/message.js';
import type { DialogState } from '../../../src/testkit/dialog.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { connect, hangUp, mediaPort, type UpCall } from '../../support/call-steps.js';
import { notified, resubscribe, subscribe } from '../../support/event-steps.js';
import { HeldRelay } from '../../support/held-relay.js';
import { openRelay } from '../../support/rig-parts.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { replaces } from '../../support/transfer-steps.js';
import { waitFor } from '../../support/wait-for.js';

describe('INVITE with Replaces', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let d: SipPeer;
  let count = 0;
  let relay: HeldRelay;
  before(async () => {
    relay = new HeldRelay(await openRelay(silentLogger));
    ({ rig, a, b, c } = await startThreePhones({ relay }));
    d = await rig.phone('1004');
    await rig.numbering.addGroup('800', { members: ['1002', '1003'], strategy: 'LINEAR' });
  });
  after(async () => {
    await rig?.close();
    await relay.close();
  });
  let seen = 0;
  beforeEach(() => {
    seen = count;
  });
  /** The records since the test began, once there are so many. */
  const records = async (more: number) => {
    count = seen + more;
    return (await rig.records(count)).slice(seen);
  };

  /** Sends an INVITE that wants to replace that. */
  const replace = (
    phone: SipPeer,
    value: string,
    sdp?: string | null,
    headers: Record<string, string> = {},
  ) =>
    phone.invite('1003', sdp, (invite) => {
      invite.append('Replaces', value);
      for (const [name, text] of Object.entries(headers)) invite.append(name, text);
    });

  const refused = async (phone: SipPeer, value: string, status: number): Promise<SipResponse> => {
    const invite = await replace(phone, value);
    const response = await phone.final(invite);
    phone.ackRefusal(invite, response);
    assert.equal(response.statusCode, status);
    return response;
  };

  /** The phone that stays answers what it is offered; the INVITE has its 200, and the one replaced its BYE. */
  async function taken(phone: SipPeer, invite: SipRequest, stays: SipPeer, leaves: SipPeer) {
    const atStays = await stays.next('INVITE');
    stays.respond(atStays, 200, { sdp: stays.sdp('sendrecv', 2) });
    await stays.next('ACK');
    const ok = await phone.response(invite, 200);
    assert.ok((mediaPort(ok) ?? 0) > 0);
    assert.ok((mediaPort(atStays) ?? 0) > 0);
    const bye = await leaves.expectBye();
    assert.match(bye.get('reason') ?? '', /Q\.850;cause=16;text="call-replaced"/);
    return { dialog: phone.ack(invite, ok), bye };
  }

  /** One phone puts the other on hold. */
  async function hold(x: SipPeer, y: SipPeer, ofX: DialogState): Promise<void> {
    const request = x.inDialog(ofX, 'INVITE', { sdp: x.sdp('sendonly', 2) });
    y.respond(await y.next('INVITE'), 200, { sdp: y.sdp('recvonly', 2) });
    await y.next('ACK');
    await x.response(request, 200);
    x.ackIn(ofX, request.cseq?.seq ?? 0);
    await waitFor('the hold', () => rig.control.list().some(({ state }) => state === 'held'));
  }

  for (const consulting of ['caller', 'callee'] as const)
    test(`RFC 5589 §7.3, RFC 3891 §3: attended transfer by the phones; 1001 was ${consulting} of the call that is taken over`, async () => {
      const first = await connect(a, b);
      const second = consulting === 'caller' ? await connect(a, c) : await connect(c, a);
      const [ofA, ofC] = consulting === 'caller' ? [second.a, second.b] : [second.b, second.a];
      await hold(a, b, first.a);
      // 1002 was told by a REFER that did not come through us.
      const invite = await replace(b, replaces(ofA), undefined, {
        Require: 'replaces',
        'Referred-By': '<sip:1001@127.0.0.1>',
      });
      const { dialog } = await taken(b, invite, c, a);
      // Hold, INFO and the end go between the two that are left.
      const holding = c.inDialog(ofC, 'INVITE', { sdp: c.sdp('sendonly', 3) });
      const atB = await b.next('INVITE');
      assert.match(atB.body.toString(), /a=sendonly/);
      b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
      await b.next('ACK');
      c.ackIn(ofC, (await c.response(holding, 200)).cseq?.seq ?? 0);
      await hangUp(a, b, first);
      const answer = b.bye(dialog);
      await c.expectBye();
      assert.equal((await answer).statusCode, 200);
      const [own, one, two] = await records(3);
      assert.deepEqual(
        [own?.callerNumber, own?.releaseReason, own?.result, own?.billSec],
        ['1002', 'call-replaced', 'ANSWERED', 0],
      );
      assert.deepEqual([one?.releaseReason, one?.transferredBy], ['normal-clearing', undefined]);
      assert.deepEqual(
        [two?.releaseReason, two?.transferredBy, two?.transferredTo, two?.holdMs !== 0],
        ['normal-clearing', '1001', '1002', true],
      );
      assert.equal(two?.releaseParty, consulting === 'caller' ? 'CALLER' : 'CALLEE');
    });

  test('RFC 3891 §3: another phone of a user takes its call over; it may have more parameters and an early-only before', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b));
    const { dialog } = await taken(other, invite, a, b);
    const answer = a.bye(call.a);
    await other.expectBye();
    assert.equal((await answer).statusCode, 200);
    assert.equal((await other.final(other.inDialog(dialog, 'BYE'))).statusCode, 481);
    const [, record] = await records(2);
    assert.deepEqual([record?.calleeNumber, record?.transferredTo], ['1002', '1002']);
    await other.close();
  });

  test('RFC 3261 §13.2.1: without an offer the party that stays is asked for one, and the ACK brings the answer', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b), null);
    const asked = await a.next('INVITE');
    assert.equal(asked.body.length, 0);
    a.respond(asked, 200, { sdp: a.sdp('sendrecv', 2) });
    const ok = await other.response(invite, 200);
    assert.ok((mediaPort(ok) ?? 0) > 0);
    await b.expectBye();
    assert.equal(a.has('ACK'), false);
    const dialog = other.ack(invite, ok, other.sdp());
    assert.ok((mediaPort(await a.next('ACK')) ?? 0) > 0);
    const answer = other.bye(dialog);
    await a.expectBye();
    await answer;
    await records(2);
    await other.close();
  });

  /** A call to 1002 that rings there. */
  async function ring(): Promise<{
    invite: SipRequest;
    atB: SipRequest;
    ofA: DialogState;
    ofB: DialogState;
  }> {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    const ringing = await a.response(invite, 180);
    const ofA = { callId: invite.callId, localTag: invite.fromTag, remoteTag: ringing.toTag } as DialogState;
    return { invite, atB, ofA, ofB: b.dialogAsUas(atB) };
  }

  for (const seenBy of ['us', 'the phone'] as const)
    test(`RFC 3891 §4, RFC 4235 §4.1.1: a phone of the group picks up what rings by the name of that dialog, as seen by ${seenBy}`, async () => {
      const call = await ring();
      const { localTag, remoteTag } = call.ofB;
      const named = seenBy === 'us' ? call.ofB : { ...call.ofB, localTag: remoteTag, remoteTag: localTag };
      const picking = await replace(c, replaces(named, ';early-only'));
      const silent = await c.response(picking, 200);
      const dialog = c.ack(picking, silent);
      b.respond(await b.next('CANCEL'), 200);
      b.respond(call.atB, 487);
      c.respond(await c.next('INVITE'), 200, { sdp: c.sdp() });
      const ok = await a.response(call.invite, 200);
      await c.next('ACK');
      a.ack(call.invite, ok);
      const answer = c.bye(dialog);
      await a.expectBye();
      await answer;
      const [, record] = await records(2);
      assert.deepEqual([record?.pickedUpBy, record?.result], ['1003', 'ANSWERED']);
    });

  test('RFC 3891 §4, RFC 4235 §4.1.1: a lamp key picks up by what its NOTIFY says', async () => {
    const lamp = await subscribe(c, '1002', 'dialog');
    const call = await ring();
    let early = '';
    while (!early.includes('<state>early')) early = (await notified(c)).body.toString();
    const [, callId, local, remote] =
      /call-id="([^"]+)" local-tag="([^"]+)" remote-tag="([^"]+)"/.exec(early) ?? [];
    const picking = await c.invite('1002', undefined, (invite) => {
      invite.append('Replaces', `${callId};to-tag=${local};from-tag=${remote};early-only`);
    });
    const dialog = c.ack(picking, await c.response(picking, 200));
    b.respond(await b.next('CANCEL'), 200);
    b.respond(call.atB, 487);
    c.respond(await c.next('INVITE'), 200, { sdp: c.sdp() });
    a.ack(call.invite, await a.response(call.invite, 200));
    await c.next('ACK');
    assert.equal((await resubscribe(c, lamp.dialog, 'dialog', 0)).statusCode, 200);
    const answer = c.bye(dialog);
    await a.expectBye();
    await answer;
    const [, record] = await records(2);
    assert.deepEqual([record?.pickedUpBy, record?.result], ['1003', 'ANSWERED']);
  });

  test('RFC 3891 §3: 481, 486, 603, 403 and 400 for what cannot be replaced; the calls go on', async () => {
    const past = await connect(a, b);
    await hangUp(a, b, past);
    await records(1);
    const call: UpCall = await connect(a, b);
    const named = replaces(call.b);
    // To talk to one of them is not enough.
    const other: UpCall = await connect(c, b);
    await refused(c, 'nobody@nowhere;to-tag=x;from-tag=y', 481);
    await refused(c, replaces({ ...call.b, remoteTag: 'guessed' }), 481);
    await refused(c, replaces({ ...call.b, localTag: 'guessed' }), 481);
    await refused(c, `${named};early-only`, 486);
    await refused(c, replaces(past.b), 603);
    await refused(c, named, 403);
    await refused(c, `${call.b.callId};to-tag=x`, 400);
    await refused(c, `${named}, ${named}`, 400);
    await hangUp(a, b, call);
    await hangUp(c, b, other);
    const reasons = (await records(11)).slice(1, 9).map(({ releaseReason }) => releaseReason);
    assert.deepEqual(reasons, [
      'replaced-call-unknown',
      'replaced-call-unknown',
      'replaced-call-unknown',
      'replaced-call-answered',
      'replaced-call-over',
      'replacement-forbidden',
      'request-malformed',
      'request-malformed',
    ]);
  });

  test('RFC 3891 §3, §8: the early dialog of a caller is 481, a ringing phone of strangers 403', async () => {
    const call = await ring();
    await refused(c, replaces(call.ofA), 481);
    await refused(d, replaces(call.ofB), 403);
    b.respond(call.atB, 486);
    a.ackRefusal(call.invite, await a.response(call.invite, 486));
    await records(3);
  });

  test('RFC 3891 §3: when the party that stays refuses, the INVITE fails and the call is as it was', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b));
    a.respond(await a.next('INVITE'), 488);
    await a.next('ACK');
    other.ackRefusal(invite, await other.response(invite, 488));
    const hold = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    b.respond(await b.next('INVITE'), 200, { sdp: b.sdp('recvonly', 2) });
    await b.next('ACK');
    a.ackIn(call.a, (await a.response(hold, 200)).cseq?.seq ?? 0);
    await hangUp(a, b, call);
    await records(2);
    await other.close();
  });

  test('RFC 3261 §14.1: the party that stays has an offer of its own open: it is asked again', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1001', { register: false });
    const invite = await replace(other, replaces(call.a));
    b.respond(await b.next('INVITE'), 491);
    await b.next('ACK');
    const { dialog } = await taken(other, invite, b, a);
    const answer = other.bye(dialog);
    await b.expectBye();
    await answer;
    await records(2);
    await other.close();
  });

  test('RFC 3261 §9: the INVITE is taken back in the middle: the party that stays is led back', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b));
    const atA = await a.next('INVITE');
    other.cancel(invite);
    other.ackRefusal(invite, await other.response(invite, 487));
    a.respond(atA, 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    const back = await a.next('INVITE');
    assert.equal(back.body.toString(), call.ok.body.toString());
    a.respond(back, 200, { sdp: a.sdp('sendrecv', 3) });
    await a.next('ACK');
    await rig.stateIs('connected');
    await hangUp(a, b, call);
    const [own] = await records(2);
    assert.equal(own?.releaseReason, 'caller-cancelled');
    await other.close();
  });

  test('RFC 3261 §9: taken back when the party that stays has answered and the 200 is not out: 487, and it is led back', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b), `${other.sdp('sendrecv', 7)}a=ptime:30\r\n`);
    const atA = await a.next('INVITE');
    const answer = relay.hold('answer');
    a.respond(atA, 200, { sdp: a.sdp('sendrecv', 2) });
    await answer.reached;
    const cancel = other.cancel(invite);
    await other.response(cancel, 200);
    other.ackRefusal(invite, await other.response(invite, 487));
    // The engine answers CANCEL before call control hears of it.
    await waitFor('the end of its call', () => rig.control.count().active === 1);
    answer.release();
    await a.next('ACK');
    const back = await a.next('INVITE');
    assert.equal(back.body.toString(), call.ok.body.toString());
    a.respond(back, 200, { sdp: a.sdp('sendrecv', 3) });
    await a.next('ACK');
    await rig.stateIs('connected');
    await hangUp(a, b, call);
    const reasons = (await records(2)).map(({ releaseReason }) => releaseReason);
    assert.deepEqual(reasons, ['caller-cancelled', 'normal-clearing']);
    await other.close();
  });

  test('RFC 3261 §9.2: taken back when the 200 is out: the phone has the call', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b));
    a.respond(await a.next('INVITE'), 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    const ok = await other.response(invite, 200);
    await other.response(other.cancel(invite), 481);
    const dialog = other.ack(invite, ok);
    await b.expectBye();
    const answer = other.bye(dialog);
    await a.expectBye();
    assert.equal((await answer).statusCode, 200);
    const reasons = (await records(2)).map(({ releaseReason }) => releaseReason);
    assert.deepEqual(reasons, ['call-replaced', 'normal-clearing']);
    await other.close();
  });

  test('who is replaced hangs up in the middle, and the other phone has the call', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b));
    const atA = await a.next('INVITE');
    assert.equal((await b.bye(call.b)).statusCode, 200);
    a.respond(atA, 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    const dialog = other.ack(invite, await other.response(invite, 200));
    const answer = other.bye(dialog);
    await a.expectBye();
    await answer;
    await records(2);
    await other.close();
  });

  test('who stays hangs up in the middle: all is over, the INVITE hears 603', async () => {
    const call = await connect(a, b);
    const other = await rig.phone('1002', { register: false });
    const invite = await replace(other, replaces(call.b));
    const atA = await a.next('INVITE');
    const answer = a.bye(call.a);
    other.ackRefusal(invite, await other.response(invite, 603));
    await b.expectBye();
    await answer;
    a.respond(atA, 487);
    const [own, record] = await records(2);
    assert.deepEqual([own?.releaseReason, record?.releaseReason], ['replaced-call-over', 'normal-clearing']);
    await other.close();
  });
});
