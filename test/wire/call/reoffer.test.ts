import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp, mediaPort, type UpCall } from '../../support/call-steps.js';
import { HeldRelay } from '../../support/held-relay.js';
import { openRelay } from '../../support/rig-parts.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

describe('a new offer inside a call', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let call: UpCall;
  let count = 0;
  let relay: HeldRelay;
  before(async () => {
    relay = new HeldRelay(await openRelay(silentLogger));
    ({ rig, a, b } = await startTwoPhones({ relay }));
  });
  after(async () => {
    await rig?.close();
    await relay.close();
  });
  beforeEach(async () => {
    call = await connect(a, b);
  });
  afterEach(async () => {
    if (rig.control.count().active > 0) await hangUp(a, b, call);
    await rig.records(++count);
  });

  /** A re-INVITE from one phone that the other answers; resolves what both saw. */
  async function reinvite(from: 'a' | 'b', offer: string, answer: string) {
    const [x, y] = from === 'a' ? [a, b] : [b, a];
    const request = x.inDialog(call[from], 'INVITE', { sdp: offer });
    const atY = await y.next('INVITE');
    y.respond(atY, 200, { sdp: answer });
    const ok = await x.response(request, 200);
    await y.next('ACK');
    x.ackIn(call[from], request.cseq?.seq ?? 0);
    return { atY, ok };
  }

  /** The other phone is asked to go on as before, and may offer again. */
  async function expectLedBack(): Promise<void> {
    const back = await b.next('INVITE');
    assert.equal(back.body.toString(), call.atB.body.toString());
    b.respond(back, 200, { sdp: b.sdp('sendrecv', 3) });
    await b.next('ACK');
    await rig.stateIs('connected');
    await reinvite('b', b.sdp('sendrecv', 4), a.sdp('sendrecv', 3));
  }

  for (const from of ['a', 'b'] as const)
    test(`RFC 3264 §8.4: hold and resume from ${from} reach the other phone and the record`, async () => {
      const [x, y] = from === 'a' ? [a, b] : [b, a];
      const { atY, ok } = await reinvite(from, x.sdp('sendonly', 2), y.sdp('recvonly', 2));
      assert.match(atY.body.toString(), /a=sendonly/);
      assert.match(ok.body.toString(), /a=recvonly/);
      await rig.stateIs('held');
      const resumed = await reinvite(from, x.sdp('sendrecv', 3), y.sdp('sendrecv', 3));
      assert.match(resumed.atY.body.toString(), /a=sendrecv/);
      await rig.stateIs('connected');
      assert.equal(mediaPort(resumed.ok), mediaPort(ok));
      await hangUp(a, b, call);
      const record = (await rig.records(count + 1)).at(-1);
      assert.equal(record?.reinvites, 2);
      assert.ok((record?.holdMs ?? 0) > 0);
    });

  test('RFC 3264 §8.1: an added video stream gets a port of the relay on both sides', async () => {
    const video = 'm=video 41500 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n';
    const { atY, ok } = await reinvite('a', a.sdp('sendrecv', 2) + video, b.sdp('sendrecv', 2) + video);
    for (const message of [atY, ok]) {
      assert.ok((mediaPort(message, 'video') ?? 0) > 0);
      assert.notEqual(mediaPort(message, 'video'), 41_500);
    }
  });

  test('RFC 3261 §14.1: a refused offer comes back as refused, and the call goes on', async () => {
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    b.respond(await b.next('INVITE'), 488);
    await b.next('ACK');
    const refused = await a.response(request, 488);
    a.ackRefusal(request, refused);
    await rig.stateIs('connected');
    await reinvite('b', b.sdp('sendrecv', 2), a.sdp('sendrecv', 2));
  });

  test('RFC 3261 §21.4.26: an offer that cannot be relayed is 488 and goes no further', async () => {
    const request = a.inDialog(call.a, 'INVITE', { sdp: 'v=0\r\nnonsense\r\n' });
    a.ackRefusal(request, await a.response(request, 488));
    assert.equal(b.has('INVITE'), false);
    await rig.stateIs('connected');
  });

  test('RFC 3261 §14.2: offers of both sides at once are 491 to the second', async () => {
    const fromA = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    const fromB = b.inDialog(call.b, 'INVITE', { sdp: b.sdp('sendonly', 2) });
    b.ackRefusal(fromB, await b.response(fromB, 491));
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    await a.response(fromA, 200);
    await b.next('ACK');
    a.ackIn(call.a, fromA.cseq?.seq ?? 0);
  });

  /** Both phones make an offer at the same moment; each hears 491, whichever came first. */
  async function collide(methods: readonly ['INVITE' | 'UPDATE', 'INVITE' | 'UPDATE']): Promise<void> {
    const fromA = a.inDialog(call.a, methods[0], { sdp: a.sdp('sendonly', 2) });
    const fromB = b.inDialog(call.b, methods[1], { sdp: b.sdp('sendonly', 2) });
    const sides = [
      { phone: a, mine: fromA },
      { phone: b, mine: fromB },
    ];
    // Whoever is asked by us has an offer of its own open (RFC 3261 §14.2).
    await waitFor('an INVITE of ours', () => a.has('INVITE') || b.has('INVITE'));
    const asked = a.has('INVITE') ? a : b;
    asked.respond(await asked.next('INVITE'), 491);
    await asked.next('ACK');
    for (const { phone, mine } of sides) {
      const refused = await phone.final(mine);
      assert.equal(refused.statusCode, 491);
      if (mine.method === 'INVITE') phone.ackRefusal(mine, refused);
    }
  }

  for (const methods of [
    ['INVITE', 'INVITE'],
    ['UPDATE', 'INVITE'],
    ['INVITE', 'UPDATE'],
  ] as const)
    test(`RFC 3261 §14.1, RFC 3311 §5.2: ${methods.join(' and ')} that cross are 491 on both legs; who did not make the Call-ID is first to try again`, async () => {
      await collide(methods);
      // The callee's phone waits 0 to 2 s, the caller's 2.1 to 4 s.
      const { atY, ok } = await reinvite('b', b.sdp('sendonly', 3), a.sdp('recvonly', 3));
      assert.match(atY.body.toString(), /a=sendonly/);
      assert.match(ok.body.toString(), /a=recvonly/);
      await reinvite('a', a.sdp('inactive', 4), b.sdp('inactive', 4));
      await rig.stateIs('held');
      // What was agreed on last holds, for the relay too.
      const back = await reinvite('a', a.sdp('sendrecv', 5), b.sdp('sendrecv', 5));
      assert.match(back.ok.body.toString(), /a=sendrecv/);
    });

  test('RFC 3261 §14.2: a second offer before the first was answered is 500 with Retry-After', async () => {
    const first = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    const second = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendrecv', 3) });
    const refused = await a.response(second, 500);
    a.ackRefusal(second, refused);
    assert.match(refused.get('retry-after') ?? '', /^([0-9]|10)$/);
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    await a.response(first, 200);
    await b.next('ACK');
    a.ackIn(call.a, first.cseq?.seq ?? 0);
  });

  test('RFC 3261 §14.2: before the caller acknowledged the 200 the callee hears 491', async () => {
    await hangUp(a, b, call);
    await rig.records(++count);
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    const dialog = b.dialogAsUas(atB);
    const early = b.inDialog(dialog, 'INVITE', { sdp: b.sdp('sendonly', 2) });
    b.ackRefusal(early, await b.response(early, 491));
    call = { invite, ok, atB, a: a.ack(invite, ok), b: dialog };
  });

  test('RFC 3261 §14.1: a re-INVITE without a description asks the other phone for one', async () => {
    const request = a.inDialog(call.a, 'INVITE');
    const atB = await b.next('INVITE');
    assert.equal(atB.body.length, 0);
    b.respond(atB, 200, { sdp: b.sdp('sendrecv', 2) });
    const ok = await a.response(request, 200);
    assert.ok((mediaPort(ok) ?? 0) > 0);
    assert.equal(b.has('ACK'), false);
    a.ackIn(call.a, request.cseq?.seq ?? 0, a.sdp('sendrecv', 2));
    assert.ok((mediaPort(await b.next('ACK')) ?? 0) > 0);
  });

  test('RFC 3311 §5.2: UPDATE with an offer is answered with the other phone’s answer', async () => {
    const update = a.inDialog(call.a, 'UPDATE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    await b.next('ACK');
    const ok = await a.response(update, 200);
    assert.match(ok.body.toString(), /a=recvonly/);
    assert.ok(ok.get('contact'));
    await rig.stateIs('held');
  });

  test('RFC 3311 §5.2: UPDATE of the phone that is being asked is 491, and an INFO under way loses none', async () => {
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    const update = b.inDialog(call.b, 'UPDATE', { sdp: b.sdp('sendonly', 2) });
    assert.equal((await b.final(update)).statusCode, 491);
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    await a.response(request, 200);
    await b.next('ACK');
    a.ackIn(call.a, request.cseq?.seq ?? 0);
    const info = a.inDialog(call.a, 'INFO');
    const infoAtB = await b.next('INFO');
    const refresh = b.inDialog(call.b, 'UPDATE');
    assert.equal((await b.final(refresh)).statusCode, 200);
    b.respond(infoAtB, 200);
    assert.equal((await a.final(info)).statusCode, 200);
  });

  test('RFC 3311 §5.2: UPDATE without an offer is answered here', async () => {
    const update = b.inDialog(call.b, 'UPDATE');
    assert.equal((await b.response(update, 200)).body.length, 0);
    assert.equal(a.has('UPDATE') || a.has('INVITE'), false);
  });

  test('RFC 3261 §15.1.2: BYE while an offer is open ends the call and answers the offer 487', async () => {
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    const bye = b.inDialog(call.b, 'BYE');
    await b.response(bye, 200);
    a.ackRefusal(request, await a.response(request, 487));
    await a.expectBye();
    b.respond(atB, 487);
    const record = (await rig.records(count + 1)).at(-1);
    assert.deepEqual([record?.result, record?.releaseParty], ['ANSWERED', 'CALLEE']);
  });

  test('RFC 3261 §9.2: CANCEL of a re-INVITE takes it back from the other phone; the call goes on', async () => {
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    a.cancel(request);
    a.ackRefusal(request, await a.response(request, 487));
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await b.next('ACK');
    await rig.stateIs('connected');
    await reinvite('b', b.sdp('sendrecv', 2), a.sdp('sendrecv', 2));
  });

  test('RFC 3261 §9.2, §14.2: a re-INVITE is taken back when the other phone has answered: it is led back, and may offer again', async () => {
    const answer = relay.hold('answer');
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    b.respond(await b.next('INVITE'), 200, { sdp: b.sdp('recvonly', 2) });
    await b.next('ACK');
    await answer.reached;
    await a.response(a.cancel(request), 200);
    a.ackRefusal(request, await a.response(request, 487));
    // The engine answers CANCEL before call control hears of it, which it has when a later request is through.
    const info = a.inDialog(call.a, 'INFO');
    b.respond(await b.next('INFO'), 200);
    await a.response(info, 200);
    answer.release();
    await expectLedBack();
  });

  test('RFC 3261 §9.1, §14.2: the other phone answers a re-INVITE as its CANCEL comes: it is led back', async () => {
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    a.cancel(request);
    a.ackRefusal(request, await a.response(request, 487));
    const cancel = await b.next('CANCEL');
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    b.respond(cancel, 200);
    await b.next('ACK');
    await expectLedBack();
  });

  test('RFC 3261 §12.2.1.2: 481 of the other phone ends the call on both sides', async () => {
    const request = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    b.respond(await b.next('INVITE'), 481);
    await b.next('ACK');
    a.ackRefusal(request, await a.final(request));
    await a.expectBye();
    b.respond(await b.next('BYE'), 481);
    const record = (await rig.records(count + 1)).at(-1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'dialog-lost']);
  });
});
