import assert from 'node:assert/strict';
import { test } from 'node:test';
import { glareDelayMs } from '../../../src/call/glare.js';

test('RFC 3261 §14.1: who made the Call-ID tries again after 2.1 to 4 s, the other after 0 to 2 s', () => {
  const range = (madeBy: 'us' | 'phone') => [0, 0.999_999].map((at) => glareDelayMs({ madeBy }, () => at));
  assert.deepEqual(range('us'), [2100, 4000]);
  assert.deepEqual(range('phone'), [0, 2000]);
  assert.equal(glareDelayMs({ madeBy: 'us' }, () => 0.5) % 10, 0);
});
