// Faults that users of the old server knew, one block each (docs/old-server.md): media.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipMessage } from '../../src/sip/message.js';
import { audioSdp } from '../../src/testkit/sdp-text.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp, mediaPort, type UpCall } from '../support/call-steps.js';
import { RtpPhone } from '../support/rtp-phone.js';
import { type Asked, ScriptedRelay } from '../support/scripted-relay.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

/** Where no description may lead the other phone: phones say that they are here, the server is at 127.0.0.1. */
const HIDDEN = '127.0.0.9';
const SSRC = { a: 0xaaaa0001, b: 0xbbbb0001, stranger: 0xcccc0001 };
const EMBEDDED = { MEDIA_RELAY: 'embedded' };

/** A phone's own description, at a port that tells who wrote it. */
const own = (port: number, version = 1): string => audioSdp(HIDDEN, port, 'sendrecv', version);

/** The description has been through the relay: address and port are the server's. */
function assertRewritten(message: SipMessage, writtenPort: number, what: string): void {
  const sdp = message.body.toString();
  assert.match(sdp, /^m=audio /m, what);
  assert.ok(!sdp.includes(HIDDEN), `${what} shows the far phone:\n${sdp}`);
  assert.match(sdp, /^c=IN IP4 127\.0\.0\.1\r$/m, what);
  assert.ok(![0, writtenPort, undefined].includes(mediaPort(message)), what);
}

describe('fault 7: media came from anywhere, left from the wrong port, or went round the relay', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer(EMBEDDED);
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  describe('RTP through a call', () => {
    let call: UpCall;
    const media: RtpPhone[] = [];
    let [atA, atB]: (RtpPhone | undefined)[] = [];
    before(async () => {
      [atA, atB] = [await RtpPhone.open(SSRC.a), await RtpPhone.open(SSRC.b)];
      media.push(atA, atB);
      const [forA, forB] = [atA, atB].map(({ port }) => audioSdp('127.0.0.1', port));
      const invite = await a.invite('1002', forA);
      const invited = await b.next('INVITE');
      b.respond(invited, 200, { sdp: forB });
      const ok = await a.response(invite, 200);
      await b.next('ACK');
      call = { invite, ok, atB: invited, a: a.ack(invite, ok), b: b.dialogAsUas(invited) };
    });
    after(async () => {
      for (const phone of media) phone.close();
      await hangUp(a, b, call);
    });

    test('RFC 4961 §3: RTP comes from the very port that a phone was told to send to', async () => {
      const [told, toldB] = [mediaPort(call.ok)!, mediaPort(call.atB)!];
      atA!.sendRtp(told);
      assert.equal((await atB!.receive()).from.port, toldB);
      atB!.sendRtp(toldB);
      assert.equal((await atA!.receive()).from.port, told);
    });

    for (const [who, address] of [
      ['of another address', '127.0.0.2'],
      ['of a phone’s address, from another port', '127.0.0.1'],
    ] as const)
      test(`RTP of a stranger ${who} is not relayed, and steals no stream`, async () => {
        const stranger = await RtpPhone.open(SSRC.stranger, address);
        media.push(stranger);
        atA!.clear();
        atB!.clear();
        for (let packet = 0; packet < 20; packet++) {
          stranger.sendRtp(mediaPort(call.ok)!);
          stranger.sendRtp(mediaPort(call.atB)!);
        }
        // What the phones send next is behind the stranger's packets in every queue.
        for (let packet = 0; packet < 5; packet++) {
          atA!.sendRtp(mediaPort(call.ok)!);
          atB!.sendRtp(mediaPort(call.atB)!);
        }
        await Promise.all([atA!.receive(5), atB!.receive(5)]);
        assert.equal(atA!.countFrom(SSRC.stranger) + atB!.countFrom(SSRC.stranger), 0);
        assert.equal(stranger.arrivals.length, 0);
      });
  });

  test('RFC 3264 §5: every description is rewritten: INVITE, 183, 200, re-INVITE, UPDATE, and their answers', async () => {
    const invite = await a.invite('1002', own(41_000));
    const atB = await b.next('INVITE');
    assertRewritten(atB, 41_000, 'INVITE');
    b.respond(atB, 183, { sdp: own(41_002) });
    assertRewritten(await a.response(invite, 183), 41_002, '183');
    b.respond(atB, 200, { sdp: own(41_002) });
    const ok = await a.response(invite, 200);
    assertRewritten(ok, 41_002, '200');
    await b.next('ACK');
    const dialog = a.ack(invite, ok);
    for (const [method, port] of [
      ['INVITE', 41_004],
      ['UPDATE', 41_008],
    ] as const) {
      const request = a.inDialog(dialog, method, { sdp: own(port, port) });
      const offered = await b.next('INVITE');
      assertRewritten(offered, port, `${method} inside the call`);
      b.respond(offered, 200, { sdp: own(port + 2, port) });
      assertRewritten(await a.response(request, 200), port + 2, `200 to ${method}`);
      await b.next('ACK');
      if (method === 'INVITE') a.ackIn(dialog, request.cseq?.seq ?? 0);
    }
    const fromB = b.inDialog(b.dialogAsUas(atB), 'INVITE', { sdp: own(41_012, 9) });
    const offered = await a.next('INVITE');
    assertRewritten(offered, 41_012, 're-INVITE of the callee');
    a.respond(offered, 200, { sdp: own(41_014, 9) });
    assertRewritten(await b.response(fromB, 200), 41_014, '200 of the caller');
    await a.next('ACK');
    b.ackIn({ ...b.dialogAsUas(atB), localSeq: 1 }, fromB.cseq?.seq ?? 0);
    const bye = a.bye(dialog);
    await b.expectBye();
    await bye;
  });

  test('RFC 3261 §13.2.1: a late offer in the 200 is rewritten, and its answer in the ACK', async () => {
    const invite = await a.invite('1002', null);
    const atB = await b.next('INVITE');
    assert.equal(atB.body.length, 0);
    b.respond(atB, 200, { sdp: own(41_020) });
    const ok = await a.response(invite, 200);
    assertRewritten(ok, 41_020, 'offer in the 200');
    const dialog = a.ack(invite, ok, own(41_022));
    assertRewritten(await b.next('ACK'), 41_022, 'answer in the ACK');
    const bye = a.bye(dialog);
    await b.expectBye();
    await bye;
  });

  test('RFC 3264 §6: m=video 0 stays 0, in an offer and in an answer', async () => {
    const video = (port: number): string => `m=video ${port} RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n`;
    for (const [offered, answered] of [
      [0, 0],
      [41_034, 0],
    ] as const) {
      const invite = await a.invite('1002', own(41_030) + video(offered));
      const atB = await b.next('INVITE');
      assert.equal(mediaPort(atB, 'video') === 0, offered === 0);
      b.respond(atB, 200, { sdp: own(41_032) + video(answered) });
      const ok = await a.response(invite, 200);
      assert.equal(mediaPort(ok, 'video'), 0);
      assertRewritten(ok, 41_032, 'the audio beside it');
      await b.next('ACK');
      const bye = a.bye(a.ack(invite, ok));
      await b.expectBye();
      await bye;
    }
  });

  test('one call does not wait for another: twenty that are set up together all answer, and all have media', async () => {
    const count = 20;
    const together = Array.from({ length: count }, async () => {
      const invite = await a.invite('1002');
      const atB = await b.next('INVITE');
      b.respond(atB, 180);
      b.respond(atB, 200, { sdp: b.sdp() });
      const ok = await a.response(invite, 200);
      return { dialog: a.ack(invite, ok), ports: [mediaPort(ok), mediaPort(atB)] };
    });
    const up = await Promise.all(together);
    assert.equal(new Set(up.flatMap(({ ports }) => ports)).size, 2 * count);
    await Promise.all(
      up.map(async ({ dialog }) => {
        const bye = a.bye(dialog);
        await b.expectBye();
        assert.equal((await bye).statusCode, 200);
      }),
    );
  });
});

describe('fault 7: the RTPProxy client sent no cookie, V to begin a call, and did not read the reply', () => {
  /** More than there are looks at the relay's health while they are made. */
  const CALLS = 8;
  /** From one such look to the next. */
  const LOOK_MS = 2000;
  const PORTS: Record<string, number> = { U: 45_678, L: 45_680 };

  /** Answers as a relay does that is well. */
  function answer({ cookie, command, send }: Asked): void {
    if (command === 'V') send(`${cookie} 20040107\n`);
    else if (command === 'I') send(`${cookie} sessions created: 0\nactive sessions: 0\n\n\n\n`);
    else send(`${cookie} ${PORTS[command[0] ?? ''] ?? 0}\n`);
  }

  /** A server whose relay, named by the old server's variables, answers as the test says. */
  async function withRelay(
    script: (asked: Asked) => void,
    run: (calls: CallServer, relay: ScriptedRelay) => Promise<void>,
  ): Promise<void> {
    const relay = await ScriptedRelay.open(script);
    const port = relay.url.split(':').at(-1)!;
    const env = { MEDIA_RELAY: '', RTPPROXY_UDP_HOST: '127.0.0.1', RTPPROXY_UDP_PORT: port };
    const calls = await startCallServer(env);
    try {
      await run(calls, relay);
    } finally {
      await calls.close();
      await relay.close();
    }
  }

  test('U with a cookie makes the session, and the port of the reply is what phones are told', async () => {
    const startedMs = performance.now();
    await withRelay(answer, async (calls, relay) => {
      const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
      const asked = (letter: string) => relay.commands.filter((command) => command[0] === letter).length;
      for (let i = 1; i <= CALLS; i++) {
        const call = await connect(a, b);
        assert.equal(mediaPort(call.atB), 45_678);
        assert.equal(mediaPort(call.ok), 45_680);
        await hangUp(a, b, call);
        await waitFor('the end of its session', () => asked('D') === i);
      }
      await calls.records(CALLS);
      const letters = relay.commands.map((command) => command[0]!);
      assert.deepEqual(
        letters.filter((letter) => 'ULD'.includes(letter)),
        Array(CALLS).fill(['U', 'L', 'D']).flat(),
      );
      // The look at the relay's health asks V and then I, and no call asks either.
      await waitFor('an I for each V', () => asked('V') === asked('I'));
      const looks = 1 + Math.floor((performance.now() - startedMs) / LOOK_MS);
      assert.ok(asked('V') <= looks, `${asked('V')} times V in the time of ${looks} looks, ${CALLS} calls`);
      const cookies = relay.asked.map(({ cookie }) => cookie);
      assert.equal(new Set(cookies).size, cookies.length);
      for (const cookie of cookies) assert.match(cookie, /^[A-Za-z0-9_]{4,}$/);
    });
  });

  test('an error in the reply is no media, and no call: 503', async () => {
    const script = ({ cookie, command, send }: Asked): void =>
      send(`${cookie} ${command[0] === 'U' ? 'E10' : '0'}\n`);
    await withRelay(script, async (calls) => {
      const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
      const invite = await a.invite('1002');
      a.ackRefusal(invite, await a.response(invite, 503));
      assert.equal(b.has('INVITE'), false);
      const [record] = await calls.recordsOf(invite.callId);
      assert.deepEqual(
        [record?.result, record?.releaseReason, record?.billSec],
        ['FAILED', 'media-unavailable', 0],
      );
    });
  });
});
