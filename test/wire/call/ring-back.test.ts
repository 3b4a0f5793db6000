import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import type { DialogState } from '../../../src/testkit/dialog.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import { RtpPhone } from '../../support/rtp-phone.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { referred } from '../../support/transfer-steps.js';
import { waitFor } from '../../support/wait-for.js';

/** Phone `a` calls `b`, `b` transfers `a` to `c`: what `a` hears while `c` rings. */
describe('what the party that stays hears during a transfer', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones());
  });
  after(() => rig.close());

  interface Scene {
    readonly rtp: Record<'a' | 'b' | 'c', RtpPhone>;
    readonly aDialog: DialogState;
    readonly bDialog: DialogState;
    readonly portOfB: number;
    readonly atC: SipRequest;
    /** Told to 1002 while it goes on. */
    notified(status: RegExp): Promise<void>;
  }

  /** 1001 is on hold and 1003 has the INVITE of the transfer. */
  async function transferring(play: (scene: Scene) => Promise<void>): Promise<void> {
    const rtp = { a: await RtpPhone.open(1), b: await RtpPhone.open(2), c: await RtpPhone.open(3) };
    const describing = (phone: RtpPhone, direction = 'sendrecv', version = 1) =>
      audioSdp('127.0.0.1', phone.port, direction, version);
    try {
      const invite = await a.invite('1002', describing(rtp.a));
      const atB = await b.next('INVITE');
      b.respond(atB, 200, { sdp: describing(rtp.b) });
      const ok = await a.response(invite, 200);
      await b.next('ACK');
      const aDialog = a.ack(invite, ok);
      const bDialog = b.dialogAsUas(atB);
      const hold = b.inDialog(bDialog, 'INVITE', { sdp: describing(rtp.b, 'sendonly', 2) });
      a.respond(await a.next('INVITE'), 200, { sdp: describing(rtp.a, 'recvonly', 2) });
      await b.response(hold, 200);
      b.ackIn(bDialog, hold.cseq?.seq ?? 0);
      await a.next('ACK');
      await rig.stateIs('held');
      const notified = async (status: RegExp): Promise<void> => {
        const notify = await b.next('NOTIFY');
        assert.match(notify.body.toString(), status);
        b.respond(notify, 200);
      };
      assert.equal((await referred(b, bDialog, 'sip:1003@127.0.0.1')).statusCode, 202);
      await notified(/100/);
      const atC = await c.next('INVITE');
      rtp.a.clear();
      await play({ rtp, aDialog, bDialog, portOfB: mediaPort(atB) ?? 0, atC, notified });
      const record = (await rig.records(++count)).at(-1);
      assert.equal(record?.result, 'ANSWERED');
      await waitFor('no endpoint of ours', async () => (await rig.audio.stats()).endpoints === 0);
    } finally {
      for (const phone of Object.values(rtp)) phone.close();
    }
  }

  const hears = (listener: RtpPhone, talker: RtpPhone, ssrc: number, port: number | undefined) =>
    waitFor(`packets of ${ssrc}`, () => {
      talker.sendRtp(port ?? 0);
      return listener.countFrom(ssrc) > 0;
    });

  test('ITU-T E.180: a ringing tone from 180 on, then whom it is transferred to', async () => {
    await transferring(async ({ rtp, aDialog, atC, notified }) => {
      c.respond(atC, 180);
      await notified(/180/);
      await waitFor('a tone', () => rtp.a.arrivals.length > 20);
      // PCMU that is no silence: the tone sounds in its first second.
      assert.ok(rtp.a.arrivals.slice(5, 15).some(({ packet }) => new Set(packet.subarray(12)).size > 4));
      c.respond(atC, 200, { sdp: audioSdp('127.0.0.1', rtp.c.port) });
      await c.next('ACK');
      const offer = await a.next('INVITE');
      a.respond(offer, 200, { sdp: audioSdp('127.0.0.1', rtp.a.port, 'sendrecv', 3) });
      await a.next('ACK');
      await notified(/200/);
      await b.expectBye();
      rtp.a.clear();
      await hears(rtp.a, rtp.c, 3, mediaPort(atC));
      await hears(rtp.c, rtp.a, 1, mediaPort(offer));
      rtp.a.clear();
      await hears(rtp.a, rtp.c, 3, mediaPort(atC));
      assert.equal(rtp.a.arrivals.length, rtp.a.countFrom(3), 'the tone is over');
      const answer = a.bye(aDialog);
      await c.expectBye();
      await answer;
    });
  });

  test('RFC 3960 §3: early media of the phone that rings in place of the tone; when it declines, the old party again', async () => {
    await transferring(async ({ rtp, aDialog, bDialog, portOfB, atC, notified }) => {
      c.respond(atC, 180);
      await notified(/180/);
      await waitFor('a tone', () => rtp.a.arrivals.length > 5);
      c.respond(atC, 183, { sdp: audioSdp('127.0.0.1', rtp.c.port) });
      await hears(rtp.a, rtp.c, 3, mediaPort(atC));
      c.respond(atC, 603);
      await c.next('ACK');
      await notified(/603/);
      rtp.a.clear();
      await hears(rtp.a, rtp.b, 2, portOfB);
      rtp.a.clear();
      await hears(rtp.a, rtp.b, 2, portOfB);
      assert.equal(rtp.a.arrivals.length, rtp.a.countFrom(2));
      assert.equal(a.has('INVITE'), false, 'who stays is asked nothing');
      void bDialog;
      const answer = a.bye(aDialog);
      await b.expectBye();
      await answer;
    });
  });
});
