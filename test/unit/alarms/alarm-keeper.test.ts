import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openAlarms } from '../../../src/alarms/alarm-keeper.js';
import { MAX_HISTORY } from '../../../src/alarms/limits.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import type { Collection } from '../../../src/store/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { memoryCollection } from '../../support/memory-collection.js';
import { openTempStore } from '../../support/temp-store.js';

const log = silentLogger;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A Store that a test takes away. */
function brittleStore() {
  const entries = memoryCollection();
  const store = {
    alive: true,
    collection: () =>
      new Proxy(entries, {
        get: (target, name: keyof Collection) =>
          store.alive ? target[name] : () => Promise.reject(new Error('away')),
      }),
  };
  return { store, entries };
}

describe('alarms in the Store', () => {
  it('outlive the server, with their numbers, times and history, each node its own', async () => {
    const { store, close } = await openTempStore();
    try {
      const first = await openAlarms({ store, node: 'n1', clock: systemClock, log });
      const other = await openAlarms({ store, node: 'n10', clock: systemClock, log });
      first.raise('TRUNK_DOWN', 'carrier1', '503');
      first.raise('TRUNK_DOWN', 'carrier1', '408');
      first.raise('OVERLOAD', '', '');
      first.clear('OVERLOAD', '');
      other.raise('NO_RELAY', '', '');
      const before = first.active();
      await Promise.all([first.close(), other.close()]);
      const second = await openAlarms({ store, node: 'n1', clock: systemClock, log });
      assert.deepEqual(second.active(), before);
      assert.deepEqual(
        second.history({ limit: 10 }).map(({ name, clearedBy }) => [name, clearedBy]),
        [['OVERLOAD', 'server']],
      );
      await second.close();
    } finally {
      await close();
    }
  });

  it('wait for a Store that is away at the start, and join what it has', async () => {
    const clock = new ManualClock();
    const { store, entries } = brittleStore();
    const first = await openAlarms({ store, node: 'n1', clock, log });
    first.raise('TRUNK_DOWN', 'carrier1', '503');
    await first.close();
    store.alive = false;
    const second = await openAlarms({ store, node: 'n1', clock, log });
    second.raise('STORE_DOWN', '', 'away');
    for (let i = 0; i < 3; i++) {
      clock.advance(10_000);
      await turn();
    }
    store.alive = true;
    clock.advance(10_000);
    for (let i = 0; i < 10; i++) await turn();
    assert.deepEqual(
      second.active().map(({ name }) => name),
      ['STORE_DOWN', 'TRUNK_DOWN'],
    );
    assert.equal(await entries.count(), 2);
    await second.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('keep no more of the past in the Store than in memory', async () => {
    const clock = new ManualClock();
    const { store, entries } = brittleStore();
    const book = await openAlarms({ store, node: 'n1', clock, log });
    for (let i = 0; i < MAX_HISTORY + 30; i++) {
      book.raise('TRUNK_DOWN', `t${i}`, '');
      book.clear('TRUNK_DOWN', `t${i}`);
      if (i % 100 === 0) {
        clock.advance(1000);
        for (let turns = 0; turns < 250; turns++) await turn();
      }
    }
    await book.close();
    assert.equal(await entries.count(), MAX_HISTORY);
  });

  it('keep no server from ending when the Store hangs', async () => {
    const clock = new ManualClock();
    const collection = { ...memoryCollection(), put: () => new Promise<boolean>(() => undefined) };
    const store = { alive: true, collection: () => collection };
    const book = await openAlarms({ store, node: 'n1', clock, log });
    book.raise('OVERLOAD', '', '');
    clock.advance(1000);
    await book.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('leave out what another version has written', async () => {
    const clock = new ManualClock();
    const { store, entries } = brittleStore();
    const first = await openAlarms({ store, node: 'n1', clock, log });
    first.raise('OVERLOAD', '', '');
    await first.close();
    const [{ key } = { key: '' }] = await entries.list();
    await entries.put(`${key}x`, { id: 9, name: 'FROM_THE_FUTURE', firstAt: 1, lastAt: 1, count: 1 });
    await entries.put(`${key}y`, null);
    const second = await openAlarms({ store, node: 'n1', clock, log });
    assert.deepEqual(
      second.active().map(({ name }) => name),
      ['OVERLOAD'],
    );
    await second.close();
    assert.equal(await entries.count(), 1);
  });
});
