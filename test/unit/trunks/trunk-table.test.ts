import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import type { Collection, Store } from '../../../src/store/types.js';
import { TRUNK_DEFAULTS } from '../../../src/trunks/trunk-rules.js';
import { TrunkTable } from '../../../src/trunks/trunk-table.js';
import type { Trunk } from '../../../src/trunks/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { memoryCollection } from '../../support/memory-collection.js';

/** A Store whose listings can be kept waiting, and that can be away. */
function slowStore() {
  const collections = new Map<string, Collection>();
  const gate = { wait: Promise.resolve(), isAway: false };
  const collection = (name: string): Collection => {
    const inner = collections.get(name) ?? memoryCollection();
    collections.set(name, inner);
    const list: Collection['list'] = async (options) => {
      if (gate.isAway) throw new Error('away');
      const { wait } = gate;
      const found = await inner.list(options);
      await wait;
      return found;
    };
    return Object.assign(Object.create(inner) as Collection, { list });
  };
  return { gate, store: { collection } as Pick<Store, 'collection'> };
}

const trunk = (name: string, change: Partial<Trunk> = {}): Trunk => ({ name, ...TRUNK_DEFAULTS, ...change });
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a look that began before a change does not take the change back', async () => {
  const { gate, store } = slowStore();
  const clock = new ManualClock();
  const table = new TrunkTable(store, clock, silentLogger, () => undefined);
  await table.start();
  let open = (): void => undefined;
  gate.wait = new Promise((resolve) => {
    open = resolve;
  });
  clock.advance(5000);
  await settle();
  gate.wait = Promise.resolve();
  await table.putTrunk(trunk('new'), 'create');
  assert.ok(table.get('new'));
  open();
  await settle();
  await settle();
  assert.ok(table.get('new'));
  table.close();
});

test('what another server changed is seen, and the last known trunks serve while the Store is away', async () => {
  const { gate, store } = slowStore();
  const clock = new ManualClock();
  let changes = 0;
  const table = new TrunkTable(store, clock, silentLogger, () => changes++);
  await table.start();
  await store.collection('trunks').put('far', { name: 'far', sources: ['192.0.2.7'] });
  clock.advance(5000);
  await settle();
  assert.equal(table.at('192.0.2.7', 5060)?.name, 'far');
  assert.equal(
    table.get('far')?.trySec,
    TRUNK_DEFAULTS.trySec,
    'what an older entry does not have is as by default',
  );
  const before = changes;
  gate.isAway = true;
  clock.advance(5000);
  await settle();
  assert.equal(table.at('192.0.2.7', 5060)?.name, 'far');
  gate.isAway = false;
  clock.advance(5000);
  await settle();
  assert.equal(changes, before, 'nothing changed');
  table.close();
  clock.advance(60_000);
  assert.equal(clock.pendingTimers, 0);
});

test('the trunk that names a caller most narrowly has the call, inactive ones have none', async () => {
  const { store } = slowStore();
  const table = new TrunkTable(store, new ManualClock(), silentLogger, () => undefined);
  await table.putTrunk(trunk('wide', { sources: ['192.0.2.0/24'] }), 'create');
  await table.putTrunk(trunk('host', { sources: ['192.0.2.7'] }), 'create');
  await table.putTrunk(trunk('port', { sources: ['192.0.2.0/24', '192.0.2.7:5080'] }), 'create');
  await table.putTrunk(trunk('off', { sources: ['198.51.100.1'], status: 'INACTIVE' }), 'create');
  const names = [
    ['192.0.2.9', 5060],
    ['192.0.2.7', 5060],
    ['192.0.2.7', 5080],
    ['198.51.100.1', 5060],
  ] as const;
  const found = names.map(([address, port]) => table.at(address, port)?.name);
  assert.deepEqual(found.slice(1), ['host', 'port', undefined]);
  assert.ok(['wide', 'port'].includes(found[0] ?? ''));
  table.close();
});

test('it knows which addresses and networks calls of active trunks come from, at whatever port', async () => {
  const table = new TrunkTable(slowStore().store, new ManualClock(), silentLogger, () => undefined);
  await table.start();
  const sources = [
    '192.0.2.7:5080',
    '[2001:db8::7]:5060',
    '198.51.100.0/24',
    '2001:db8:1::/48',
    'fe80::1%eth0',
  ];
  await table.putTrunk(trunk('carrier', { sources }), 'create');
  await table.putTrunk(trunk('off', { sources: ['203.0.113.1'], status: 'INACTIVE' }), 'create');
  const { places } = table;
  const addresses = [
    '192.0.2.7',
    '2001:db8::7',
    '198.51.100.9',
    '::ffff:198.51.100.9',
    '2001:db8:1:1::1',
    'fe80::1',
  ];
  for (const address of addresses) assert.ok(places.has(address), address);
  for (const address of ['192.0.2.8', '2001:db8::66', '203.0.113.1'])
    assert.equal(places.has(address), false, address);
  assert.equal(places.touches('2001:db8::/64'), true);
  assert.equal(places.touches('2001:db8:0:1::/64'), false);
  table.close();
});
