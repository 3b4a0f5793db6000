import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SenderRate } from '../../../src/messaging/sender-rate.js';
import { ManualClock } from '../../support/manual-clock.js';

test('each sender has so many messages a minute, and hears how long to wait', () => {
  const clock = new ManualClock();
  const rate = new SenderRate(() => 3, clock);
  assert.deepEqual(
    [1, 2, 3].map(() => rate.take('1001')),
    [0, 0, 0],
  );
  assert.equal(rate.take('1001'), 20);
  assert.equal(rate.take('1002'), 0, 'others are not held up');
  clock.advance(20_000);
  assert.equal(rate.take('1001'), 0);
  assert.ok(rate.take('1001') > 0);
});

test('0 is any number', () => {
  const rate = new SenderRate(() => 0, new ManualClock());
  for (let i = 0; i < 1000; i++) assert.equal(rate.take('1001'), 0);
});
