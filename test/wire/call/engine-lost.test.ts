import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { notified, resubscribe, stateOf, subscribe } from '../../support/event-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

describe('the line to the engine breaks', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  beforeEach(async () => {
    ({ rig, a, b } = await startTwoPhones());
  });
  afterEach(() => rig.close());

  /** Cuts the connection under call control; it comes back by itself. */
  const cut = (): void => (rig.connection as unknown as { socket: { destroy(): void } }).socket.destroy();

  test('calls end with an honest record, their phones get BYE when the line is back, and new calls go through', async () => {
    await connect(a, b);
    await rig.stateIs('connected');
    cut();
    const [record] = await rig.records(1);
    assert.deepEqual(
      [record?.result, record?.releaseParty, record?.releaseReason],
      ['ABNORMAL', 'SERVER', 'engine-lost'],
    );
    await waitFor('the line', () => rig.connection.connected);
    await Promise.all([a.expectBye(), b.expectBye()]);
    await hangUp(a, b, await connect(a, b));
    await rig.records(2);
  });

  test('RFC 6665 §4.1.3: subscriptions end when the line is back, so that phones begin anew; changes meanwhile cost none', async () => {
    const { dialog } = await subscribe(a, '1001', 'message-summary');
    cut();
    await waitFor('no line', () => !rig.connection.connected);
    rig.events.messagesChanged('1001');
    await waitFor('the line', () => rig.connection.connected);
    assert.equal(stateOf(await notified(a)), 'terminated;reason=deactivated');
    assert.equal((await resubscribe(a, dialog, 'message-summary', 60)).statusCode, 481);
    await subscribe(a, '1001', 'message-summary');
  });

  test('a call that rings ends with an honest record', async () => {
    await a.invite('1002');
    b.respond(await b.next('INVITE'), 180);
    await rig.stateIs('ringing');
    cut();
    const [record] = await rig.records(1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'engine-lost']);
  });
});
