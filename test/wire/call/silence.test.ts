import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { SilencePolicy } from '../../../src/call/silence.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import { RtpPhone } from '../../support/rtp-phone.js';
import type { SipPeer } from '../../support/sip-peer.js';

/** How long a call may be silent here, seconds. */
const SILENCE_SEC = 0.4;

describe('calls whose media stops', () => {
  let rig: CallRig | undefined;
  const media: RtpPhone[] = [];
  const talking: NodeJS.Timeout[] = [];
  afterEach(async () => {
    for (const timer of talking.splice(0)) clearInterval(timer);
    for (const phone of media.splice(0)) phone.close();
    await rig?.close();
  });

  /** A call with real media ends at real ports. */
  async function start(policy: Partial<SilencePolicy>) {
    const silence = { silenceSec: SILENCE_SEC, of: 'both', whenHeld: false, ...policy } as const;
    rig = await startCallRig({ limits: { silence } });
    const [a, b] = [await rig.phone('1001'), await rig.phone('1002')];
    const [rtpA, rtpB] = [await RtpPhone.open(1), await RtpPhone.open(2)];
    media.push(rtpA, rtpB);
    const sdp = (rtp: RtpPhone, direction = 'sendrecv', version = 1) =>
      audioSdp('127.0.0.1', rtp.port, direction, version);
    const invite = await a.invite('1002', sdp(rtpA));
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: sdp(rtpB) });
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    const dialog = a.ack(invite, ok);
    await rig.stateIs('connected');
    const talk = (rtp: RtpPhone, to: { body: Buffer }) => {
      const timer = setInterval(() => rtp.sendRtp(mediaPort(to) ?? 0), 20);
      talking.push(timer);
      return () => clearInterval(timer);
    };
    return {
      rig,
      a,
      b,
      dialog,
      dialogB: b.dialogAsUas(atB),
      sdp: {
        a: (direction: string, version: number) => sdp(rtpA, direction, version),
        b: sdp(rtpB, 'recvonly', 2),
      },
      talkA: () => talk(rtpA, ok),
      talkB: () => talk(rtpB, atB),
    };
  }

  const isUpAfter = async (sec: number): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve, sec * 1000));
    return rig?.control.list()[0]?.state !== undefined;
  };

  async function endsSilent(a: SipPeer, b: SipPeer, by: string): Promise<void> {
    const [atA, atB] = await Promise.all([a.expectBye(), b.expectBye()]);
    for (const bye of [atA, atB])
      assert.equal(bye.get('reason'), 'Q.850;cause=102;text="media-silent"', 'RFC 3326 §2');
    const [record] = await rig!.records(1);
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.releaseParty, record?.q850Cause],
      ['ABNORMAL', 'media-silent', by, 102],
    );
    assert.ok((record?.billSec ?? 0) > 0);
  }

  test('of both: one that talks keeps the call, none ends it, and both hear why', async () => {
    const { a, b, talkA } = await start({});
    const stop = talkA();
    assert.equal(await isUpAfter(SILENCE_SEC * 2.5), true);
    stop();
    await endsSilent(a, b, 'SERVER');
  });

  test('a call that never had media ends, too', async () => {
    const { a, b } = await start({});
    await endsSilent(a, b, 'SERVER');
  });

  test('of either: the one that is silent ends the call', async () => {
    const { a, b, talkA } = await start({ of: 'either' });
    talkA();
    await endsSilent(a, b, 'CALLEE');
  });

  test('of either: who listens only is silent by right', async () => {
    const { rig: up, a, b, talkA, dialog, sdp } = await start({ of: 'either' });
    talkA();
    const offer = a.inDialog(dialog, 'INVITE', { sdp: sdp.a('sendonly', 2) });
    b.respond(await b.next('INVITE'), 200, { sdp: sdp.b });
    await a.response(offer, 200);
    await b.next('ACK');
    a.ackIn(dialog, offer.cseq?.seq ?? 0);
    await up.stateIs('held');
    assert.equal(await isUpAfter(SILENCE_SEC * 2.5), true);
  });

  for (const whenHeld of [false, true])
    test(`silence of a call on hold ${whenHeld ? 'counts when the server is told so' : 'does not count'}`, async () => {
      const { rig: up, a, b, dialog, sdp } = await start({ silenceSec: 0.8, whenHeld });
      const offer = a.inDialog(dialog, 'INVITE', { sdp: sdp.a('inactive', 2) });
      b.respond(await b.next('INVITE'), 200, { sdp: sdp.b.replace('recvonly', 'inactive') });
      await a.response(offer, 200);
      await b.next('ACK');
      a.ackIn(dialog, offer.cseq?.seq ?? 0);
      await up.stateIs('held');
      if (whenHeld) return endsSilent(a, b, 'SERVER');
      return assert.equal(await isUpAfter(1.6), true);
    });
});
