import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import type { DialogState } from '../../../src/testkit/dialog.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { connect, hangUp, mediaPort, type UpCall } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { notified, refer, referred, replacing } from '../../support/transfer-steps.js';
import { waitFor } from '../../support/wait-for.js';

/** Phone `a` calls `b`; one of them transfers the other to `c`. */
describe('call transfer', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones());
  });
  after(() => rig.close());

  /** A REFER to 1003 is taken and `c` rings. */
  async function ringC(by: SipPeer, dialog: DialogState): Promise<SipRequest> {
    const request = refer(by, dialog, 'sip:1003@127.0.0.1');
    assert.equal((await by.final(request)).statusCode, 202);
    await notified(by, '100 Trying', /^active;expires=\d+$/);
    const atC = await c.next('INVITE');
    c.respond(atC, 180);
    await notified(by, '180 Ringing', /^active/);
    return atC;
  }

  /** `stays` gets the new phone's description and answers it. */
  async function rejoined(stays: SipPeer): Promise<void> {
    const offer = await stays.next('INVITE');
    assert.match(offer.body.toString(), /a=sendrecv/);
    stays.respond(offer, 200, { sdp: stays.sdp('sendrecv', 2) });
    await stays.next('ACK');
  }

  async function transferred(by: SipPeer): Promise<void> {
    await notified(by, '200 OK', /^terminated/);
    await by.expectBye();
  }

  function parties(call: UpCall, by: 'a' | 'b') {
    return by === 'a'
      ? { by: a, stays: b, byDialog: call.a, staysDialog: call.b }
      : { by: b, stays: a, byDialog: call.b, staysDialog: call.a };
  }

  for (const who of ['a', 'b'] as const)
    test(`RFC 5589 §6.1, RFC 3515 §2.4.4, RFC 3892 §2.2: blind, by the ${who === 'a' ? 'caller' : 'callee'}`, async () => {
      const call = await connect(a, b);
      const { by, stays, byDialog, staysDialog } = parties(call, who);
      const atC = await ringC(by, byDialog);
      assert.match(atC.get('from') ?? '', new RegExp(`sip:${stays.username}@`));
      assert.match(atC.get('referred-by') ?? '', new RegExp(`sip:${by.username}@`));
      assert.ok((mediaPort(atC) ?? 0) > 0);
      c.respond(atC, 200, { sdp: c.sdp() });
      await c.next('ACK');
      await Promise.all([rejoined(stays), transferred(by)]);
      await rig.stateIs('connected');

      const hold = stays.inDialog(staysDialog, 'INVITE', { sdp: stays.sdp('sendonly', 3) });
      const heldAtC = await c.next('INVITE');
      c.respond(heldAtC, 200, { sdp: c.sdp('recvonly', 2) });
      await stays.response(hold, 200);
      stays.ackIn(staysDialog, hold.cseq?.seq ?? 0);
      await c.next('ACK');
      const answer = c.bye(c.dialogAsUas(atC));
      await stays.expectBye();
      assert.equal((await answer).statusCode, 200);
      const record = (await rig.records(++count)).at(-1);
      assert.deepEqual(
        [
          record?.callerNumber,
          record?.calleeNumber,
          record?.transferredBy,
          record?.transferredTo,
          record?.result,
        ],
        ['1001', '1002', by.username, '1003', 'ANSWERED'],
      );
      assert.equal(record?.releaseParty, who === 'a' ? 'CALLER' : 'CALLEE');
      assert.ok((record?.transferTime ?? 0) >= (record?.answerTime ?? Number.POSITIVE_INFINITY));
    });

  for (const who of ['a', 'b'] as const)
    for (const consulting of ['caller', 'callee'] as const)
      test(`RFC 5589 §7.3, RFC 3891 §3: attended by ${who}, ${consulting} of the second call`, async () => {
        const call = await connect(a, b);
        const { by, stays, byDialog, staysDialog } = parties(call, who);
        const second = consulting === 'caller' ? await connect(by, c) : await connect(c, by);
        const byToC = consulting === 'caller' ? second.a : second.b;
        const cDialog = consulting === 'caller' ? second.b : second.a;
        const request = refer(by, byDialog, replacing('sip:1003@127.0.0.1', byToC));
        assert.equal((await by.final(request)).statusCode, 202);
        await notified(by, '100 Trying', /^active/);
        const offer = await c.next('INVITE');
        c.respond(offer, 200, { sdp: c.sdp('sendrecv', 2) });
        await c.next('ACK');
        await rejoined(stays);
        await notified(by, '200 OK', /^terminated/);
        await by.expectBye();
        await by.expectBye();
        const answer = stays.bye(staysDialog);
        await c.expectBye();
        assert.equal((await answer).statusCode, 200);
        assert.equal(cDialog.callId, offer.callId);
        count += 2;
        const [consulted, record] = (await rig.records(count)).slice(-2);
        assert.deepEqual(
          [consulted?.releaseReason, consulted?.transferredBy, consulted?.transferredTo],
          ['call-transferred', by.username, stays.username],
        );
        assert.deepEqual(
          [record?.releaseReason, record?.transferredBy, record?.transferredTo],
          ['normal-clearing', by.username, '1003'],
        );
      });

  test('RFC 3264 §8: after a hold both hear each other, the one who transferred hears nothing', async () => {
    const [atA, atB, atC] = await Promise.all([openRtp(), openRtp(), openRtp()]);
    try {
      const invite = await a.invite('1002', atA.sdp());
      const ringing = await b.next('INVITE');
      b.respond(ringing, 200, { sdp: atB.sdp() });
      await b.next('ACK');
      const aDialog = a.ack(invite, await a.response(invite, 200));
      const bDialog = b.dialogAsUas(ringing);
      const hold = b.inDialog(bDialog, 'INVITE', { sdp: atB.sdp('sendonly') });
      a.respond(await a.next('INVITE'), 200, { sdp: atA.sdp('recvonly') });
      await b.response(hold, 200);
      b.ackIn(bDialog, hold.cseq?.seq ?? 0);
      await a.next('ACK');
      await rig.stateIs('held');
      const invited = await ringC(b, bDialog);
      assert.match(invited.body.toString(), /a=sendrecv/);
      c.respond(invited, 200, { sdp: atC.sdp() });
      await c.next('ACK');
      const offer = await a.next('INVITE');
      a.respond(offer, 200, { sdp: atA.sdp() });
      await Promise.all([a.next('ACK'), transferred(b)]);
      await rig.stateIs('connected');
      await waitFor('media both ways', () => {
        atA.send(mediaPort(offer));
        atC.send(mediaPort(invited));
        return atA.heard.has(atC.ssrc) && atC.heard.has(atA.ssrc);
      });
      assert.equal(atB.heard.has(atC.ssrc), false);
      const answer = a.bye(aDialog);
      await c.expectBye();
      await answer;
      const record = (await rig.records(++count)).at(-1);
      assert.ok((record?.media[0]?.packetsFromA ?? 0) > 0);
      assert.ok((record?.holdMs ?? 0) <= (record?.transferTime ?? 0) - (record?.answerTime ?? 0));
    } finally {
      for (const { close } of [atA, atB, atC]) close();
    }
  });

  test('RFC 3515 §2.4.5: a target that is busy is told, and the old call goes on', async () => {
    const call = await connect(a, b);
    const atC = await ringC(b, call.b);
    c.respond(atC, 486);
    await notified(b, '486 Busy Here', /^terminated/);
    const hold = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    await a.response(hold, 200);
    a.ackIn(call.a, hold.cseq?.seq ?? 0);
    await b.next('ACK');
    await hangUp(a, b, call);
    const record = (await rig.records(++count)).at(-1);
    assert.equal(record?.transferredBy, undefined);
    assert.deepEqual(
      record?.attempts.map(({ sipStatus }) => sipStatus),
      [200, 486],
    );
  });

  test('a number that nobody has is told by NOTIFY 404; RFC 3515 §2.4.6: the second REFER has its id', async () => {
    const call = await connect(a, b);
    for (const isSecond of [false, true]) {
      const request = refer(a, call.a, 'sip:7777@127.0.0.1');
      assert.equal((await a.final(request)).statusCode, 202);
      const event = isSecond ? `refer;id=${request.cseq?.seq}` : 'refer';
      await notified(a, '100 Trying', /^active/, event);
      await notified(a, '404 Not Found', /^terminated/, event);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await hangUp(a, b, call);
    await rig.records(++count);
  });

  test('RFC 4488 §4: without a subscription nothing is told', async () => {
    const call = await connect(a, b);
    const request = refer(b, call.b, 'sip:1003@127.0.0.1', { 'Refer-Sub': 'false' });
    const accepted = await b.final(request);
    assert.deepEqual([accepted.statusCode, accepted.get('refer-sub')], [202, 'false']);
    const atC = await c.next('INVITE');
    c.respond(atC, 200, { sdp: c.sdp() });
    await c.next('ACK');
    await rejoined(a);
    await b.expectBye();
    assert.equal(b.has('NOTIFY'), false);
    const answer = a.bye(call.a);
    await c.expectBye();
    await answer;
    await rig.records(++count);
  });

  for (const answers of [true, false])
    test(`the one who transfers hangs up at once and the target ${answers ? 'answers' : 'refuses'}`, async () => {
      const call = await connect(a, b);
      const atC = await ringC(b, call.b);
      assert.equal((await b.bye(call.b)).statusCode, 200);
      assert.equal(a.has('BYE'), false);
      if (answers) {
        c.respond(atC, 200, { sdp: c.sdp() });
        await c.next('ACK');
        await rejoined(a);
        const answer = a.bye(call.a);
        await c.expectBye();
        await answer;
      } else {
        c.respond(atC, 603);
        await a.expectBye();
      }
      const record = (await rig.records(++count)).at(-1);
      assert.equal(record?.transferredBy, answers ? '1002' : undefined);
      assert.equal(record?.result, 'ANSWERED');
    });

  test('the party that stays hangs up while the target rings: all is over', async () => {
    const call = await connect(a, b);
    const atC = await ringC(b, call.b);
    const answer = a.bye(call.a);
    await notified(b, '487 Request Terminated', /^terminated/);
    await b.expectBye();
    const cancel = await c.next('CANCEL');
    c.respond(cancel, 200);
    c.respond(atC, 487);
    await answer;
    await rig.records(++count);
  });

  test('the target hangs up before the party that stays has answered', async () => {
    const call = await connect(a, b);
    const atC = await ringC(b, call.b);
    c.respond(atC, 200, { sdp: c.sdp() });
    await c.next('ACK');
    const offer = await a.next('INVITE');
    await transferred(b);
    const answer = c.bye(c.dialogAsUas(atC));
    await a.expectBye();
    a.respond(offer, 487);
    assert.equal((await answer).statusCode, 200);
    await rig.records(++count);
  });

  test('attended: whom it is about refuses, then both calls go on', async () => {
    const call = await connect(a, b);
    const second = await connect(b, c);
    const request = refer(b, call.b, replacing('sip:1003@127.0.0.1', second.a));
    assert.equal((await b.final(request)).statusCode, 202);
    await notified(b, '100 Trying', /^active/);
    // RFC 3261 §14.1: its own offer crossed ours, so it is asked again.
    c.respond(await c.next('INVITE'), 491);
    await c.next('ACK');
    c.respond(await c.next('INVITE'), 488);
    await notified(b, '488 Not Acceptable Here', /^terminated/);
    await hangUp(b, c, second);
    await hangUp(a, b, call);
    count += 2;
    await rig.records(count);
  });

  for (const leaving of ['stays', 'target'] as const)
    test(`attended: the party that is the ${leaving} hangs up in the middle, the other call goes on`, async () => {
      const call = await connect(a, b);
      const second = await connect(b, c);
      await referred(b, call.b, replacing('sip:1003@127.0.0.1', second.a));
      await notified(b, '100 Trying', /^active/);
      const offer = await c.next('INVITE');
      const answer = leaving === 'stays' ? a.bye(call.a) : c.bye(second.b);
      await notified(b, '487 Request Terminated', /^terminated/);
      await b.expectBye();
      assert.equal((await answer).statusCode, 200);
      c.respond(offer, 487);
      await c.next('ACK');
      if (leaving === 'stays') await hangUp(b, c, second);
      else await hangUp(a, b, call);
      count += 2;
      await rig.records(count);
    });

  test('RFC 3261 §14.1: the party that stays has an offer of its own open: it is asked again', async () => {
    const call = await connect(a, b);
    const atC = await ringC(b, call.b);
    c.respond(atC, 200, { sdp: c.sdp() });
    await c.next('ACK');
    a.respond(await a.next('INVITE'), 491);
    await a.next('ACK');
    await transferred(b);
    await rejoined(a);
    const answer = a.bye(call.a);
    await c.expectBye();
    await answer;
    await rig.records(++count);
  });

  test('RFC 3261 §12.2.1.2: the party that stays knows the call no more: the target gets BYE', async () => {
    const call = await connect(a, b);
    const atC = await ringC(b, call.b);
    c.respond(atC, 200, { sdp: c.sdp() });
    await c.next('ACK');
    a.respond(await a.next('INVITE'), 481);
    await a.next('ACK');
    await transferred(b);
    await c.expectBye();
    const bye = a.next('BYE', 300).catch(() => undefined);
    const atA = await bye;
    if (atA) a.respond(atA, 481);
    const record = (await rig.records(++count)).at(-1);
    assert.equal(record?.releaseReason, 'dialog-lost');
  });

  test('attended: it hangs both calls up at once', async () => {
    const call = await connect(a, b);
    const second = await connect(b, c);
    await referred(b, call.b, replacing('sip:1003@127.0.0.1', second.a));
    await notified(b, '100 Trying', /^active/);
    const offer = await c.next('INVITE');
    assert.equal((await b.bye(second.a)).statusCode, 200);
    assert.equal((await b.bye(call.b)).statusCode, 200);
    c.respond(offer, 200, { sdp: c.sdp('sendrecv', 2) });
    await c.next('ACK');
    await rejoined(a);
    const answer = a.bye(call.a);
    await c.expectBye();
    await answer;
    count += 2;
    await rig.records(count);
  });

  test('RFC 3261 §14.2: REFER while an offer is open, and an offer while a transfer is, are 491', async () => {
    const call = await connect(a, b);
    const hold = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    assert.equal((await referred(b, call.b, 'sip:1003@127.0.0.1')).statusCode, 491);
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    await a.response(hold, 200);
    a.ackIn(call.a, hold.cseq?.seq ?? 0);
    await b.next('ACK');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const atC = await ringC(b, call.b);
    const again = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendrecv', 3) });
    const refused = await a.response(again, 491);
    a.ackRefusal(again, refused);
    assert.equal((await referred(b, call.b, 'sip:1003@127.0.0.1')).statusCode, 491);
    c.respond(atC, 486);
    await notified(b, '486 Busy Here', /^terminated/);
    await hangUp(a, b, call);
    await rig.records(++count);
  });

  test('RFC 3515 §2.4.2, RFC 3891 §6.1: refused are other hosts, other methods, two targets, calls of others', async () => {
    const call = await connect(a, b);
    const d = await rig.phone('1004');
    const foreign = await connect(c, d);
    for (const [to, status] of [
      ['sip:1003@elsewhere.example', 403],
      ['sip:1003@127.0.0.1;method=BYE', 403],
      ['http://127.0.0.1/', 416],
      ['sip:127.0.0.1', 484],
      ['sip:1003@127.0.0.1>, <sip:1004@127.0.0.1', 400],
      [replacing('sip:1004@127.0.0.1', foreign.a), 404],
      ['sip:1004@127.0.0.1?Replaces=only-an-id', 400],
    ] as const)
      assert.equal((await referred(b, call.b, to)).statusCode, status, to);
    await hangUp(c, d, foreign);
    await hangUp(a, b, call);
    count += 2;
    await rig.records(count);
  });
});

/** A socket for RTP that notes whose packets it gets. */
async function openRtp() {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const heard = new Set<number>();
  socket.on('message', (packet) => heard.add(packet.readUInt32BE(8)));
  const packet = Buffer.alloc(172);
  packet[0] = 0x80;
  packet.writeUInt32BE(port, 8);
  let version = 1;
  return {
    ssrc: port,
    heard,
    sdp: (direction = 'sendrecv') => audioSdp('127.0.0.1', port, direction, version++),
    send: (to: number | undefined) => socket.send(packet, to ?? 0, '127.0.0.1'),
    close: () => socket.close(),
  };
}
