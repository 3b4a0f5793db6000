import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameClock } from '../../../src/audio/frame-clock.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A clock whose timers are late by `lateMs` each. */
function lateClock(lateMs: number): {
  clock: ManualClock;
  late: Pick<ManualClock, 'monotonic' | 'setTimeout' | 'clearTimeout'>;
} {
  const clock = new ManualClock();
  return {
    clock,
    late: {
      monotonic: () => clock.monotonic(),
      setTimeout: (fn, delayMs) => clock.setTimeout(fn, delayMs + lateMs),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    },
  };
}

test('50 frames a second, however late timers are', () => {
  const { clock, late } = lateClock(7);
  let frames = 0;
  const beat = new FrameClock(late, () => frames++);
  beat.start();
  clock.advance(60_000);
  assert.ok(Math.abs(frames - 3000) <= 1, String(frames));
  beat.stop();
  clock.advance(1000);
  assert.ok(Math.abs(frames - 3000) <= 1);
  assert.equal(clock.pendingTimers, 0);
});

test('after a standstill no flood is sent', () => {
  const { clock, late } = lateClock(2000);
  let frames = 0;
  const beat = new FrameClock(late, () => frames++);
  beat.start();
  clock.advance(2020);
  assert.equal(frames, 10);
  beat.stop();
});
