import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { SipMessage } from '../../../src/sip/message.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { hangUp, mediaPort, type UpCall } from '../../support/call-steps.js';
import { RtpPhone } from '../../support/rtp-phone.js';
import { sdp } from '../../support/sdp-samples.js';
import type { SipPeer } from '../../support/sip-peer.js';

/** What goes through the relay as it is: digits, fax, video. Every phone has real ports, and real packets cross. */
describe('streams of a call', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  const open: RtpPhone[] = [];
  before(async () => {
    ({ rig, a, b } = await startTwoPhones());
  });
  after(() => rig.close());
  afterEach(async () => {
    for (const phone of open.splice(0)) phone.close();
    await rig.records(++count);
  });

  async function socket(): Promise<RtpPhone> {
    const phone = await RtpPhone.open(open.length + 1);
    open.push(phone);
    return phone;
  }

  const AUDIO = (port: number): string[] => [
    `m=audio ${port} RTP/AVP 8 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
  ];
  const FAX = (port: number): string[] => [
    `m=image ${port} udptl t38`,
    'a=T38FaxVersion:0',
    'a=T38MaxBitRate:14400',
    'a=T38FaxRateManagement:transferredTCF',
    'a=T38FaxMaxDatagram:238',
    'a=T38FaxUdpEC:t38UDPRedundancy',
  ];
  const VIDEO = (port: number): string[] => [
    `m=video ${port} RTP/AVP 96`,
    'b=AS:512',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 profile-level-id=42e01f;packetization-mode=1',
    'a=rtcp-fb:96 nack pli',
  ];
  const describing = (...sections: string[][]): string => sdp('127.0.0.1', sections);

  async function call(ofA: string, ofB: string): Promise<UpCall> {
    const invite = await a.invite('1002', ofA);
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: ofB });
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    const aDialog = a.ack(invite, ok);
    await rig.stateIs('connected');
    return { invite, ok, atB, a: aDialog, b: b.dialogAsUas(atB) };
  }

  /** The callee asks for other streams, and the caller has them. */
  async function reoffer(up: UpCall, ofB: string, ofA: string): Promise<{ atA: SipMessage; ok: SipMessage }> {
    const request = b.inDialog(up.b, 'INVITE', { sdp: ofB });
    const atA = await a.next('INVITE');
    a.respond(atA, 200, { sdp: ofA });
    const ok = await b.response(request, 200);
    await a.next('ACK');
    b.ackIn(up.b, request.cseq?.seq ?? 0);
    return { atA, ok };
  }

  /** Sends bytes from one to the other by the port that it was told, until they arrive, and holds them equal. */
  async function crosses(
    from: RtpPhone,
    to: RtpPhone,
    port: number | undefined,
    packet: Buffer,
  ): Promise<void> {
    assert.ok(port);
    to.clear();
    for (let tries = 0; tries < 20 && to.arrivals.length === 0; tries++) {
      from.send(packet, port);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual((await to.receive()).packet, packet);
  }

  const linesOf = (message: { readonly body: Buffer }, kind: string): string[] => {
    const section = message.body
      .toString()
      .split(/^(?=m=)/m)
      .find((one) => one.startsWith(`m=${kind} `));
    return (section ?? '')
      .split('\r\n')
      .slice(1)
      .filter((line) => /^(?:a=(?!rtcp:|sendrecv)|b=)/.test(line));
  };

  test('RFC 4733 §2.3: telephone events cross untouched, both ways, and their formats stand in both descriptions', async () => {
    const [atA, atB] = [await socket(), await socket()];
    const up = await call(describing(AUDIO(atA.port)), describing(AUDIO(atB.port)));
    for (const message of [up.atB, up.ok]) assert.deepEqual(linesOf(message, 'audio'), AUDIO(0).slice(1));
    // Payload type 101 with marker, digit 5, end bit, volume 10, duration 1600.
    const event = Buffer.from('80e50001000003e80000abcd058a0640', 'hex');
    await crosses(atA, atB, mediaPort(up.ok), event);
    await crosses(atB, atA, mediaPort(up.atB), event);
    await hangUp(a, b, up);
  });

  test('RFC 3264 §8.3: fax by T.38 takes the place of audio, UDPTL crosses both ways, and audio comes back', async () => {
    const [atA, atB] = [await socket(), await socket()];
    const up = await call(describing(AUDIO(atA.port)), describing(AUDIO(atB.port)));
    const { atA: offer, ok } = await reoffer(up, describing(FAX(atB.port)), describing(FAX(atA.port)));
    for (const message of [offer, ok]) {
      assert.match(message.body.toString(), /^m=image \d+ udptl t38\r$/m);
      assert.deepEqual(linesOf(message, 'image'), FAX(0).slice(1));
    }
    // A T.30 indicator with redundancy: nothing of it is RTP.
    const udptl = Buffer.from('00000106c0018000', 'hex');
    await crosses(atA, atB, mediaPort(offer, 'image'), udptl);
    await crosses(atB, atA, mediaPort(ok, 'image'), udptl);
    const back = await reoffer(up, describing(AUDIO(atB.port)), describing(AUDIO(atA.port)));
    await crosses(atA, atB, mediaPort(back.atA), Buffer.from('8008000100000001000000010102', 'hex'));
    await hangUp(a, b, up);
  });

  test('RFC 3264 §8.4: a fax that the other side does not take is refused, and the call goes on with audio', async () => {
    const [atA, atB] = [await socket(), await socket()];
    const up = await call(describing(AUDIO(atA.port)), describing(AUDIO(atB.port)));
    const request = b.inDialog(up.b, 'INVITE', { sdp: describing(FAX(atB.port)) });
    a.respond(await a.next('INVITE'), 488);
    b.ackRefusal(request, await b.response(request, 488));
    await crosses(atA, atB, mediaPort(up.ok), Buffer.from('8008000100000001000000010102', 'hex'));
    await hangUp(a, b, up);
  });

  test('RFC 3264 §5.1, §6: video has ports of its own and keeps its lines; RTP crosses both ways', async () => {
    const [audioA, videoA, audioB, videoB] = [await socket(), await socket(), await socket(), await socket()];
    const up = await call(
      describing(AUDIO(audioA.port), VIDEO(videoA.port)),
      describing(AUDIO(audioB.port), VIDEO(videoB.port)),
    );
    for (const message of [up.atB, up.ok]) assert.deepEqual(linesOf(message, 'video'), VIDEO(0).slice(1));
    const frame = Buffer.concat([Buffer.from('80600001000003e80000abcd', 'hex'), Buffer.alloc(1100, 7)]);
    await crosses(videoA, videoB, mediaPort(up.ok, 'video'), frame);
    await crosses(videoB, videoA, mediaPort(up.atB, 'video'), frame);
    assert.equal(audioA.arrivals.length + audioB.arrivals.length, 0);
    await hangUp(a, b, up);
  });

  test('RFC 3264 §6: video that the callee refuses stays at port 0, and audio crosses', async () => {
    const [audioA, audioB] = [await socket(), await socket()];
    const up = await call(
      describing(AUDIO(audioA.port), VIDEO(41_234)),
      describing(AUDIO(audioB.port), ['m=video 0 RTP/AVP 96']),
    );
    assert.equal(mediaPort(up.ok, 'video'), 0);
    await crosses(audioA, audioB, mediaPort(up.ok), Buffer.from('8008000100000001000000010102', 'hex'));
    await hangUp(a, b, up);
  });
});
