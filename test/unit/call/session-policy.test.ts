import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  answerSession,
  isTooBrief,
  offerLongerSession,
  offerSession,
} from '../../../src/call/session-policy.js';
import type { SrfMessage } from '../../../src/signalling/srf-types.js';

const POLICY = { intervalSec: 1800, minSec: 120 };
const message = (headers: Record<string, string>): SrfMessage => ({ headers }) as unknown as SrfMessage;

describe('session timers of a call', () => {
  const TIMER = { supported: 'replaces, timer' };
  // RFC 4028 §9, table 2: what the caller says of timers and of the refresher, and who refreshes then.
  for (const [asked, answer] of [
    [{ ...TIMER, 'session-expires': '600;refresher=uac' }, '600;refresher=uac'],
    [{ ...TIMER, 'session-expires': '600;refresher=uas' }, '600;refresher=uas'],
    [{ ...TIMER, 'session-expires': '600' }, '600;refresher=uac'],
    [{ 'session-expires': '600' }, '600;refresher=uas'],
    [{ ...TIMER, 'session-expires': '3600' }, '1800;refresher=uac'],
    [{ ...TIMER, 'session-expires': '3600', 'min-se': '2400' }, '2400;refresher=uac'],
    [TIMER, '1800;refresher=uac'],
    [{ ...TIMER, 'min-se': '2000' }, '2000;refresher=uac'],
    [{}, undefined],
  ] as const)
    test(`RFC 4028 §9: ${JSON.stringify(asked)} is answered ${answer}`, () => {
      const headers = answerSession(message(asked), POLICY);
      assert.equal(headers['Session-Expires'], answer);
      assert.equal(headers['Require'], answer?.endsWith('uac') ? 'timer' : undefined);
    });

  test('what an account says comes before what the server says; 0 is what the caller asks for only', () => {
    assert.equal(answerSession(message(TIMER), POLICY, 300)['Session-Expires'], '300;refresher=uac');
    assert.deepEqual(answerSession(message(TIMER), { intervalSec: 0, minSec: 90 }), {});
    const asked = message({ ...TIMER, 'session-expires': '600' });
    assert.equal(
      answerSession(asked, { intervalSec: 0, minSec: 90 })['Session-Expires'],
      '600;refresher=uac',
    );
    assert.equal(offerSession(POLICY, 300)['Session-Expires'], 300);
    assert.deepEqual(offerSession(POLICY, 0), {});
  });

  test('RFC 4028 §9: 422 is for callers that can understand it', () => {
    assert.equal(isTooBrief(message({ ...TIMER, 'session-expires': '119' }), POLICY), true);
    assert.equal(isTooBrief(message({ ...TIMER, 'session-expires': '120' }), POLICY), false);
    assert.equal(isTooBrief(message({ 'session-expires': '119' }), POLICY), false);
    // Then the interval is taken as it is: it may not be made longer.
    assert.equal(
      answerSession(message({ 'session-expires': '119' }), POLICY)['Session-Expires'],
      '119;refresher=uas',
    );
  });

  test('RFC 4028 §7.3: a 422 is followed when it asks for more than was offered', () => {
    const refusal = message({ 'min-se': '2000' });
    const longer = { 'Session-Expires': 2000, 'Min-SE': 2000 };
    assert.deepEqual(offerLongerSession(refusal, 1800), longer);
    assert.equal(offerLongerSession(refusal, 2000), undefined);
    assert.equal(offerLongerSession(message({}), 1800), undefined);
  });
});
