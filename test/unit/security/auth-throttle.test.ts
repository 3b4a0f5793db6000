import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthThrottle } from '../../../src/security/auth-throttle.js';
import { FailureCounter } from '../../../src/security/failure-counter.js';
import { ManualClock } from '../../support/manual-clock.js';

const LIMITS = { perUser: 3, perSource: 8, windowSec: 60 };
const OFFICE = '198.51.100.7';

function failTimes(throttle: AuthThrottle, times: number, username: string, address: string): void {
  for (let i = 0; i < times; i++) throttle.failed(username, address);
}

test('a user is blocked at a source after too many wrong passwords, until the window ends', () => {
  const clock = new ManualClock();
  const throttle = new AuthThrottle(LIMITS, clock);
  failTimes(throttle, 2, '1001', OFFICE);
  assert.equal(throttle.isBlocked('1001', OFFICE), false);
  assert.equal(throttle.failed('1001', OFFICE), true, 'the one that closes the door is told');
  assert.equal(throttle.isBlocked('1001', OFFICE), true);
  clock.advance(59_999);
  assert.equal(throttle.isBlocked('1001', OFFICE), true);
  clock.advance(1);
  assert.equal(throttle.isBlocked('1001', OFFICE), false);
});

test('neither the rest of the office nor the user elsewhere is muted by it', () => {
  const throttle = new AuthThrottle(LIMITS, new ManualClock());
  failTimes(throttle, 3, '1001', OFFICE);
  assert.equal(throttle.isBlocked('1002', OFFICE), false);
  assert.equal(throttle.isBlocked('1001', '203.0.113.5'), false);
});

test('a source that tries many users is blocked as a whole', () => {
  const throttle = new AuthThrottle(LIMITS, new ManualClock());
  for (let i = 0; i < 8; i++) throttle.failed(`user${i}`, OFFICE);
  assert.equal(throttle.isBlocked('1002', OFFICE), true);
  assert.equal(throttle.isBlocked('1002', '203.0.113.5'), false);
});

test('the right password forgives', () => {
  const throttle = new AuthThrottle(LIMITS, new ManualClock());
  failTimes(throttle, 2, '1001', OFFICE);
  throttle.succeeded('1001', OFFICE);
  failTimes(throttle, 2, '1001', OFFICE);
  assert.equal(throttle.isBlocked('1001', OFFICE), false);
});

test('RFC 6177 §2: IPv6 counts by its /64', () => {
  const throttle = new AuthThrottle(LIMITS, new ManualClock());
  failTimes(throttle, 1, '1001', '2001:db8:1:2::1');
  failTimes(throttle, 1, '1001', '2001:db8:1:2:ffff:1:2:3');
  failTimes(throttle, 1, '1001', '2001:db8:1:2:0:0:0:9');
  assert.equal(throttle.isBlocked('1001', '2001:db8:1:2:a::b'), true);
  assert.equal(throttle.isBlocked('1001', '2001:db8:1:3::1'), false);
});

test('the table is bounded: the oldest key goes', () => {
  const counter = new FailureCounter({ limit: 1, windowMs: 1000, maxKeys: 3, clock: new ManualClock() });
  for (const key of ['a', 'b', 'c', 'd']) counter.fail(key);
  assert.equal(counter.size, 3);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => counter.isOver(key)),
    [false, true, true, true],
  );
});
