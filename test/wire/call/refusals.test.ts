import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../../src/cdr/types.js';
import type { SipRequest, SipResponse } from '../../../src/sip/message.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('a call that is refused before a phone rings', () => {
  let rig: CallRig;
  let a: SipPeer;
  let count = 0;
  before(async () => {
    rig = await startCallRig({ limits: { maxCalls: 1 } });
    a = await rig.phone('1001');
  });
  after(() => rig.close());

  /** Calls with credentials, acknowledges the refusal, and hands out what caller and record say. */
  async function refused(
    number: string,
    change?: (invite: SipRequest) => void,
  ): Promise<{ response: SipResponse; record: CallRecord | undefined }> {
    const invite = await a.invite(number, undefined, change);
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    return { response, record: (await rig.records(++count)).at(-1) };
  }

  test('RFC 3261 §22.3: a challenge alone leaves no record', async () => {
    const invite = a.invitation('1002');
    a.send(invite);
    const challenge = await a.response(invite, 407);
    a.ackRefusal(invite, challenge);
    for (const algorithm of ['MD5', 'SHA-256'])
      assert.ok(
        challenge.getAll('proxy-authenticate').some((value) => value.includes(`algorithm=${algorithm},`)),
      );
    await rig.records(0);
    assert.equal(rig.control.count().active, 0);
  });

  test('RFC 3261 §21.4.5: an unknown number is 404', async () => {
    const { response, record } = await refused('9999');
    assert.equal(response.statusCode, 404);
    assert.match(response.get('reason') ?? '', /Q\.850;cause=1;/);
    assert.deepEqual([record?.result, record?.releaseReason], ['FAILED', 'callee-unknown']);
  });

  test('RFC 3261 §21.4.18: a subscriber without a phone is 480', async () => {
    await rig.phone('1003', { register: false });
    const { response, record } = await refused('1003');
    assert.equal(response.statusCode, 480);
    assert.deepEqual([record?.result, record?.releaseReason], ['FAILED', 'callee-not-registered']);
  });

  test('RFC 3261 §21.4.4: a suspended subscriber is 403', async () => {
    await rig.users.add('1004', { password: '1004-secret', status: 'SUSPENDED' });
    const { response, record } = await refused('1004');
    assert.equal(response.statusCode, 403);
    assert.equal(record?.releaseReason, 'callee-suspended');
  });

  test('RFC 3261 §22.1: nobody calls in the name of another', async () => {
    const { response, record } = await refused('1002', (invite) =>
      invite.set('From', '<sip:1007@127.0.0.1>;tag=forged'),
    );
    assert.equal(response.statusCode, 403);
    assert.deepEqual([record?.result, record?.releaseReason], ['REJECTED', 'from-mismatch']);
  });

  for (const [uri, status, reason] of [
    ['sip:1002@example.org', 404, 'foreign-domain'],
    ['mailto:1002@example.org', 416, 'scheme-unsupported'],
  ] as const)
    test(`RFC 3261 §8.2.2.1: ${uri} is ${status}`, async () => {
      const invite = a.request('INVITE', uri).append('Contact', a.contact);
      a.send(invite);
      const challenge = await a.response(invite, 407);
      a.ackRefusal(invite, challenge);
      const again = a.sendWithCredentials(invite, challenge);
      const response = await a.final(again);
      a.ackRefusal(again, response);
      assert.equal(response.statusCode, status);
      assert.equal((await rig.records(++count)).at(-1)?.releaseReason, reason);
    });

  test('RFC 3261 §16.3 item 3: Max-Forwards of 0 is 483', async () => {
    const { response, record } = await refused('1002', (invite) => invite.set('Max-Forwards', '0'));
    assert.equal(response.statusCode, 483);
    assert.equal(record?.releaseReason, 'too-many-hops');
  });

  test('RFC 3261 §8.1.1.8: an INVITE without Contact is 400', async () => {
    const { response, record } = await refused('1002', (invite) => invite.remove('contact'));
    assert.equal(response.statusCode, 400);
    assert.equal(record?.releaseReason, 'request-malformed');
  });

  test('RFC 3261 §8.2.2.3: an extension that we do not have is 420 with Unsupported', async () => {
    const { response } = await refused('1002', (invite) => invite.append('Require', '100rel, fancy'));
    assert.equal(response.statusCode, 420);
    assert.equal(response.get('unsupported'), 'fancy');
  });

  test('RFC 3261 §8.2: of several faults the first in the order of the RFC is told', async () => {
    const faults: readonly [number, (invite: SipRequest) => void][] = [
      [420, (invite) => invite.append('Require', 'fancy')],
      [415, (invite) => invite.set('Content-Type', 'text/plain')],
      [404, () => {}],
    ];
    for (const [i, [status]] of faults.entries()) {
      const { response } = await refused('9999', (invite) => {
        for (const [, spoil] of faults.slice(i)) spoil(invite);
      });
      assert.equal(response.statusCode, status);
    }
  });

  test('RFC 3261 §8.2.3: a body that is no description is 415 with Accept', async () => {
    const { response } = await refused('1002', (invite) => invite.set('Content-Type', 'text/plain'));
    assert.equal(response.statusCode, 415);
    assert.equal(response.get('accept'), 'application/sdp');
  });

  test('RFC 3261 §8.2.3: a description in an encoding that we do not have is 415 with Accept-Encoding', async () => {
    const { response, record } = await refused('1002', (invite) => invite.set('Content-Encoding', 'gzip'));
    assert.equal(response.statusCode, 415);
    assert.equal(response.get('accept-encoding'), 'identity');
    assert.equal(record?.releaseReason, 'body-unsupported');
  });

  test('RFC 3261 §13.2.1: a description that nothing can relay is 488', async () => {
    const { response, record } = await refused('1001', (invite) => {
      invite.body = Buffer.from('v=0\r\nthis is not SDP\r\n');
    });
    assert.equal(response.statusCode, 488);
    assert.equal(record?.releaseReason, 'offer-not-acceptable');
  });

  test('RFC 3261 §21.5.4, §20.33: a draining server answers new calls 503 with Retry-After and keeps those that are up', async () => {
    const b = await rig.phone('1002');
    const call = await connect(a, b);
    rig.control.setDraining(true);
    const invite = a.invitation('1002');
    a.send(invite);
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 503);
    assert.ok(Number(response.get('retry-after')) > 0);
    rig.control.setDraining(false);
    await hangUp(a, b, call);
    count += 2;
    assert.ok((await rig.records(count)).some(({ releaseReason }) => releaseReason === 'server-draining'));
  });

  test('RFC 3261 §21.5.4: calls over the limit are 503 with Retry-After', async () => {
    const b = await rig.phone('1002');
    const call = await connect(a, b);
    const invite = await a.invite('1001');
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 503);
    assert.ok(Number(response.get('retry-after')) > 0);
    await hangUp(a, b, call);
    count += 2;
    assert.ok((await rig.records(count)).some(({ releaseReason }) => releaseReason === 'server-overloaded'));
  });
});
