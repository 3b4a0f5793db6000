import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { CallRecord } from '../../../src/cdr/types.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { sayStep } from '../../../src/routing/steps.js';
import type { SipRequest, SipResponse } from '../../../src/sip/message.js';
import type { DialogState } from '../../../src/testkit/dialog.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { AudioPhone } from '../../support/audio-phone.js';
import { type CallRig, type CallRigOptions, startThreePhones } from '../../support/call-rig.js';
import { connect, mediaPort } from '../../support/call-steps.js';
import { freePorts } from '../../support/free-ports.js';
import { HeldRelay } from '../../support/held-relay.js';
import { openRelay } from '../../support/rig-parts.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { referred, replacing, untilTerminated } from '../../support/transfer-steps.js';
import { addTrunk } from '../../support/trunk-steps.js';
import { waitFor } from '../../support/wait-for.js';

const ROOM = 'conf_team';
const [TONE_A, TONE_B] = [440, 1000] as const;
const TONES = [TONE_A, TONE_B];

/** What the two members' calls do beside talking. */
describe('members of conference rooms', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let earA: AudioPhone;
  let earB: AudioPhone;
  let relay: HeldRelay;

  async function start(options: CallRigOptions = {}): Promise<void> {
    ({ rig, a, b, c } = await startThreePhones({ relay, ...options }));
    await rig.conferences.modify({ hasTones: false });
  }
  beforeEach(async () => {
    [earA, earB] = [await AudioPhone.open(), await AudioPhone.open()];
    relay = new HeldRelay(await openRelay(silentLogger));
  });
  afterEach(async () => {
    earA.close();
    earB.close();
    await rig.close();
    await relay.close();
  });

  const sdpOf = (ear: AudioPhone, direction = 'sendrecv', version = 1): string =>
    audioSdp('127.0.0.1', ear.port, direction, version);
  const aLaw = (ear: AudioPhone): string =>
    sdpOf(ear).replace('RTP/AVP 0', 'RTP/AVP 8 0').replace('rtpmap:0 PCMU', 'rtpmap:8 PCMA');
  const withEvents = (ear: AudioPhone): string =>
    `${sdpOf(ear).replace('RTP/AVP 0', 'RTP/AVP 0 101')}a=rtpmap:101 telephone-event/8000\r\n`;

  async function join(
    phone: SipPeer,
    sdp: string,
    number = ROOM,
  ): Promise<{ ok: SipResponse; dialog: DialogState; port: number }> {
    const invite = await phone.invite(number, sdp);
    const ok = await phone.response(invite, 200);
    return { ok, dialog: phone.ack(invite, ok), port: mediaPort(ok)! };
  }

  const hears = (ear: AudioPhone, tones: readonly number[]): Promise<void> =>
    waitFor(`to hear ${tones}`, () => ear.heard.length > 30 && `${ear.chord(TONES)}` === `${tones}`);

  async function allLeave(count: number, ...members: [SipPeer, DialogState][]) {
    for (const [phone, dialog] of members) assert.equal((await phone.bye(dialog)).statusCode, 200);
    const records = await rig.records(count);
    await waitFor('no endpoint', async () => (await rig.audio.stats()).endpoints === 0);
    assert.deepEqual(rig.conferences.rooms(), []);
    return records;
  }

  /** Both are members, and 1002 hears 1001 anew. */
  async function staysHeard(): Promise<void> {
    assert.equal(rig.conferences.members(ROOM).length, 2);
    earB.forget();
    await hears(earB, [TONE_A]);
  }

  function normallyOver(records: readonly CallRecord[]): void {
    assert.deepEqual(
      records.map(({ result, releaseReason }) => [result, releaseReason]),
      [
        ['ANSWERED', 'normal-clearing'],
        ['ANSWERED', 'normal-clearing'],
      ],
    );
  }

  test('one talks PCMA, the other PCMU: each hears the other by its own law', async () => {
    await start();
    const [inA, inB] = [await join(a, aLaw(earA)), await join(b, sdpOf(earB))];
    assert.match(inA.ok.body.toString(), /^m=audio \d+ RTP\/AVP 8\r$/m);
    earA.say(TONE_A, inA.port, 'PCMA');
    earB.say(TONE_B, inB.port);
    await hears(earA, [TONE_B]);
    await hears(earB, [TONE_A]);
    assert.equal(earA.heard.at(-1)?.payloadType, 8);
    assert.equal(earB.heard.at(-1)?.payloadType, 0);
    await allLeave(2, [a, inA.dialog], [b, inB.dialog]);
  });

  test('RFC 3264 §8.4: who holds neither hears nor is heard, and comes back; the Contact stays a focus', async () => {
    await start();
    const [inA, inB] = [await join(a, sdpOf(earA)), await join(b, sdpOf(earB))];
    earA.say(TONE_A, inA.port);
    earB.say(TONE_B, inB.port);
    await hears(earB, [TONE_A]);
    const reinvite = async (direction: string, version: number): Promise<SipResponse> => {
      const request = a.inDialog(inA.dialog, 'INVITE', { sdp: sdpOf(earA, direction, version) });
      const ok = await a.response(request, 200);
      a.ackIn(inA.dialog, request.cseq?.seq ?? 0);
      return ok;
    };
    const held = await reinvite('sendonly', 2);
    assert.match(held.body.toString(), /a=recvonly/);
    assert.match(held.get('contact') ?? '', />;isfocus$/);
    await hears(earB, []);
    earA.forget();
    earB.forget();
    await waitFor('a while to go by', () => earB.heard.length > 25);
    assert.equal(earA.heard.length, 0, 'nothing is sent to who holds');
    assert.deepEqual(earB.chord(TONES), [], 'its music is not for the others');
    assert.deepEqual(
      rig.conferences.members(ROOM).map(({ member, isHeld }) => [member, isHeld]),
      [
        ['1001', true],
        ['1002', false],
      ],
    );
    const back = await reinvite('sendrecv', 3);
    const version = (ok: SipResponse): number => Number(/^o=\S+ \S+ (\d+)/m.exec(ok.body.toString())?.[1]);
    assert.equal(version(back), version(held) + 1, 'RFC 3264 §8');
    await hears(earB, [TONE_A]);
    await hears(earA, [TONE_B]);
    const records = await allLeave(2, [a, inA.dialog], [b, inB.dialog]);
    const record = records.find(({ callerNumber }) => callerNumber === '1001');
    assert.equal(record?.reinvites, 2);
    assert.ok((record?.holdMs ?? 0) > 0);
  });

  for (const held of ['offer', 'answer'] as const)
    test(`RFC 3261 §14.2: a member that takes its re-INVITE back while the relay has its ${held} is still in the room`, async () => {
      await start();
      const [inA, inB] = [await join(a, sdpOf(earA)), await join(b, sdpOf(earB))];
      earA.say(TONE_A, inA.port);
      await hears(earB, [TONE_A]);
      for (let version = 2; version < 5; version++) {
        const middle = relay.hold(held);
        const request = a.inDialog(inA.dialog, 'INVITE', { sdp: sdpOf(earA, 'sendrecv', version) });
        await middle.reached;
        await a.response(a.cancel(request), 200);
        a.ackRefusal(request, await a.response(request, 487));
        // The engine answers CANCEL before call control hears of it, which it has when a later request is answered.
        await a.response(a.inDialog(inA.dialog, 'INFO'), 200);
        middle.release();
        await staysHeard();
      }
      // An offer that is not taken back is agreed on as ever.
      const request = a.inDialog(inA.dialog, 'INVITE', { sdp: sdpOf(earA, 'sendrecv', 5) });
      await a.response(request, 200);
      a.ackIn(inA.dialog, request.cseq?.seq ?? 0);
      await staysHeard();
      normallyOver(await allLeave(2, [a, inA.dialog], [b, inB.dialog]));
    });

  test('RFC 3261 §9.2: a member whose CANCEL crosses the 200 to its re-INVITE is still in the room', async () => {
    await start();
    const [inA, inB] = [await join(a, sdpOf(earA)), await join(b, sdpOf(earB))];
    earA.say(TONE_A, inA.port);
    await hears(earB, [TONE_A]);
    for (let version = 2; version < 5; version++) {
      const request = a.inDialog(inA.dialog, 'INVITE', { sdp: sdpOf(earA, 'sendrecv', version) });
      await a.response(request, 200);
      await a.response(a.cancel(request), 481);
      a.ackIn(inA.dialog, request.cseq?.seq ?? 0);
      await staysHeard();
    }
    normallyOver(await allLeave(2, [a, inA.dialog], [b, inB.dialog]));
  });

  test('RFC 3261 §13.2.1: an INVITE without an offer is offered both laws and answers in its ACK', async () => {
    await start();
    const inB = await join(b, sdpOf(earB));
    const invite = await a.invite(ROOM, null);
    const ok = await a.response(invite, 200);
    assert.match(ok.body.toString(), /^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    const dialog = a.ack(invite, ok, sdpOf(earA));
    earA.say(TONE_A, mediaPort(ok)!);
    earB.say(TONE_B, inB.port);
    await hears(earA, [TONE_B]);
    await hears(earB, [TONE_A]);
    const again = a.inDialog(dialog, 'INVITE', {});
    const offer = await a.response(again, 200);
    assert.match(offer.body.toString(), /^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    a.ackIn(dialog, again.cseq?.seq ?? 0, sdpOf(earA, 'sendrecv', 2));
    earA.forget();
    await hears(earA, [TONE_B]);
    await allLeave(2, [a, dialog], [b, inB.dialog]);
  });

  test('RFC 3261 §13.2.1: an ACK without the answer, or with one that refuses all, frees the seat or leaves it silent', async () => {
    await start();
    const invite = await a.invite(ROOM, null);
    a.ack(invite, await a.response(invite, 200));
    await a.expectBye();
    await waitFor('no room', () => rig.conferences.rooms().length === 0);
    const second = await a.invite(ROOM, null);
    const ok = await a.response(second, 200);
    const dialog = a.ack(second, ok, sdpOf(earA).replace(/m=audio \d+/, 'm=audio 0'));
    await waitFor('the seat without sound', () => rig.conferences.members(ROOM)[0]?.isHeld === true);
    const records = await allLeave(2, [a, dialog]);
    assert.deepEqual(
      records.map(({ releaseReason }) => releaseReason),
      ['ack-without-answer', 'normal-clearing'],
    );
  });

  test('keys are not heard: neither telephone events nor INFO; a MESSAGE has nobody to go to', async () => {
    await start();
    const [inA, inB] = [await join(a, withEvents(earA)), await join(b, sdpOf(earB))];
    assert.match(inA.ok.body.toString(), /^m=audio \d+ RTP\/AVP 0 101\r$/m);
    earB.forget();
    for (let i = 0; i < 20; i++) {
      earA.send(
        inA.port,
        101,
        Buffer.from([5, i === 19 ? 0x8a : 0x0a, (i * 160) >> 8, (i * 160) & 0xff]),
        8000,
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await waitFor('silence', () => earB.heard.length > 20);
    assert.ok(earB.heard.every(({ payload }) => payload.every((byte) => byte === 0xff)));
    const info = a.inDialog(inA.dialog, 'INFO', {
      headers: { 'Content-Type': 'application/dtmf-relay' },
      body: 'Signal=5\r\nDuration=160\r\n',
    });
    assert.equal((await a.final(info)).statusCode, 200);
    const text = a.inDialog(inA.dialog, 'MESSAGE', { headers: { 'Content-Type': 'text/plain' }, body: 'hi' });
    assert.equal((await a.final(text)).statusCode, 405);
    await allLeave(2, [a, inA.dialog], [b, inB.dialog]);
  });

  test('a phone without G.711 hears 488, and the seat is free again', async () => {
    await start();
    const invite = await a.invite(ROOM, sdpOf(earA).replace('AVP 0', 'AVP 9').replace('0 PCMU', '9 G722'));
    const final = await a.final(invite);
    assert.equal(final.statusCode, 488);
    a.ackRefusal(invite, final);
    const [record] = await allLeave(1);
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.conferenceId],
      ['FAILED', 'callee-not-acceptable', ROOM],
    );
  });

  test('RFC 3261 §21.4.4: a trunk comes into rooms that allow it, and hears 403 from others', async () => {
    await start();
    const gateway = await rig.peer('+4930555');
    await addTrunk(rig, 'carrier', gateway);
    const calls = (number: string): SipRequest => {
      const invite = gateway.invitation(number, sdpOf(earA));
      gateway.send(invite);
      return invite;
    };
    const refused = calls(ROOM);
    const final = await gateway.final(refused);
    assert.equal(final.statusCode, 403);
    gateway.ackRefusal(refused, final);
    await rig.conferences.add(ROOM, { mayOutside: true });
    await rig.numbering.addNumber('4930777', ROOM);
    const invite = calls('4930777');
    const ok = await gateway.response(invite, 200);
    const dialog = gateway.ack(invite, ok);
    const other = await join(b, sdpOf(earB));
    earA.say(TONE_A, mediaPort(ok)!);
    await hears(earB, [TONE_A]);
    assert.deepEqual(
      rig.conferences.members(ROOM).map(({ member }) => member),
      ['+4930555', '1002'],
    );
    const records = await allLeave(3, [gateway, dialog], [b, other.dialog]);
    assert.deepEqual(
      records.map(({ result, releaseReason, direction, trunkIn, conferenceId }) => [
        result,
        releaseReason,
        direction,
        trunkIn,
        conferenceId,
      ]),
      [
        ['REJECTED', 'conference-forbidden', 'INBOUND', 'carrier', ROOM],
        ['ANSWERED', 'normal-clearing', 'INBOUND', 'carrier', ROOM],
        ['ANSWERED', 'normal-clearing', 'INTERNAL', undefined, ROOM],
      ],
    );
  });

  test('numbers, short numbers and rooms of an operator only; TST ROUTE says why', async () => {
    await start();
    await rig.conferences.modify({ ranges: ['8000-8099'] });
    await rig.numbering.addNumber('77', '8001');
    const { outcome, callee, steps, rounds } = await rig.control.routes.explain('1001', '77');
    assert.deepEqual([outcome, callee, rounds[0]?.kind], ['rings', '8001', 'room']);
    assert.match(
      steps.map(sayStep).join('; '),
      /number 77 leads to 8001;.* number 8001 is a conference room \(range 8000-8099\)/,
    );
    const member = await join(a, sdpOf(earA), '77');
    rig.conferences.lock('8001', true);
    const locked = await rig.control.routes.explain('1002', '8001');
    assert.deepEqual([locked.outcome, locked.status], ['conference-locked', 480]);
    await rig.conferences.modify({ isOpen: false });
    assert.equal((await rig.control.routes.explain('1002', '8002')).outcome, 'callee-unknown');
    await rig.conferences.add('8002', {});
    assert.equal((await rig.control.routes.explain('1002', '8002')).outcome, 'rings');
    await rig.conferences.modify({ enabled: false });
    assert.equal((await rig.control.routes.explain('1002', '8002')).outcome, 'callee-unknown');
    const [record] = await allLeave(1, [a, member.dialog]);
    assert.deepEqual([record?.dialledNumber, record?.conferenceId], ['77', '8001']);
  });

  test('a number that a route has goes to the machine behind it when it is no room here', async () => {
    await start();
    const gateway = await rig.peer('fs');
    await addTrunk(rig, 'fs', gateway);
    await rig.trunks.addRoute('rooms', {
      pattern: 'conf_.*',
      callClass: 'LOCAL',
      trunks: [{ trunk: 'fs', priority: 1, weight: 1 }],
    });
    assert.equal((await rig.control.routes.explain('1001', ROOM)).rounds[0]?.kind, 'room');
    await rig.conferences.modify({ prefix: '' });
    const invite = await a.invite(ROOM);
    const atGateway = await gateway.next('INVITE');
    assert.match(atGateway.requestUri, /^sip:conf_team@127\.0\.0\.1/);
    gateway.respond(atGateway, 200, { sdp: gateway.sdp() });
    const ok = await a.response(invite, 200);
    await gateway.next('ACK');
    const ended = a.bye(a.ack(invite, ok));
    await gateway.expectBye();
    await ended;
    const [record] = await allLeave(1);
    assert.deepEqual([record?.route, record?.trunkOut, record?.conferenceId], ['rooms', 'fs', undefined]);
  });

  /** The server rings the phone and asks it for its offer; it answers, and gets the room's description. */
  async function invited(
    phone: SipPeer,
    ear: AudioPhone,
  ): Promise<{ dialog: DialogState; offer: SipRequest }> {
    const invite = await phone.next('INVITE');
    assert.match(invite.get('from') ?? '', /sip:conf_team@/);
    phone.respond(invite, 180);
    phone.respond(invite, 200, { sdp: sdpOf(ear) });
    await phone.next('ACK');
    const offer = await phone.next('INVITE');
    phone.respond(offer, 200, { sdp: sdpOf(ear, 'sendrecv', 2) });
    await phone.next('ACK');
    return { dialog: phone.dialogAsUas(invite), offer };
  }

  test('an operator has phones rung: who answers is in the room', async () => {
    await start();
    await assert.rejects(rig.conferences.invite(ROOM, ['1001', '7777'], 'oper'), /7777 is no subscriber/);
    await assert.rejects(rig.conferences.invite('8000', ['1001'], 'oper'), /no room 8000 was made/);
    assert.equal((await rig.conferences.invite(ROOM, ['1001', '1002', '1003'], 'oper')).length, 3);
    const [inA, inB] = await Promise.all([invited(a, earA), invited(b, earB)]);
    const atC = await c.next('INVITE');
    c.respond(atC, 486);
    await c.next('ACK');
    earA.say(TONE_A, mediaPort(inA.offer)!);
    earB.say(TONE_B, mediaPort(inB.offer)!);
    await hears(earA, [TONE_B]);
    await hears(earB, [TONE_A]);
    assert.deepEqual(
      rig.conferences
        .members(ROOM)
        .map(({ member }) => member)
        .sort(),
      ['1001', '1002'],
    );
    rig.conferences.kick(ROOM, '1002');
    await b.expectBye();
    const records = await allLeave(3, [a, inA.dialog]);
    for (const { callerNumber, originatedBy, result, releaseReason } of records)
      assert.deepEqual(
        [originatedBy, result, releaseReason],
        {
          1001: ['oper', 'ANSWERED', 'normal-clearing'],
          1002: ['oper', 'ANSWERED', 'conference-removed'],
          1003: ['oper', 'NO_ANSWER', 'own-phones-unavailable'],
        }[callerNumber],
      );
  });

  test('a party that is transferred to the room is in it, and its record says so', async () => {
    await start();
    const call = await connect(c, a);
    assert.equal((await referred(c, call.a, `sip:${ROOM}@127.0.0.1`)).statusCode, 202);
    const offer = await a.next('INVITE');
    a.respond(offer, 200, { sdp: sdpOf(earA, 'sendrecv', 2) });
    await a.next('ACK');
    assert.equal((await untilTerminated(c)).at(-1), 'SIP/2.0 200 OK');
    await c.expectBye();
    const inB = await join(b, sdpOf(earB));
    earA.say(TONE_A, mediaPort(offer)!);
    await hears(earB, [TONE_A]);
    assert.deepEqual(
      rig.conferences.members(ROOM).map(({ member }) => member),
      ['1001', '1002'],
    );
    const records = await allLeave(2, [b, inB.dialog], [a, call.b]);
    const record = records.find(({ callerNumber }) => callerNumber === '1003');
    assert.deepEqual(
      [record?.conferenceId, record?.transferredBy, record?.transferredTo],
      [ROOM, '1003', ROOM],
    );
  });

  test('who consulted the room hands its seat to the party that it holds', async () => {
    await start();
    const call = await connect(c, a);
    const consult = await join(c, sdpOf(earB));
    const to = replacing(`sip:${ROOM}@127.0.0.1`, consult.dialog);
    assert.equal((await referred(c, call.a, to)).statusCode, 202);
    const offer = await a.next('INVITE');
    a.respond(offer, 200, { sdp: sdpOf(earA, 'sendrecv', 2) });
    await a.next('ACK');
    assert.equal((await untilTerminated(c)).at(-1), 'SIP/2.0 200 OK');
    await c.expectBye();
    await c.expectBye();
    await waitFor('the seat to be 1001', () => rig.conferences.members(ROOM)[0]?.member === '1001');
    const earD = await AudioPhone.open();
    const inB = await join(b, sdpOf(earD));
    earA.say(TONE_A, mediaPort(offer)!);
    await hears(earD, [TONE_A]);
    earD.close();
    assert.equal(rig.conferences.kick(ROOM, '1001'), 1);
    await a.expectBye();
    const records = await allLeave(3, [b, inB.dialog]);
    assert.deepEqual(
      records.map(({ callerNumber, releaseReason, conferenceId }) => [
        callerNumber,
        releaseReason,
        conferenceId,
      ]),
      [
        ['1003', 'call-transferred', ROOM],
        ['1003', 'conference-removed', ROOM],
        ['1002', 'normal-clearing', ROOM],
      ],
    );
  });

  test('a member can be transferred out: another has its seat', async () => {
    await start();
    const inA = await join(a, sdpOf(earA));
    assert.equal((await referred(a, inA.dialog, 'sip:1002@127.0.0.1')).statusCode, 202);
    const invite = await b.next('INVITE');
    b.respond(invite, 200, { sdp: sdpOf(earB) });
    await b.next('ACK');
    await waitFor('the seat to be 1002', () => rig.conferences.members(ROOM)[0]?.member === '1002');
    assert.equal((await untilTerminated(a)).at(-1), 'SIP/2.0 200 OK');
    await a.expectBye();
    const inC = await join(c, sdpOf(earA));
    earA.say(TONE_A, inC.port);
    await hears(earB, [TONE_A]);
    await allLeave(2, [c, inC.dialog], [b, b.dialogAsUas(invite)]);
  });

  test('without a free audio port callers hear 503; when the audio thread ends, so do the calls', async () => {
    await start({ audioPorts: await freePorts(8) });
    const inA = await join(a, sdpOf(earA));
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => rig.audio.open()));
    const others = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(others.length, 3, 'the first of four endpoints has a seat');
    const invite = await b.invite(ROOM, sdpOf(earB));
    const final = await b.final(invite);
    assert.equal(final.statusCode, 503);
    b.ackRefusal(invite, final);
    await Promise.all(others.map((one) => one.close()));
    assert.deepEqual(
      rig.conferences.members(ROOM).map(({ member }) => member),
      ['1001'],
    );
    assert.ok(inA.port > 0);
    await rig.audio.close();
    await a.expectBye();
    const records = await rig.records(2);
    assert.deepEqual(
      records.map(({ releaseReason, conferenceId }) => [releaseReason, conferenceId]),
      [
        ['media-unavailable', ROOM],
        ['media-failed', ROOM],
      ],
    );
    assert.deepEqual(rig.conferences.rooms(), []);
  });

  test('a phone that vanished is out when its media has been silent, though the room is not', async () => {
    await start({ limits: { silence: { silenceSec: 0.5, of: 'both', whenHeld: false } } });
    const [inA, inB] = [await join(a, sdpOf(earA)), await join(b, sdpOf(earB))];
    earA.say(TONE_A, inA.port);
    await b.expectBye();
    assert.deepEqual(
      rig.conferences.members(ROOM).map(({ member }) => member),
      ['1001'],
    );
    assert.ok(inB.port > 0);
    const records = await allLeave(2, [a, inA.dialog]);
    const record = records.find(({ callerNumber }) => callerNumber === '1002');
    assert.deepEqual([record?.releaseReason, record?.releaseParty], ['media-silent', 'CALLER']);
  });

  test('when the server stops, every member hears BYE and nothing is left', async () => {
    await start();
    await join(a, sdpOf(earA));
    await join(b, sdpOf(earB));
    await waitFor('both ACKs', () => rig.control.count().connected === 2);
    const closing = rig.control.close();
    await Promise.all([a.expectBye(), b.expectBye()]);
    await closing;
    const records = await allLeave(2);
    assert.deepEqual(
      records.map(({ releaseReason, conferenceId }) => [releaseReason, conferenceId]),
      [
        ['server-shutdown', ROOM],
        ['server-shutdown', ROOM],
      ],
    );
  });
});
