import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger } from '../../../src/platform/logger.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { HeldRelay } from '../../support/held-relay.js';
import { openRelay } from '../../support/rig-parts.js';
import type { SipPeer } from '../../support/sip-peer.js';

/** What the engine says reaches call control so late: it has answered a CANCEL long before. */
const LATE_MS = 150;

describe('RFC 3261 §9.2: CANCEL of a re-INVITE that the engine has answered while our 200 is on its way there', {
  skip:
    (process.env['SIP_ENGINE'] ?? 'embedded') === 'embedded' ? false : 'needs the frames of our own engine',
}, () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let relay: HeldRelay;
  before(async () => {
    relay = new HeldRelay(await openRelay(silentLogger));
    ({ rig, a, b } = await startTwoPhones({ relay, coalesceMs: LATE_MS }));
  });
  after(async () => {
    await rig?.close();
    await relay.close();
  });

  for (const isLate of [false, true])
    test(`${isLate ? 'a late' : 'an early'} offer: the other phone is led back, and may offer again`, async () => {
      const call = await connect(a, b);
      const held = relay.hold(isLate ? 'offer' : 'answer');
      const request = a.inDialog(call.a, 'INVITE', isLate ? {} : { sdp: a.sdp('sendonly', 2) });
      b.respond(await b.next('INVITE'), 200, { sdp: b.sdp(isLate ? 'sendrecv' : 'recvonly', 2) });
      await held.reached;
      await a.response(a.cancel(request), 200);
      // Call control knows nothing of it yet, and sends its 200.
      held.release();
      a.ackRefusal(request, await a.response(request, 487));
      const ack = await b.next('ACK');
      if (isLate) assert.match(ack.body.toString(), /^m=audio 0 /m);
      else {
        const back = await b.next('INVITE');
        assert.equal(back.body.toString(), call.atB.body.toString());
        b.respond(back, 200, { sdp: b.sdp('sendrecv', 3) });
        await b.next('ACK');
      }
      await delay(2 * LATE_MS);
      await rig.stateIs('connected');
      const again = b.inDialog(call.b, 'INVITE', { sdp: b.sdp('sendrecv', 4) });
      a.respond(await a.next('INVITE'), 200, { sdp: a.sdp('sendrecv', 4) });
      await b.response(again, 200);
      b.ackIn(call.b, again.cseq?.seq ?? 0);
      await a.next('ACK');
      await hangUp(a, b, call);
    });
});
