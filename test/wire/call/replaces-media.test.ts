import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { hangUp, mediaPort } from '../../support/call-steps.js';
import { HeldRelay } from '../../support/held-relay.js';
import { openRelay } from '../../support/rig-parts.js';
import { RtpPhone } from '../../support/rtp-phone.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { replaces } from '../../support/transfer-steps.js';
import { waitFor } from '../../support/wait-for.js';

describe('media of an INVITE with Replaces that is taken back', () => {
  let relay: HeldRelay;
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let sounds: RtpPhone[];
  before(async () => {
    relay = new HeldRelay(await openRelay(silentLogger));
    ({ rig, a, b } = await startTwoPhones({ relay }));
    sounds = await Promise.all([1, 2, 3].map((ssrc) => RtpPhone.open(ssrc)));
  });
  after(async () => {
    for (const sound of sounds) sound.close();
    await rig.close();
    await relay.close();
  });

  test('RFC 3261 §9.2: the relay is at the new pair when CANCEL comes: both parties hear each other as before', async () => {
    const [atA, atB, atOther] = sounds as [RtpPhone, RtpPhone, RtpPhone];
    const sdpOf = ({ port }: RtpPhone, version = 1) => audioSdp('127.0.0.1', port, 'sendrecv', version);
    const invite = await a.invite('1002', sdpOf(atA));
    const rung = await b.next('INVITE');
    b.respond(rung, 200, { sdp: sdpOf(atB) });
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    const call = { invite, ok, atB: rung, a: a.ack(invite, ok), b: b.dialogAsUas(rung) };
    await rig.stateIs('connected');

    const other = await rig.phone('1002', { register: false });
    const replacing = await other.invite('1003', sdpOf(atOther), (request) => {
      request.append('Replaces', replaces(call.b));
    });
    const held = relay.hold('answer');
    const offer = await a.next('INVITE');
    a.respond(offer, 200, { sdp: sdpOf(atA, 2) });
    await a.next('ACK');
    await held.reached;
    other.cancel(replacing);
    other.ackRefusal(replacing, await other.response(replacing, 487));
    await waitFor('the end of its call', () => rig.control.count().active === 1);
    held.release();

    const back = await a.next('INVITE');
    assert.equal(back.body.toString(), ok.body.toString());
    a.respond(back, 200, { sdp: sdpOf(atA, 3) });
    await a.next('ACK');
    await waitFor('the relay to be back', async () => {
      atA.sendRtp(mediaPort(back) ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return atB.countFrom(1) > 0;
    });
    atOther.clear();
    atB.sendRtp(mediaPort(rung) ?? 0);
    await atA.receive();
    assert.equal(atA.countFrom(2), 1);
    assert.equal(atOther.countFrom(1), 0);
    await hangUp(a, b, call);
    await rig.records(2);
    await other.close();
  });
});
