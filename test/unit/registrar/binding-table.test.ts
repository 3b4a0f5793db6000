import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedQueue } from '../../../src/platform/keyed-queue.js';
import { BindingTable } from '../../../src/registrar/binding-table.js';
import { routeUrlFor } from '../../../src/registrar/route-url.js';
import { fromStored, toStored } from '../../../src/registrar/stored-binding.js';
import type { KeyedBinding } from '../../../src/registrar/working-set.js';
import type { BindingStore } from '../../../src/store/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { openTempStore } from '../../support/temp-store.js';

const AOR = '1001@ims';

function item(contact: string, expiresAt: number, more: Partial<KeyedBinding['binding']> = {}): KeyedBinding {
  return {
    key: `u:${contact}`,
    instance: undefined,
    binding: {
      aor: AOR,
      contact,
      q: 0.5,
      callId: 'c1',
      cseq: 7,
      expiresAt,
      registeredAt: 5,
      protocol: 'tcp',
      address: '192.0.2.1',
      port: 5070,
      userAgent: 'Phone/1',
      ...more,
    },
  };
}

const update = (...put: KeyedBinding[]) => ({ put, removeKeys: [], result: put, changes: [] });

test('RFC 5626 §5.2: a binding comes back from the Store as it was', async () => {
  const { store, close } = await openTempStore();
  try {
    const table = new BindingTable(store.bindings);
    const written = item('sip:1001@10.0.0.1', Date.now() + 60_000);
    await table.write(AOR, update(written));
    assert.deepEqual(await new BindingTable(store.bindings).read(AOR), [written]);
    const withInstance = { ...written, instance: 'urn:uuid:1;' };
    assert.deepEqual(fromStored(AOR, toStored(withInstance)), withInstance);
  } finally {
    await close();
  }
});

test('a stored value that is no binding is left out', () => {
  for (const value of [null, 1, 'x', [], {}, { contact: 'sip:a@b', address: '1.2.3.4' }])
    assert.equal(fromStored(AOR, { contactKey: 'k', expiresAt: 1, value }), undefined);
});

test('while the Store is away the last known state serves, expired bindings left out', async () => {
  const { store, close } = await openTempStore();
  const clock = new ManualClock(Date.now());
  let isAway = false;
  const bindings: BindingStore = {
    ...store.bindings,
    get: (aor) => (isAway ? Promise.reject(new Error('away')) : store.bindings.get(aor)),
    update: (aor, put, keys) => store.bindings.update(aor, put, keys),
  };
  try {
    const table = new BindingTable(bindings, clock);
    await table.write(
      AOR,
      update(item('sip:a@x', clock.now() + 10_000), item('sip:b@x', clock.now() + 20_000)),
    );
    isAway = true;
    assert.equal((await table.readOrRecall(AOR)).length, 2);
    clock.advance(10_000);
    assert.deepEqual(
      (await table.readOrRecall(AOR)).map(({ binding }) => binding.contact),
      ['sip:b@x'],
    );
    await assert.rejects(table.read(AOR), /away/);
    await assert.rejects(table.readOrRecall('nobody@ims'), { code: 'BINDINGS_UNAVAILABLE', sipStatus: 503 });
  } finally {
    await close();
  }
});

test('a Store that does not answer holds a look-up for a quarter of a second at most', async () => {
  const never = { get: () => new Promise<never>(() => undefined) } as unknown as BindingStore;
  const table = new BindingTable(never);
  const start = performance.now();
  await assert.rejects(table.readOrRecall(AOR), { code: 'BINDINGS_UNAVAILABLE' });
  assert.ok(performance.now() - start < 2000);
});

test('what ran out is told once', async () => {
  const { store, close } = await openTempStore();
  const clock = new ManualClock(Date.now());
  try {
    const table = new BindingTable(store.bindings, clock);
    await table.write(
      AOR,
      update(item('sip:a@x', clock.now() + 10_000), item('sip:b@x', clock.now() + 20_000)),
    );
    assert.deepEqual(table.takeExpired(), []);
    clock.advance(10_000);
    const [first] = table.takeExpired();
    assert.deepEqual(
      first?.expired.map(({ binding }) => binding.contact),
      ['sip:a@x'],
    );
    assert.deepEqual(table.takeExpired(), []);
  } finally {
    await close();
  }
});

test('a queue runs work of one key in order and of others at once, failures or not', async () => {
  const queue = new KeyedQueue();
  const log: string[] = [];
  const step =
    (name: string, fails = false) =>
    async () => {
      log.push(`${name}+`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name}-`);
      if (fails) throw new Error(name);
    };
  const first = queue.run('k', step('a', true));
  const rest = [queue.run('k', step('b')), queue.run('other', step('c')), queue.run('k', step('d'))];
  await assert.rejects(first, /a/);
  await Promise.all(rest);
  assert.deepEqual(
    log.filter((entry) => !entry.startsWith('c')),
    ['a+', 'a-', 'b+', 'b-', 'd+', 'd-'],
  );
  assert.ok(log.indexOf('c+') < log.indexOf('a-'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(queue.size, 0);
});

test('RFC 5626 §5.3: the next hop is where the REGISTER came from', () => {
  assert.equal(
    routeUrlFor({ protocol: 'tcp', address: '192.0.2.1', port: 5070 }),
    'sip:192.0.2.1:5070;transport=tcp',
  );
  assert.equal(
    routeUrlFor({ protocol: 'udp', address: '2001:db8::1', port: 5060 }),
    'sip:[2001:db8::1]:5060;transport=udp',
  );
});
