import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_KEYS_PER_TURN, MAX_TYPE_AHEAD_KEYS } from '../../../src/mml/limits.js';
import type { Key } from '../../../src/mml/terminal/key-decoder.js';
import { KeyQueue } from '../../../src/mml/terminal/key-queue.js';

const keys = (count: number): Key[] => Array.from({ length: count }, () => ({ kind: 'char', char: 'x' }));

describe('KeyQueue', () => {
  const flow = { paused: false, pause: () => {}, resume: () => {} };

  it('hands out so many keys in one turn of the event loop, and the rest in later ones', async () => {
    const queue = new KeyQueue(flow);
    queue.push(keys(3 * MAX_KEYS_PER_TURN));
    let others = 0;
    const other = () => {
      others++;
      if (!queue.isEmpty) setImmediate(other);
    };
    setImmediate(other);
    let polled = 0;
    let taken = 0;
    while (taken < 3 * MAX_KEYS_PER_TURN) {
      const key = queue.poll();
      if (key) polled++;
      else if (!(await queue.next())) break;
      taken++;
    }
    assert.equal(taken, 3 * MAX_KEYS_PER_TURN);
    assert.ok(others >= 2, `${others} turns of others`);
    assert.ok(polled > 0.9 * taken);
  });

  it('asks for a stop when too many keys wait, and for more when half of them are used', async () => {
    const told: string[] = [];
    const queue = new KeyQueue({ pause: () => told.push('pause'), resume: () => told.push('resume') });
    queue.push(keys(MAX_TYPE_AHEAD_KEYS + 1));
    assert.deepEqual(told, ['pause']);
    for (let i = 0; i < MAX_TYPE_AHEAD_KEYS / 2; i++) await queue.next();
    assert.deepEqual(told, ['pause']);
    await queue.next();
    assert.deepEqual(told, ['pause', 'resume']);
  });

  it('ends what waits when it is closed, in the middle of a turn too', async () => {
    const queue = new KeyQueue(flow);
    queue.push(keys(2 * MAX_KEYS_PER_TURN));
    while (queue.poll());
    const next = queue.next();
    queue.close();
    assert.equal(await next, undefined);
    assert.equal(await queue.next(), undefined);
  });
});
