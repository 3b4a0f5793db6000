import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import { MAX_BANS, MAX_ENTRIES } from '../../../src/security/limits.js';
import { SourceLists } from '../../../src/security/source-lists.js';
import type { SourceEntry } from '../../../src/security/source-types.js';
import { StoreError } from '../../../src/store/errors.js';
import type { Collection, Store } from '../../../src/store/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { memoryCollection } from '../../support/memory-collection.js';
import { waitFor } from '../../support/wait-for.js';

const BY = { reason: '', by: 'admin' };

/** A Store that can be away. */
function breakableStore() {
  const collections = new Map<string, Collection>();
  const state = { isAway: false };
  const collection = (name: string): Collection => {
    const inner = collections.get(name) ?? memoryCollection();
    collections.set(name, inner);
    return new Proxy(inner, {
      get:
        (target, key: keyof Collection) =>
        (...args: never[]) =>
          state.isAway
            ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'away'))
            : (target[key] as (...given: never[]) => unknown)(...args),
    });
  };
  return { state, store: { collection } as Pick<Store, 'collection'> };
}

describe('black list and white list', () => {
  let clock: ManualClock;
  let shared: ReturnType<typeof breakableStore>;
  const open: SourceLists[] = [];
  beforeEach(() => {
    clock = new ManualClock();
    shared = breakableStore();
  });
  afterEach(async () => {
    for (const lists of open.splice(0)) await lists.close();
    assert.equal(clock.pendingTimers, 0);
  });

  async function openLists() {
    const told: string[] = [];
    const changes: string[] = [];
    const lists = new SourceLists({
      store: shared.store,
      clock,
      log: silentLogger,
      onBan: ({ source }, isInForce) => told.push(`${isInForce ? '+' : '-'}${source}`),
      onChange: (name, { add, remove }) => changes.push(`${name} +${add.join()} -${remove.join()}`),
    });
    open.push(lists);
    await lists.start();
    return { lists, told, changes };
  }
  const ban = (source: string, forMs = 60_000): SourceEntry => ({
    source,
    reason: 'guesses',
    by: 'server',
    isAutomatic: true,
    addedAt: clock.now(),
    expiresAt: clock.now() + forMs,
  });
  const inStore = async (): Promise<string[]> =>
    (await shared.store.collection('blacklist').list()).map(({ key }) => key);
  /** Lets every look that falls due run to its end. */
  async function later(byMs: number): Promise<void> {
    for (let left = byMs; left > 0; left -= 1000) {
      clock.advance(Math.min(left, 1000));
      for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test('an entry counts at once and outlives its process', async () => {
    const { lists, changes } = await openLists();
    await lists.add('black', ['192.0.2.0/24'], BY);
    await lists.add('white', ['192.0.2.7'], { reason: 'office', by: 'admin', expiresAt: clock.now() + 1 });
    assert.deepEqual(
      ['192.0.2.1', '192.0.2.7'].map((one) => lists.table.isBlocked(one)),
      [true, false],
    );
    assert.deepEqual(changes, ['black +192.0.2.0/24 -', 'white +192.0.2.7 -']);
    const { lists: next } = await openLists();
    assert.deepEqual(next.table.entries('black'), lists.table.entries('black'));
    assert.equal(next.table.isBlocked('192.0.2.7'), false);
  });

  test('what is there cannot be added, what is not there cannot be removed', async () => {
    const { lists } = await openLists();
    await lists.add('black', ['192.0.2.1'], BY);
    await assert.rejects(lists.add('black', ['192.0.2.2', '192.0.2.1'], BY), { code: 'SOURCE_EXISTS' });
    assert.equal(lists.table.isBlocked('192.0.2.2'), false);
    await lists.remove('black', '192.0.2.1');
    assert.equal(lists.table.isBlocked('192.0.2.1'), false);
    await assert.rejects(lists.remove('black', '192.0.2.1'), { code: 'SOURCE_UNKNOWN' });
  });

  test('entries end by themselves, in the Store too', async () => {
    const { lists, told } = await openLists();
    await lists.add('black', ['192.0.2.1'], { ...BY, expiresAt: clock.now() + 5000 });
    lists.ban(ban('192.0.2.2', 5000));
    await lists.add('black', ['192.0.2.3'], BY);
    await later(4000);
    assert.equal(lists.table.entries('black').length, 3);
    await later(3000);
    assert.deepEqual(lists.table.sources('black'), ['192.0.2.3']);
    assert.deepEqual(await inStore(), ['192.0.2.3']);
    assert.deepEqual(told, ['+192.0.2.2', '-192.0.2.2']);
  });

  test('entries that ended while no server ran leave the Store with the first look', async () => {
    await shared.store.collection('blacklist').put('192.0.2.1', { ...ban('192.0.2.1', -1) } as never);
    const { lists, told } = await openLists();
    await later(1000);
    assert.deepEqual([lists.table.sources('black'), await inStore(), told], [[], [], []]);
  });

  test('the end of an entry takes none away that another server has made in its place', async () => {
    const [here, there] = [await openLists(), await openLists()];
    await here.lists.add('black', ['192.0.2.1'], { ...BY, expiresAt: clock.now() + 5000 });
    await later(4000);
    there.changes.length = 0;
    clock.advance(1500);
    await here.lists.remove('black', '192.0.2.1');
    await here.lists.add('black', ['192.0.2.1'], { reason: 'for good', by: 'admin' });
    await later(4000);
    assert.deepEqual(await inStore(), ['192.0.2.1']);
    assert.equal(there.lists.table.get('black', '192.0.2.1')?.reason, 'for good');
    assert.deepEqual(there.changes, ['black +192.0.2.1 -'], 'at no time is it heard');
  });

  test('a ban is not written over an entry that an operator made elsewhere', async () => {
    const [here, there] = [await openLists(), await openLists()];
    await here.lists.add('black', ['192.0.2.1'], { reason: 'for good', by: 'admin' });
    there.lists.ban(ban('192.0.2.1', 3000));
    await later(6000);
    for (const { lists } of [here, there])
      assert.equal(lists.table.get('black', '192.0.2.1')?.reason, 'for good');
  });

  test('an entry that is over in the Store keeps no new ban of its source from getting there', async () => {
    shared.state.isAway = true;
    const { lists } = await openLists();
    lists.ban(ban('192.0.2.1', 600_000));
    shared.state.isAway = false;
    await shared.store
      .collection('blacklist')
      .put('192.0.2.1', { ...ban('192.0.2.1', -1), isAutomatic: false } as never);
    await later(4000);
    assert.deepEqual([lists.table.sources('black'), await inStore()], [['192.0.2.1'], ['192.0.2.1']]);
  });

  test('looks at long lists in which nothing changed cost little', async () => {
    const { lists } = await openLists();
    const many = (of: string) => Array.from({ length: MAX_ENTRIES }, (_, i) => `${of}.${i >> 8}.${i & 255}`);
    await lists.add('black', many('10.0'), BY);
    await lists.add('white', many('10.1'), BY);
    await later(2000);
    const before = process.cpuUsage();
    await later(20_000);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 300_000, `ten looks took ${user + system} us`);
  });

  test('another server on the same Store sees changes and bans, and their end', async () => {
    const [here, there] = [await openLists(), await openLists()];
    here.lists.ban(ban('192.0.2.1'));
    await here.lists.add('black', ['192.0.2.2'], BY);
    await later(2000);
    assert.deepEqual(there.lists.table.sources('black').sort(), ['192.0.2.1', '192.0.2.2']);
    await there.lists.remove('black', '192.0.2.1');
    await later(2000);
    assert.deepEqual(here.lists.table.sources('black'), ['192.0.2.2']);
    assert.deepEqual(
      [here.told, there.told],
      [
        ['+192.0.2.1', '-192.0.2.1'],
        ['+192.0.2.1', '-192.0.2.1'],
      ],
    );
  });

  test('two servers that change something between two looks see each other', async () => {
    const [here, there] = [await openLists(), await openLists()];
    await here.lists.add('black', ['192.0.2.1'], BY);
    await there.lists.add('black', ['192.0.2.2'], BY);
    await later(2000);
    for (const { lists } of [here, there])
      assert.deepEqual(lists.table.sources('black').sort(), ['192.0.2.1', '192.0.2.2']);
  });

  test('a ban counts while the Store is away and gets there when it is back', async () => {
    const { lists } = await openLists();
    shared.state.isAway = true;
    lists.ban(ban('192.0.2.1', 600_000));
    assert.equal(lists.table.isBlocked('192.0.2.1'), true);
    await assert.rejects(lists.add('black', ['192.0.2.2'], BY), { code: 'STORE_UNAVAILABLE' });
    assert.equal(lists.table.isBlocked('192.0.2.2'), false);
    await later(4000);
    shared.state.isAway = false;
    await later(4000);
    assert.deepEqual(await inStore(), ['192.0.2.1']);
    assert.equal((await openLists()).lists.table.isBlocked('192.0.2.1'), true);
  });

  test('a server that starts without its Store reads the lists when it is back', async () => {
    const { lists: before } = await openLists();
    await before.add('black', ['192.0.2.1'], BY);
    shared.state.isAway = true;
    const { lists } = await openLists();
    assert.equal(lists.table.isBlocked('192.0.2.1'), false);
    shared.state.isAway = false;
    await later(2000);
    assert.equal(lists.table.isBlocked('192.0.2.1'), true);
  });

  test('the entry of an operator takes the place of a ban, and stays when the ban would have ended', async () => {
    const { lists, told } = await openLists();
    lists.ban(ban('192.0.2.1', 5000));
    await lists.add('black', ['192.0.2.1'], { reason: 'for good', by: 'admin' });
    await later(10_000);
    assert.deepEqual(
      lists.table.entries('black').map(({ by }) => by),
      ['admin'],
    );
    assert.deepEqual(told, ['+192.0.2.1', '-192.0.2.1']);
    assert.equal((await openLists()).lists.table.get('black', '192.0.2.1')?.reason, 'for good');
  });

  test('a ban that is taken out while it is being written does not come back', async () => {
    const { lists } = await openLists();
    lists.ban(ban('192.0.2.1', 600_000));
    await lists.remove('black', '192.0.2.1');
    await later(4000);
    assert.deepEqual([lists.table.sources('black'), await inStore()], [[], []]);
  });

  test('both kinds are bounded: an operator is told, the ban that ends first gives way', async () => {
    const { lists } = await openLists();
    const many = (count: number, of: string) =>
      Array.from({ length: count }, (_, i) => `${of}.${i >> 8}.${i & 255}`);
    await lists.add('black', many(MAX_ENTRIES, '10.0'), BY);
    await assert.rejects(lists.add('black', ['192.0.2.1'], BY), { code: 'FIELD_INVALID' });
    const bans = many(MAX_BANS, '10.1');
    for (const [index, source] of bans.entries())
      lists.ban(ban(source, 600_000 + (index === 7 ? -1 : index)));
    lists.ban(ban('192.0.2.1', 600_000));
    assert.equal(lists.table.bans, MAX_BANS);
    assert.deepEqual(
      [bans[7]!, '192.0.2.1', bans[0]!].map((one) => lists.table.isBlocked(one)),
      [false, true, true],
    );
    await waitFor(
      'all to be stored',
      async () => (await shared.store.collection('blacklist').count()) === MAX_ENTRIES + MAX_BANS,
    );
  });

  test('what in the Store is no address is passed over', async () => {
    await shared.store.collection('blacklist').put('nonsense', { ...ban('nonsense') } as never);
    await shared.store.collection('blacklist').put('192.0.2.1', { ...ban('192.0.2.1') } as never);
    assert.deepEqual((await openLists()).lists.table.sources('black'), ['192.0.2.1']);
  });
});
