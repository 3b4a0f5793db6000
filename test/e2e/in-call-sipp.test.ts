import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../src/cdr/types.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { freeUdpPort } from '../support/free-port.js';
import { missing } from '../support/peers.js';
import { sippThrough, startCallee, subscriberLine } from '../support/sipp.js';

const CALLS = 10;

/** What phones do inside calls, each by a scenario of the caller and one of the callee, many at once. */
describe('sipp: what happens inside calls', { skip: missing('sipp') }, () => {
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

  /** Runs the calls; resolves their records. */
  async function run(scenario: string, callee?: string): Promise<CallRecord[]> {
    const phone = callee === undefined ? undefined : startCallee(callee, calleePort);
    try {
      const lines = [subscriberLine('1001', '1001-secret')];
      await sippThrough(calls.server, {
        scenario,
        lines,
        calls: CALLS,
        rate: 20,
        args: ['-s', '1002', '-d', '100'],
      });
    } finally {
      await phone?.stop();
    }
    count += CALLS;
    return (await calls.records(count)).slice(-CALLS);
  }

  for (const [title, scenario, callee, expected] of [
    [
      'RFC 4028 §9, §10: too short a session is 422; then the caller refreshes, and the callee hears nothing of it',
      'uac-session-timer-expect-422-200',
      'uas-answer-and-wait',
      { reinvites: 0 },
    ],
    [
      'RFC 3262 §3: a caller that requires 100rel, a callee that does not know it',
      'uac-reliable-ringing-expect-prack-200',
      'uas-answer-and-wait',
      {},
    ],
    [
      'RFC 3262 §4: a callee that requires 100rel, a caller that does not know it',
      'uac-early-media-expect-183-200',
      'uas-require-100rel',
      {},
    ],
    [
      'RFC 3261 §13.2.1: the callee makes the offer, the caller answers in its ACK',
      'uac-late-offer-expect-200',
      'uas-offer-in-200',
      {},
    ],
    [
      'RFC 6086 §4: digits by INFO both ways',
      'uac-dtmf-info-expect-200',
      'uas-answer-info',
      { dtmfCount: 3 },
    ],
    [
      'RFC 3264 §8.3: voice, fax by T.38, voice',
      'uac-fax-after-voice-expect-200',
      'uas-answer-fax',
      { reinvites: 2 },
    ],
    [
      'RFC 3261 §14.1: an offer that meets another is 491, and taken the second time',
      'uac-reinvite-expect-491-200',
      'uas-answer-491-then-200',
      { reinvites: 2 },
    ],
  ] as const)
    test(title, async () => {
      for (const record of await run(scenario, callee)) {
        const { result, releaseReason, ...rest } = record;
        assert.deepEqual([result, releaseReason], ['ANSWERED', 'normal-clearing']);
        for (const [field, value] of Object.entries(expected))
          assert.equal(rest[field as keyof typeof rest], value, field);
      }
    });

  test('RFC 3891 §3: to replace what is not there is 481', async () => {
    for (const { releaseReason, sipStatus } of await run('uac-replaces-unknown-expect-481'))
      assert.deepEqual([releaseReason, sipStatus], ['replaced-call-unknown', 481]);
  });
});
