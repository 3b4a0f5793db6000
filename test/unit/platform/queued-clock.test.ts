import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { queuedClock } from '../../../src/platform/queued-clock.js';
import { ManualClock } from '../../support/manual-clock.js';

const MANY = 5000;

describe('a clock with a queue for each length of timers', () => {
  test('runs each at its time, and uses one timer of the clock below for all of a length', () => {
    const below = new ManualClock();
    const clock = queuedClock(below);
    const ran: string[] = [];
    clock.setTimeout(() => ran.push('a 100'), 100);
    clock.setTimeout(() => ran.push('b 50'), 50);
    below.advance(20);
    clock.setTimeout(() => ran.push('c 100'), 100);
    assert.equal(below.pendingTimers, 2);
    below.advance(29);
    assert.deepEqual(ran, []);
    below.advance(1);
    assert.deepEqual(ran, ['b 50']);
    below.advance(50);
    assert.deepEqual(ran, ['b 50', 'a 100']);
    below.advance(19);
    assert.equal(ran.length, 2);
    below.advance(1);
    assert.deepEqual(ran, ['b 50', 'a 100', 'c 100']);
    assert.equal(below.pendingTimers, 0);
  });

  test('a cancelled timer does not run, nor one that another cancels as it falls due', () => {
    const below = new ManualClock();
    const clock = queuedClock(below);
    const ran: number[] = [];
    const first = clock.setTimeout(() => ran.push(1), 10);
    clock.setTimeout(() => clock.clearTimeout(third), 10);
    const third = clock.setTimeout(() => ran.push(3), 10);
    clock.clearTimeout(first);
    clock.clearTimeout(first);
    clock.clearTimeout(undefined);
    below.advance(100);
    assert.deepEqual(ran, []);
    assert.equal(below.pendingTimers, 0);
  });

  test('a timer set by one that runs waits its whole time', () => {
    const below = new ManualClock();
    const clock = queuedClock(below);
    const ran: number[] = [];
    const again = (): void => {
      ran.push(below.monotonic());
      if (ran.length < 3) clock.setTimeout(again, 10);
    };
    clock.setTimeout(again, 10);
    below.advance(100);
    assert.deepEqual(ran, [10, 20, 30]);
  });

  test('a timer set by one that runs does not hold up those before it', () => {
    const below = new ManualClock();
    const clock = queuedClock(below);
    const ran: string[] = [];
    const repeat = (name: string): void => {
      ran.push(`${name} ${below.monotonic()}`);
      if (below.monotonic() < 200) clock.setTimeout(() => repeat(name), 100);
    };
    clock.setTimeout(() => repeat('a'), 100);
    below.advance(30);
    clock.setTimeout(() => repeat('b'), 100);
    below.advance(1000);
    assert.deepEqual(ran, ['a 100', 'b 130', 'a 200', 'b 230']);
    assert.equal(below.pendingTimers, 0);
  });

  test('thousands that are cancelled leave the others in place', () => {
    const below = new ManualClock();
    const clock = queuedClock(below);
    const ran: number[] = [];
    for (let i = 0; i < MANY; i++) {
      const timer = clock.setTimeout(() => ran.push(i), 1000);
      if (i % 10 !== 0) clock.clearTimeout(timer);
      below.advance(0.1);
    }
    below.advance(2000);
    assert.deepEqual(
      ran,
      Array.from({ length: MANY / 10 }, (_, i) => i * 10),
    );
  });

  test('a timer that throws takes no other down', () => {
    const below = new ManualClock();
    const clock = queuedClock(below);
    const ran: number[] = [];
    clock.setTimeout(() => {
      throw new Error('of the test');
    }, 10);
    clock.setTimeout(() => ran.push(2), 10);
    assert.throws(() => below.advance(20), /of the test/);
    below.advance(20);
    assert.deepEqual(ran, [2]);
  });
});
