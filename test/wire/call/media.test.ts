import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createMediaRelay } from '../../../src/media/create.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { type CallRig, startCallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { freeUdpPort } from '../../support/free-port.js';
import { freePorts } from '../../support/free-ports.js';
import type { SipPeer } from '../../support/sip-peer.js';

/** Real relays in the place of the usual one. */
const openRelay = async (setting: string, ports = 20) =>
  createMediaRelay(setting, {
    clock: systemClock,
    log: silentLogger,
    address: '127.0.0.1',
    bindAddress: '127.0.0.1',
    rtpPorts: await freePorts(ports),
  });

describe('a call without media', () => {
  test('RFC 3261 §21.5.4: no relay answers: 503 with Retry-After, no phone rings, the record is honest', async () => {
    const relay = await openRelay(`rtpproxy+udp://127.0.0.1:${await freeUdpPort()}`);
    const rig = await startCallRig({ relay });
    try {
      const [a, b] = [await rig.phone('1001'), await rig.phone('1002')];
      const invite = await a.invite('1002');
      const response = await a.response(invite, 503);
      a.ackRefusal(invite, response);
      assert.ok(Number(response.get('retry-after')) > 0);
      assert.equal(b.has('INVITE'), false);
      const [record] = await rig.records(1);
      assert.deepEqual(
        [record?.result, record?.releaseReason, record?.billSec],
        ['FAILED', 'media-unavailable', 0],
      );
    } finally {
      await rig.close();
      await relay.close();
    }
  });

  test('a relay without ports left: 503, and the next call gets the ports that were freed', async () => {
    const relay = await openRelay('embedded', 2);
    const rig = await startCallRig({ relay });
    try {
      const [a] = [await rig.phone('1001')];
      const b = await rig.phone('1002');
      const first = await a.invite('1002');
      const atB = await b.next('INVITE');
      const second = await a.invite('1002');
      const refused = await a.response(second, 503);
      a.ackRefusal(second, refused);
      b.respond(atB, 486);
      a.ackRefusal(first, await a.response(first, 486));
      const third = await a.invite('1002');
      b.respond(await b.next('INVITE'), 486);
      a.ackRefusal(third, await a.response(third, 486));
      assert.equal(
        (await rig.records(3)).filter(({ releaseReason }) => releaseReason === 'media-unavailable').length,
        1,
      );
    } finally {
      await rig.close();
      await relay.close();
    }
  });
});

test('a fault of ours ends that call with 500 and a record, and the next call is none the worse', async () => {
  const real = await openRelay('embedded');
  let isBroken = true;
  const open = (id: string) => {
    if (isBroken) throw new TypeError('a bug');
    return real.open(id);
  };
  const rig = await startCallRig({ relay: { open, health: () => real.health(), close: () => real.close() } });
  try {
    const [a, b] = [await rig.phone('1001'), await rig.phone('1002')];
    const invite = await a.invite('1002');
    a.ackRefusal(invite, await a.response(invite, 500));
    const [record] = await rig.records(1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'server-error']);
    isBroken = false;
    await hangUp(a, b, await connect(a, b));
    await rig.records(2);
  } finally {
    await rig.close();
    await real.close();
  }
});

describe('a relay that fails at the answer', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let relay: Awaited<ReturnType<typeof openRelay>>;
  before(async () => {
    relay = await openRelay('embedded');
    ({ rig, a, b } = await startTwoPhones({ relay }));
  });
  after(async () => {
    await rig.close();
    await relay.close();
  });

  test('RFC 3261 §21.5.4: the callee gets ACK and BYE, the caller 503, and nothing is billed', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    await relay.close();
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    await b.next('BYE', 12_000).then((bye) => b.respond(bye, 200));
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 503);
    const [record] = await rig.records(1);
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.billSec, record?.answerTime],
      ['FAILED', 'media-unavailable', 0, undefined],
    );
  });
});
