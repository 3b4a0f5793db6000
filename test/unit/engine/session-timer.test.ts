import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionTimer } from '../../../src/engine/core/session-timer.js';
import { ManualClock } from '../../support/manual-clock.js';

const LONGEST_SEC = 2 ** 32 - 1;
const MAX_TIMER_MS = 2 ** 31 - 1;

for (const [isRefresherUs, afterMs] of [
  [true, (LONGEST_SEC / 2) * 1000],
  [false, (LONGEST_SEC - 32) * 1000],
] as const)
  test(`RFC 4028 §10: an interval longer than timers run, ${isRefresherUs ? 'ours' : 'the peer’s'} to refresh`, () => {
    const clock = new ManualClock();
    const delays: number[] = [];
    const setTimeout = clock.setTimeout.bind(clock);
    clock.setTimeout = (fn, delayMs) => {
      delays.push(delayMs);
      return setTimeout(fn, delayMs);
    };
    let events = '';
    new SessionTimer({ clock }, LONGEST_SEC, isRefresherUs, {
      onRefreshDue: () => {
        events += 'due';
      },
      onExpired: () => {
        events += 'expired';
      },
    });
    clock.advance(afterMs - 1);
    assert.equal(events, '');
    clock.advance(2);
    assert.equal(events, isRefresherUs ? 'due' : 'expired');
    assert.ok(delays.every((delayMs) => delayMs >= 0 && delayMs <= MAX_TIMER_MS));
  });

test('RFC 4028 §10: what is left of an interval is waited for in lengths that sessions share, never less', () => {
  const clock = new ManualClock();
  const delays: number[] = [];
  const setTimeout = clock.setTimeout.bind(clock);
  clock.setTimeout = (fn, delayMs) => {
    delays.push(delayMs);
    return setTimeout(fn, delayMs);
  };
  const monotonic = clock.monotonic.bind(clock);
  new SessionTimer({ clock }, 1800, true, { onRefreshDue: () => {}, onExpired: () => {} });
  // The timer of the refresh comes a little late.
  clock.monotonic = () => monotonic() + 12.4;
  clock.advance(900_000);
  assert.deepEqual(delays, [900_000, 868_000]);
});
