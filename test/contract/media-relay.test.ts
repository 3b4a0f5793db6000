// One suite for every relay: the built-in one over UDP, Unix and TCP control, and a real RTPProxy where
// RTPPROXY_URL names one.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { startRelay } from '../../src/media/relay/start-relay.js';
import { createRtpProxyRelay } from '../../src/media/rtpproxy/rtpproxy-relay.js';
import type { MediaRelay, MediaSession } from '../../src/media/types.js';
import { systemClock } from '../../src/platform/clock.js';
import { silentLogger } from '../../src/platform/logger.js';
import { freePorts } from '../support/free-ports.js';
import { RtpPhone } from '../support/rtp-phone.js';
import { audioSdp, portsOf, sdp, videoSdp } from '../support/sdp-samples.js';

const PEER = { signallingAddress: '127.0.0.1' };
const SSRC = { a: 0xaaaa0001, b: 0xbbbb0001, stranger: 0xcccc0001 };

interface Subject {
  readonly name: string;
  /** Counts the packets of strangers among those a stream dropped. */
  readonly countsStrangers: boolean;
  /** Gives the control URL, and what ends the relay. */
  start(): Promise<{ url: string; stop(): Promise<void> }>;
}

/** The built-in relay, its control socket of each kind. */
function builtIn(kind: 'udp' | 'tcp' | 'unix'): Subject {
  return {
    name: `built-in relay over ${kind}`,
    countsStrangers: true,
    start: async () => {
      const directory = kind === 'unix' ? await mkdtemp(join(tmpdir(), 'relay-')) : undefined;
      const control = directory ? `unix:${directory}/control` : `${kind}:127.0.0.1:0`;
      const relay = await startRelay({
        control: [control],
        bindAddress: '127.0.0.1',
        ports: await freePorts(60),
        clock: systemClock,
        log: silentLogger,
      });
      const stop = async (): Promise<void> => {
        await relay.close();
        if (directory) await rm(directory, { recursive: true });
      };
      return { url: relay.controlUrls[0]!, stop };
    },
  };
}

const realUrl = process.env['RTPPROXY_URL'];
const subjects: Subject[] = [builtIn('udp'), builtIn('tcp'), builtIn('unix')];
if (realUrl) {
  subjects.push({
    name: `RTPProxy at ${realUrl}`,
    countsStrangers: false,
    start: async () => ({ url: realUrl, stop: async () => {} }),
  });
}

let callCount = 0;
const newCallId = (): string => `contract-${process.pid}-${Date.now()}-${++callCount}`;

for (const subject of subjects) {
  describe(`MediaRelay contract: ${subject.name}`, () => {
    let relay: MediaRelay;
    let stop: () => Promise<void>;
    let call: MediaSession;
    let alice: { rtp: RtpPhone; rtcp: RtpPhone };
    let bob: { rtp: RtpPhone; rtcp: RtpPhone };
    const others: RtpPhone[] = [];

    before(async () => {
      const started = await subject.start();
      stop = started.stop;
      relay = createRtpProxyRelay([started.url], {
        clock: systemClock,
        log: silentLogger,
        address: '127.0.0.1',
      });
    });
    after(async () => {
      await relay.close();
      await stop();
    });
    beforeEach(async () => {
      call = relay.open(newCallId());
      alice = await RtpPhone.openPair(SSRC.a);
      bob = await RtpPhone.openPair(SSRC.b);
    });
    afterEach(async () => {
      await call.close();
      for (const phone of [alice.rtp, alice.rtcp, bob.rtp, bob.rtcp, ...others.splice(0)]) phone.close();
    });

    /** Sets a call up; gives the relay's ports that each party was told. */
    async function connect(offer = audioSdp(alice.rtp.port), answer = audioSdp(bob.rtp.port)) {
      const toB = await call.offer('a', offer, PEER);
      const toA = await call.answer('b', answer, PEER);
      return { toA, toB, portsOfA: portsOf(toA), portsOfB: portsOf(toB) };
    }

    /** Proves that packets go both ways between two phones, and only from the ports that were told. */
    async function assertTalk(from: RtpPhone, fromPort: number, to: RtpPhone, toPort: number): Promise<void> {
      from.clear();
      to.clear();
      const first = from.sendRtp(fromPort);
      const heardByTo = await to.receive();
      assert.deepEqual(heardByTo.packet, first);
      assert.equal(heardByTo.from.port, toPort, 'sent from the port that the receiver was told');
      const second = to.sendRtp(toPort);
      const heardByFrom = await from.receive();
      assert.deepEqual(heardByFrom.packet, second);
      assert.equal(heardByFrom.from.port, fromPort, 'sent from the port that the receiver was told');
    }

    it('relays RTP both ways between the ports it told', async () => {
      const { toB, portsOfA, portsOfB } = await connect();
      assert.match(toB, /^c=IN IP4 127\.0\.0\.1\r$/m);
      assert.notEqual(portsOfA[0], bob.rtp.port);
      assert.notEqual(portsOfB[0], alice.rtp.port);
      assert.equal(portsOfA[0]! % 2, 0);
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
    });

    it('RFC 3550 §11: relays RTCP one port up', async () => {
      const { portsOfA, portsOfB } = await connect();
      const report = Buffer.from('80c90001deadbeef', 'hex');
      alice.rtcp.send(report, portsOfA[0]! + 1);
      const heard = await bob.rtcp.receive();
      assert.deepEqual(heard.packet, report);
      assert.equal(heard.from.port, portsOfB[0]! + 1);
      bob.rtcp.send(report, portsOfB[0]! + 1);
      assert.deepEqual((await alice.rtcp.receive()).packet, report);
    });

    it('relays early media of the callee before the answer is final, and takes the answer twice', async () => {
      const { toA, portsOfA, portsOfB } = await connect();
      const packet = bob.rtp.sendRtp(portsOfB[0]!);
      assert.deepEqual((await alice.rtp.receive()).packet, packet);
      assert.equal(await call.answer('b', audioSdp(bob.rtp.port), PEER), toA);
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
    });

    it('RFC 3311 §5: takes the answer of the 183 again in the 200, after an UPDATE of the callee', async () => {
      const { toA } = await connect();
      await call.offer('b', audioSdp(bob.rtp.port, { lines: ['a=ptime:30'] }), PEER);
      await call.answer('a', audioSdp(alice.rtp.port), PEER);
      assert.equal(await call.answer('b', audioSdp(bob.rtp.port), PEER), toA);
      const other = call.answer('b', audioSdp(bob.rtp.port, { lines: ['a=ptime:40'] }), PEER);
      await assert.rejects(other, { code: 'BAD_SDP' });
    });

    it('follows a fork that answers from another phone', async () => {
      const { portsOfA, portsOfB } = await connect();
      const early = bob.rtp.sendRtp(portsOfB[0]!);
      assert.deepEqual((await alice.rtp.receive()).packet, early);
      const carol = await RtpPhone.open(0xdddd0001);
      others.push(carol);
      await call.answer('b', audioSdp(carol.port), PEER);
      alice.rtp.clear();
      carol.sendRtp(portsOfB[0]!);
      await alice.rtp.receive();
      await assertTalk(alice.rtp, portsOfA[0]!, carol, portsOfB[0]!);
    });

    it('does not let a stranger take over a side that has been heard', async () => {
      const { portsOfA, portsOfB } = await connect();
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
      const stranger = await RtpPhone.open(SSRC.stranger);
      others.push(stranger);
      bob.rtp.clear();
      for (let i = 0; i < 5; i++) stranger.sendRtp(portsOfA[0]!);
      alice.rtp.sendRtp(portsOfA[0]!);
      await bob.rtp.receive();
      bob.rtp.sendRtp(portsOfB[0]!);
      await alice.rtp.receive();
      assert.equal(bob.rtp.countFrom(SSRC.stranger), 0);
      assert.equal(stranger.arrivals.length, 0);
      // RTPProxy counts such packets for the whole relay only.
      const [stats] = await call.stats();
      if (subject.countsStrangers) assert.equal(stats?.dropped, 5);
    });

    it('hears a phone that sends from another port than it named (NAT)', async () => {
      const { portsOfA, portsOfB } = await connect(audioSdp(alice.rtp.port + 2));
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
    });

    it('hears a phone that named a local address of another network', async () => {
      const { portsOfA, portsOfB } = await connect(audioSdp(alice.rtp.port, { address: '192.168.77.5' }));
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
    });

    it('relays audio and video, each on its own ports', async () => {
      const [aVideo, bVideo] = [await RtpPhone.open(SSRC.a), await RtpPhone.open(SSRC.b)];
      others.push(aVideo, bVideo);
      const { portsOfA, portsOfB } = await connect(
        videoSdp(alice.rtp.port, aVideo.port),
        videoSdp(bob.rtp.port, bVideo.port),
      );
      assert.equal(new Set([...portsOfA, ...portsOfB]).size, 4);
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
      await assertTalk(aVideo, portsOfA[1]!, bVideo, portsOfB[1]!);
      const stats = await call.stats();
      assert.deepEqual(
        stats.map(({ index, kind, codec, packetsFromA, packetsFromB }) => ({
          index,
          kind,
          codec,
          packetsFromA,
          packetsFromB,
        })),
        [
          { index: 0, kind: 'audio', codec: 'PCMU/8000', packetsFromA: 1, packetsFromB: 1 },
          { index: 1, kind: 'video', codec: 'H264/90000', packetsFromA: 1, packetsFromB: 1 },
        ],
      );
    });

    it('RFC 3264 §6, §8.2: leaves port 0 at 0, in offer and answer', async () => {
      const { toA, toB } = await connect(videoSdp(alice.rtp.port, 40_000), videoSdp(bob.rtp.port, 0));
      assert.notEqual(portsOf(toB)[1], 0);
      assert.equal(portsOf(toA)[1], 0);
      const again = await call.offer('a', videoSdp(alice.rtp.port, 0), PEER);
      assert.equal(portsOf(again)[1], 0);
      assert.equal(portsOf(await call.answer('b', videoSdp(bob.rtp.port, 0), PEER))[1], 0);
    });

    it('RFC 3261 §13.2.1: takes a late offer, that of the callee', async () => {
      const toA = await call.offer('b', audioSdp(bob.rtp.port), PEER);
      const toB = await call.answer('a', audioSdp(alice.rtp.port), PEER);
      await assertTalk(alice.rtp, portsOf(toA)[0]!, bob.rtp, portsOf(toB)[0]!);
      const [stats] = await call.stats();
      assert.equal(stats?.packetsFromA, 1);
      assert.equal(stats?.packetsFromB, 1);
    });

    it('RFC 3264 §4, §8: follows a re-INVITE of the callee to another port, and keeps its own ports', async () => {
      const { portsOfA, portsOfB } = await connect();
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
      const moved = await RtpPhone.open(SSRC.b);
      others.push(moved);
      const toA = await call.offer('b', audioSdp(moved.port), PEER);
      const toB = await call.answer('a', audioSdp(alice.rtp.port), PEER);
      assert.deepEqual(portsOf(toA), portsOfA);
      assert.deepEqual(portsOf(toB), portsOfB);
      alice.rtp.clear();
      moved.sendRtp(portsOfB[0]!);
      await alice.rtp.receive();
      await assertTalk(alice.rtp, portsOfA[0]!, moved, portsOfB[0]!);
    });

    it('RFC 3264 §8.1: relays a stream that the callee adds', async () => {
      const { portsOfA } = await connect();
      const [aVideo, bVideo] = [await RtpPhone.open(SSRC.a), await RtpPhone.open(SSRC.b)];
      others.push(aVideo, bVideo);
      const toA = await call.offer('b', videoSdp(bob.rtp.port, bVideo.port), PEER);
      const toB = await call.answer('a', videoSdp(alice.rtp.port, aVideo.port), PEER);
      assert.equal(portsOf(toA)[0], portsOfA[0]);
      await assertTalk(aVideo, portsOf(toA)[1]!, bVideo, portsOf(toB)[1]!);
      // And then the caller speaks of it first.
      const toB2 = await call.offer('a', videoSdp(alice.rtp.port, aVideo.port), PEER);
      assert.deepEqual(portsOf(toB2), portsOf(toB));
      const stats = await call.stats();
      assert.equal(stats[1]?.packetsFromA, 1);
      assert.equal(stats[1]?.packetsFromB, 1);
    });

    it('RFC 3264 §8.4: holds and resumes, by direction and by null address', async () => {
      const { portsOfA, portsOfB } = await connect();
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
      const held = await call.offer('a', audioSdp(alice.rtp.port, { lines: ['a=sendonly'] }), PEER);
      assert.match(held, /^a=sendonly\r$/m);
      await call.answer('b', audioSdp(bob.rtp.port, { lines: ['a=recvonly'] }), PEER);
      const old = await call.offer('a', audioSdp(alice.rtp.port, { address: '0.0.0.0' }), PEER);
      assert.match(old, /^c=IN IP4 0\.0\.0\.0\r$/m);
      assert.deepEqual(portsOf(old), portsOfB);
      await call.answer('b', audioSdp(bob.rtp.port), PEER);
      const resumed = await call.offer('a', audioSdp(alice.rtp.port), PEER);
      assert.match(resumed, /^c=IN IP4 127\.0\.0\.1\r$/m);
      await call.answer('b', audioSdp(bob.rtp.port), PEER);
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
    });

    it('RFC 3264 §8, RFC 4566 §5.2: keeps the session id, raises the version when the description changes and only then', async () => {
      const origin = (text: string): string[] => /^o=(.*)\r$/m.exec(text)![1]!.split(' ');
      const first = origin(await call.offer('a', audioSdp(alice.rtp.port), PEER));
      await call.answer('b', audioSdp(bob.rtp.port), PEER);
      const same = origin(await call.offer('a', audioSdp(alice.rtp.port), PEER));
      assert.deepEqual(same, first);
      const held = origin(await call.offer('a', audioSdp(alice.rtp.port, { lines: ['a=inactive'] }), PEER));
      assert.equal(held[1], first[1]);
      assert.equal(Number(held[2]), Number(first[2]) + 1);
      assert.deepEqual([first[0], first[5]], ['-', '127.0.0.1'], 'the phone does not show');
    });

    it('relays T.38 over UDPTL', async () => {
      const fax = (port: number): string =>
        sdp('127.0.0.1', [[`m=image ${port} udptl t38`, 'a=T38FaxVersion:0']]);
      const toB = await call.offer('a', fax(alice.rtp.port), PEER);
      const toA = await call.answer('b', fax(bob.rtp.port), PEER);
      const packet = Buffer.from('0000060104', 'hex');
      alice.rtp.send(packet, portsOf(toA)[0]!);
      assert.deepEqual((await bob.rtp.receive()).packet, packet);
      bob.rtp.send(packet, portsOf(toB)[0]!);
      assert.deepEqual((await alice.rtp.receive()).packet, packet);
    });

    it('frees the ports when the call ends; ending twice gives the same figures', async () => {
      const { portsOfA, portsOfB } = await connect();
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
      const figures = await call.close();
      assert.equal(figures[0]?.packetsFromA, 1);
      assert.equal(figures[0]?.packetsFromB, 1);
      assert.deepEqual(await call.close(), figures);
      await assert.rejects(call.offer('a', audioSdp(alice.rtp.port), PEER), { code: 'MEDIA_FAILED' });
    });

    it('refuses descriptions that cannot be used, and stays usable', async () => {
      await assert.rejects(call.answer('b', audioSdp(bob.rtp.port), PEER), {
        code: 'BAD_SDP',
        sipStatus: 488,
      });
      await assert.rejects(call.offer('a', 'nonsense', PEER), { code: 'BAD_SDP' });
      await call.offer('a', audioSdp(alice.rtp.port), PEER);
      await assert.rejects(call.answer('b', videoSdp(bob.rtp.port, 40_000), PEER), { code: 'BAD_SDP' });
      const { portsOfA, portsOfB } = await connect();
      await assertTalk(alice.rtp, portsOfA[0]!, bob.rtp, portsOfB[0]!);
    });

    it('takes nothing from a description into the control protocol', async () => {
      const hostile = audioSdp(alice.rtp.port).replace('127.0.0.1', '127.0.0.1\tX');
      await call.offer('a', hostile, PEER).catch(() => undefined);
      const odd = relay.open('call\nX');
      await assert.rejects(odd.offer('a', audioSdp(alice.rtp.port), PEER), { code: 'MEDIA_FAILED' });
      await odd.close();
    });

    it('tells its health', async () => {
      await connect();
      const [health] = await relay.health();
      assert.equal(health?.alive, true);
      assert.equal(health?.version, '20040107');
      assert.ok((health?.activeSessions ?? 0) >= 1);
    });
  });
}
