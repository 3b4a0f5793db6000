import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAUSE_NAMES, calleeFailure, causeOf, q850OfStatus } from '../../../src/call/causes.js';
import { CALL_RESULTS } from '../../../src/cdr/types.js';

test('every release reason is a kebab-case token with a result, a final status and a Q.850 cause', () => {
  for (const name of CAUSE_NAMES) {
    const { result, status, q850 } = causeOf(name);
    assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(CALL_RESULTS.includes(result), name);
    assert.ok(q850 >= 1 && q850 <= 127, name);
    const isForAnswered = [
      'normal-clearing',
      'duration-exceeded',
      'call-picked-up',
      'call-replaced',
      'call-transferred',
    ].includes(name);
    assert.ok(isForAnswered ? status === 200 : status >= 400 && status <= 699, name);
  }
});

for (const [status, q850] of [
  [404, 1],
  [486, 17],
  [480, 18],
  [408, 102],
  [484, 28],
  [503, 41],
  [603, 21],
  [499, 41],
  [599, 41],
  [699, 17],
  [488, 88],
  [302, 127],
] as const)
  test(`RFC 3398 §8.2.6.1, RFC 3261 §8.1.3.2: ${status} is cause ${q850}`, () =>
    assert.equal(q850OfStatus(status), q850));

test('RFC 3261 §16.7: every final status of a phone has a cause, and the caller hears a failure', () => {
  for (let status = 300; status < 700; status++) {
    const failure = calleeFailure(status);
    assert.ok(failure.status >= 400 && failure.status < 700, String(status));
    assert.ok(failure.cause.q850 > 0);
  }
});

test('RFC 3261 §16.7, RFC 5626 §7: what speaks of our hop only does not reach the caller', () => {
  for (const status of [302, 401, 407, 420, 421, 422, 430, 481])
    assert.notEqual(calleeFailure(status).status, status);
});
