import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import { type DialogState, dialogOfUac } from '../../../src/testkit/dialog.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

/** A busy engine tells of several things in one breath: of the 200 that it sent, and of its ACK. */
const WIRES = { 'frame by frame': 0, 'in pieces of 20 ms': 20 };

for (const [wire, coalesceMs] of Object.entries(WIRES))
  describe(`a ringing call that is picked up, the engine heard ${wire}`, () => {
    let rig: CallRig;
    let a: SipPeer;
    let b: SipPeer;
    let c: SipPeer;
    let stranger: SipPeer;
    let count = 0;
    before(async () => {
      ({ rig, a, b, c } = await startThreePhones({ coalesceMs }));
      stranger = await rig.phone('1004');
      await rig.numbering.addGroup('800', { members: ['1002', '1003'], strategy: 'LINEAR' });
    });
    after(() => rig.close());

    /** A call from 1001 rings at 1002. */
    async function ring(number = '1002') {
      const invite = await a.invite(number);
      const atB = await b.next('INVITE');
      b.respond(atB, 180);
      await a.response(invite, 180);
      return { invite, atB };
    }

    /** 1003 dials the code while 1002 rings, which is told to stop; resolves the dialog of 1003. */
    async function take(atB: SipRequest): Promise<DialogState> {
      const picking = await c.invite('*8');
      const dialog = c.ack(picking, await c.response(picking, 200));
      b.respond(await b.next('CANCEL'), 200);
      b.respond(atB, 487);
      return dialog;
    }

    /** 1003 dials a code and gets the call; resolves once both sides talk. */
    async function pickUp(code: string) {
      const call = await ring();
      const picking = await c.invite(code);
      const silent = await c.response(picking, 200);
      assert.match(silent.body.toString(), /a=inactive/);
      const dialog = c.ack(picking, silent);
      const cancel = await b.next('CANCEL');
      assert.match(cancel.get('reason') ?? '', /SIP;cause=200;text="Call completed elsewhere"/);
      b.respond(cancel, 200);
      b.respond(call.atB, 487);
      const offer = await c.next('INVITE');
      assert.equal(mediaPort(offer), mediaPort(call.atB), 'the description that the first phone had');
      c.respond(offer, 200, { sdp: c.sdp() });
      const ok = await a.response(call.invite, 200);
      assert.ok((mediaPort(ok) ?? 0) > 0);
      await c.next('ACK');
      return { a: a.ack(call.invite, ok), c: dialog };
    }

    test('RFC 3264 §8: the phone that dials the code of its group is answered, then offered what the caller offers', async () => {
      const call = await pickUp('*8');
      await rig.stateIs('connected');
      assert.deepEqual(
        rig.control.list().map(({ caller, callee }) => [caller, callee]),
        [['1001', '1003']],
      );
      const answer = a.bye(call.a);
      await c.expectBye();
      await answer;
      count += 2;
      const [picking, record] = await rig.records(count);
      assert.deepEqual(
        [picking?.callerNumber, picking?.releaseReason, picking?.result, picking?.billSec],
        ['1003', 'call-picked-up', 'ANSWERED', 0],
      );
      assert.deepEqual(
        [record?.dialledNumber, record?.calleeNumber, record?.pickedUpBy, record?.result, record?.calleePort],
        ['1002', '1003', '1003', 'ANSWERED', c.port],
      );
      assert.deepEqual(
        record?.attempts.map(({ sipStatus }) => sipStatus),
        [487, 200],
      );
    });

    test('with the number of the user that is rung, and the phone that picked it up hangs up; hold works', async () => {
      const call = await pickUp('**1002');
      const hold = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
      const atC = await c.next('INVITE');
      assert.match(atC.body.toString(), /a=sendonly/);
      c.respond(atC, 200, { sdp: c.sdp('recvonly', 2) });
      await a.response(hold, 200);
      a.ackIn(call.a, hold.cseq?.seq ?? 0);
      await c.next('ACK');
      const answer = c.bye(call.c);
      await a.expectBye();
      assert.equal((await answer).statusCode, 200);
      count += 2;
      const record = (await rig.records(count)).at(-1);
      assert.deepEqual([record?.releaseParty, record?.pickedUpBy], ['CALLEE', '1003']);
    });

    async function refusal(phone: SipPeer, code: string) {
      const invite = await phone.invite(code);
      const response = await phone.final(invite);
      phone.ackRefusal(invite, response);
      count++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return response;
    }

    test('RFC 3261 §21.4.4: nobody picks up what no group of his is rung for, nor where nothing rings', async () => {
      assert.equal((await refusal(c, '*8')).reasonPhrase, 'No call to pick up');
      const { invite, atB } = await ring();
      for (const [phone, code] of [
        [stranger, '*8'],
        [stranger, '**1002'],
        [c, '**1004'],
      ] as const)
        assert.equal((await refusal(phone, code)).statusCode, 403, code);
      b.respond(atB, 486);
      a.ackRefusal(invite, await a.response(invite, 486));
      await rig.records(++count);
    });

    test('a phone that refuses the offer after it picked the call up ends it, and so does one that hangs up', async () => {
      for (const give of ['refuse', 'bye'] as const) {
        const { invite, atB } = await ring();
        const dialog = await take(atB);
        const offer = await c.next('INVITE');
        if (give === 'refuse') {
          c.respond(offer, 488);
          await c.expectBye();
        } else await c.bye(dialog);
        const response = await a.final(invite);
        a.ackRefusal(invite, response);
        assert.equal(response.statusCode, 500);
        count += 2;
        await rig.records(count);
      }
    });

    test('the phone that picks up hangs up at once, with its ACK or without: the call rings on, or is over when it had it already', async () => {
      for (const hasAck of [true, false, true, false]) {
        const { invite, atB } = await ring();
        const picking = await c.invite('*8');
        const silent = await c.response(picking, 200);
        const answer = c.bye(hasAck ? c.ack(picking, silent) : dialogOfUac(picking, silent));
        assert.equal((await answer).statusCode, 200);
        await waitFor('the end of its call', () => rig.control.count().active < 2);
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (b.has('CANCEL')) {
          b.respond(await b.next('CANCEL'), 200);
          b.respond(atB, 487);
          a.ackRefusal(invite, await a.response(invite, 480));
        } else {
          b.respond(atB, 200, { sdp: b.sdp() });
          await b.next('ACK');
          const dialog = a.ack(invite, await a.response(invite, 200));
          const ended = a.bye(dialog);
          await b.expectBye();
          await ended;
        }
        if (c.has('INVITE')) c.respond(await c.next('INVITE'), 481);
        count += 2;
        await rig.records(count);
      }
    });

    test('RFC 3261 §14.1: an offer of the phone that picks up crosses ours: it is made again', async () => {
      const { invite, atB } = await ring();
      const dialog = await take(atB);
      const offer = await c.next('INVITE');
      const own = c.inDialog(dialog, 'INVITE', { sdp: c.sdp('sendrecv', 2) });
      const crossed = await c.response(own, 491);
      c.ackRefusal(own, crossed);
      c.respond(offer, 491);
      await c.next('ACK');
      const again = await c.next('INVITE');
      assert.equal(again.body.toString(), offer.body.toString());
      c.respond(again, 200, { sdp: c.sdp('sendrecv', 3) });
      const ok = await a.response(invite, 200);
      await c.next('ACK');
      const answer = a.bye(a.ack(invite, ok));
      await c.expectBye();
      await answer;
      count += 2;
      const record = (await rig.records(count)).at(-1);
      assert.deepEqual([record?.result, record?.pickedUpBy], ['ANSWERED', '1003']);
    });

    test('RFC 3261 §14.1: the caller gives up while our offer waits to be made again: nothing is sent any more', async () => {
      const { invite, atB } = await ring();
      await take(atB);
      c.respond(await c.next('INVITE'), 491);
      await c.next('ACK');
      a.cancel(invite);
      a.ackRefusal(invite, await a.response(invite, 487));
      await c.expectBye();
      count += 2;
      const record = (await rig.records(count)).at(-1);
      assert.deepEqual([record?.result, record?.pickedUpBy], ['CANCELLED', '1003']);
    });

    test('RFC 3261 §9.2: a caller that gives up while its call is picked up leaves nobody behind', async () => {
      const { invite, atB } = await ring();
      await take(atB);
      const offer = await c.next('INVITE');
      a.cancel(invite);
      a.ackRefusal(invite, await a.response(invite, 487));
      await c.expectBye();
      c.respond(offer, 487);
      count += 2;
      const record = (await rig.records(count)).at(-1);
      assert.deepEqual([record?.result, record?.pickedUpBy], ['CANCELLED', '1003']);
    });

    test('a member whose own phone rings with the others picks up too', async () => {
      await rig.numbering.addGroup('801', { members: ['1002', '1003'], strategy: 'ALL' });
      const invite = await a.invite('801');
      const atB = await b.next('INVITE');
      const atC = await c.next('INVITE');
      b.respond(atB, 180);
      c.respond(atC, 180);
      await a.response(invite, 180);
      const picking = await c.invite('**801');
      c.ack(picking, await c.response(picking, 200));
      for (const [phone, rung] of [
        [b, atB],
        [c, atC],
      ] as const) {
        phone.respond(await phone.next('CANCEL'), 200);
        phone.respond(rung, 487);
      }
      const offer = await c.next('INVITE');
      c.respond(offer, 200, { sdp: c.sdp() });
      const ok = await a.response(invite, 200);
      const answer = a.bye(a.ack(invite, ok));
      await c.expectBye();
      await answer;
      count += 2;
      const record = (await rig.records(count)).at(-1);
      assert.deepEqual([record?.group, record?.calleeNumber, record?.result], ['801', '1003', 'ANSWERED']);
    });
  });
