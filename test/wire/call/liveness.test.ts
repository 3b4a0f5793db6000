import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

const TIMERS = { t1Ms: 20, t2Ms: 160, t4Ms: 200 };
const skip = (process.env['SIP_ENGINE'] ?? 'embedded') !== 'embedded' && 'needs an engine with short timers';

describe('phones that leave a call without a word', { skip }, () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones({ timers: TIMERS, limits: { checkMs: 150 } }));
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1);
  /** Answers the OPTIONS of the server that are there. */
  const answer = async (phone: SipPeer, status: number): Promise<void> =>
    void phone.respond(await phone.next('OPTIONS'), status);

  test('RFC 3261 §11.2: a call goes on while both phones answer, whatever they say', async () => {
    const call = await connect(a, b);
    for (const status of [200, 405, 501, 486]) {
      await answer(a, status);
      await answer(b, status);
    }
    await rig.stateIs('connected');
    const bye = a.bye(call.a);
    await b.expectBye();
    assert.equal((await bye).statusCode, 200);
    const record = await lastRecord();
    assert.deepEqual([record?.result, record?.releaseReason], ['ANSWERED', 'normal-clearing']);
    assert.doesNotMatch(rig.ladder(), /OPTIONS/);
  });

  test('RFC 3261 §12.2.1.2: a phone that does not know the call any more ends it', async () => {
    await connect(a, b);
    const options = b.next('OPTIONS').then((request) => b.respond(request, 481));
    await answer(a, 200);
    await options;
    await Promise.all([a.expectBye(), b.expectBye()]);
    const record = await lastRecord();
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.releaseParty],
      ['ABNORMAL', 'dialog-lost', 'CALLEE'],
    );
  });

  test('RFC 3261 §12.2.1.2: two phones that vanish leave nothing behind', async () => {
    const [c, d] = [await rig.phone('1003'), await rig.phone('1004')];
    await connect(c, d);
    await Promise.all([c.close(), d.close()]);
    const record = await lastRecord();
    assert.equal(record?.releaseReason, 'dialog-lost');
    await waitFor('an engine without dialogs', () => rig.engine?.stats().dialogs === 0);
    assert.deepEqual(rig.connection.waiting().pendingNetworkInvites, 0);
  });
});
