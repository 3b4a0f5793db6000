import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { freeUdpPort } from '../support/free-port.js';
import { missing } from '../support/peers.js';
import { sippThrough, startCallee, subscriberLine } from '../support/sipp.js';

const CALLS = 200;

describe('sipp calls through a whole server', { skip: missing('sipp') }, () => {
  let calls: CallServer;
  let calleePort: number;
  let count = 0;
  before(async () => {
    calls = await startCallServer();
    calleePort = await freeUdpPort();
    const lines = [subscriberLine('1002', '1002-secret')];
    await sippThrough(calls.server, {
      scenario: 'uac-register-and-stay-expect-200',
      lines,
      localPort: calleePort,
    });
  });
  after(() => calls?.close());

  /** Calls from 1001 by one scenario to a phone that does another. */
  async function call(
    scenario: string,
    callee: string | undefined,
    options: { number: string; calls: number; rate: number; args?: readonly string[]; transport?: 'tcp' },
  ): Promise<void> {
    const phone = callee === undefined ? undefined : startCallee(callee, calleePort);
    const { number, args = [], ...load } = options;
    try {
      const lines = [subscriberLine('1001', '1001-secret')];
      await sippThrough(calls.server, { scenario, lines, ...load, args: ['-s', number, ...args] });
    } finally {
      await phone?.stop();
    }
    count += options.calls;
  }

  test(`RFC 3261 §14: ${CALLS} calls at once with digest, hold and resume all succeed, each with its record`, async () => {
    await call('uac-call-hold-resume-expect-200', 'uas-answer-two-reinvites', {
      number: '1002',
      calls: CALLS,
      rate: 100,
      args: ['-l', String(CALLS), '-d', '1500'],
    });
    for (const { result, reinvites, releaseReason } of await calls.records(count))
      assert.deepEqual([result, reinvites, releaseReason], ['ANSWERED', 2, 'normal-clearing']);
  });

  test('RFC 3261 §18: a caller over TCP and a callee over UDP', async () => {
    await call('uac-call-hold-resume-expect-200', 'uas-answer-two-reinvites', {
      number: '1002',
      calls: 20,
      rate: 20,
      transport: 'tcp',
      args: ['-d', '100'],
    });
    for (const { result, callerTransport } of (await calls.records(count)).slice(-20))
      assert.deepEqual([result, callerTransport], ['ANSWERED', 'tcp']);
  });

  test('RFC 3261 §9: calls that are cancelled while they ring', async () => {
    await call('uac-cancel-while-ringing-expect-487', 'uas-ring-until-cancelled', {
      number: '1002',
      calls: 20,
      rate: 20,
    });
    for (const { result } of (await calls.records(count)).slice(-20)) assert.equal(result, 'CANCELLED');
  });

  test('RFC 3261 §21.4.5: calls to an unknown number', async () => {
    await call('uac-unknown-number-expect-404', undefined, { number: '9999', calls: 20, rate: 20 });
    for (const { sipStatus } of (await calls.records(count)).slice(-20)) assert.equal(sipStatus, 404);
  });
});
