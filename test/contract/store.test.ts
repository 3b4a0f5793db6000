import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Clock } from '../../src/platform/clock.js';
import { systemClock } from '../../src/platform/clock.js';
import { ulid } from '../../src/platform/ids.js';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import type { Json, RecordEntry, RecordQuery, Store } from '../../src/store/types.js';
import { startRedis } from '../support/redis-server.js';

/** One implementation under test: makes it empty, opens it anew over the same data. */
interface Bench {
  readonly open: (clock?: Clock) => Promise<Store>;
  readonly empty: () => Promise<void>;
  readonly close: () => Promise<void>;
}

async function lmdbBench(): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), 'ims-store-'));
  let round = 0;
  return {
    open: (clock = systemClock) =>
      openStore(`embedded:${join(root, `${round}`)}`, { dataDir: root, log: silentLogger, clock }),
    empty: async () => {
      round++;
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

async function redisBench(): Promise<Bench> {
  const redis = await startRedis();
  return {
    open: (clock = systemClock) => openStore(redis.url, { dataDir: '/nowhere', log: silentLogger, clock }),
    empty: async () => {
      await redis.send('FLUSHALL');
    },
    close: () => redis.close(),
  };
}

const STRANGE_TEXTS = [
  'plain',
  'two\r\nlines: $3\r\nfoo\r\n*1\r\n',
  'quote " and \' and ` and \\',
  'nul \u0000 in the middle',
  '\u0000',
  '中文 李四',
  '\u0001\u0002\u007f\u0080\u00ff',
  '😀 beyond the first plane',
  '__proto__',
  'a:b:c{d}e*?[x]',
  '%s%n$x',
];

const record = (i: number, more: Partial<RecordEntry> = {}): RecordEntry => ({
  id: ulid(1_700_000_000_000 + i),
  time: 1_700_000_000_000 + i,
  type: 'CALL',
  result: i % 3 === 0 ? 'FAILED' : 'ANSWERED',
  caller: `${1000 + (i % 7)}`,
  callee: `${1000 + (i % 5)}`,
  body: { i },
  ...more,
});

/** Follows cursors to the end; checks that no page is longer than asked. */
async function readAll(store: Store, query: RecordQuery): Promise<RecordEntry[]> {
  const all: RecordEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.records.query({ ...query, ...(cursor !== undefined && { cursor }) });
    assert.ok(page.records.length <= (query.limit ?? 100));
    all.push(...page.records);
    cursor = page.next;
  } while (cursor !== undefined);
  return all;
}

for (const [name, makeBench] of [
  ['lmdb', lmdbBench],
  ['redis', redisBench],
] as const) {
  describe(`Store contract on ${name}`, () => {
    let bench: Bench;
    let store: Store;
    let now = 1_700_000_000_000;
    const clock: Clock = { ...systemClock, now: () => now };

    before(async () => {
      bench = await makeBench();
    });
    after(async () => {
      await store?.close();
      await bench.close();
    });
    beforeEach(async () => {
      await store?.close();
      await bench.empty();
      now = 1_700_000_000_000;
      store = await bench.open(clock);
    });

    it('answers ping, is alive, and describes itself', async () => {
      await store.ping();
      assert.equal(store.alive, true);
      assert.match(store.description, /^(lmdb \/|redis 127\.0\.0\.1:\d+\/0)/);
    });

    it('rejects calls after close, and close may be called twice', async () => {
      const other = await bench.open();
      await other.close();
      await other.close();
      await assert.rejects(other.collection('users').get('a'), { code: 'CLOSED' });
      await assert.rejects(other.ping(), { code: 'CLOSED' });
      await store.ping();
    });

    it('collection: get, put, remove and count', async () => {
      const users = store.collection('users');
      assert.equal(await users.get('a'), undefined);
      assert.equal(await users.put('a', { n: 1 }), true);
      assert.equal(await users.put('a', { n: 2 }), true);
      assert.deepEqual(await users.get('a'), { n: 2 });
      assert.equal(await users.count(), 1);
      assert.equal(await users.remove('a'), true);
      assert.equal(await users.remove('a'), false);
      assert.equal(await users.count(), 0);
      assert.deepEqual(await users.list(), []);
    });

    it('collection: create only when free, update only when there', async () => {
      const users = store.collection('users');
      assert.equal(await users.put('a', 1, 'update'), false);
      assert.equal(await users.get('a'), undefined);
      assert.equal(await users.put('a', 1, 'create'), true);
      assert.equal(await users.put('a', 2, 'create'), false);
      assert.equal(await users.get('a'), 1);
      assert.equal(await users.put('a', 3, 'update'), true);
      assert.equal(await users.get('a'), 3);
    });

    it('collection: of many who create one key at once, one succeeds', async () => {
      const other = await bench.open();
      const tries = Array.from({ length: 40 }, (_, i) =>
        (i % 2 ? store : other).collection('users').put('same', i, 'create'),
      );
      assert.equal((await Promise.all(tries)).filter(Boolean).length, 1);
      await other.close();
    });

    it('collection: names are apart, and what another handle wrote is seen', async () => {
      const other = await bench.open();
      await other.collection('users').put('a', 'user');
      await store.collection('operators').put('a', 'operator');
      assert.equal(await store.collection('users').get('a'), 'user');
      assert.equal(await other.collection('operators').get('a'), 'operator');
      await other.close();
    });

    it('collection: any text is kept whole, as key and as value, in byte order', async () => {
      const users = store.collection('users');
      for (const text of STRANGE_TEXTS) await users.put(text, { text, list: [text, null, true, 1.5, -0.25] });
      for (const text of STRANGE_TEXTS)
        assert.deepEqual(await users.get(text), { text, list: [text, null, true, 1.5, -0.25] });
      const keys = (await users.list()).map(({ key }) => key);
      const expected = [...STRANGE_TEXTS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(keys, expected);
      for (const text of STRANGE_TEXTS) assert.equal(await users.remove(text), true);
      assert.equal(await users.count(), 0);
    });

    it('collection: JSON values come back equal, absent properties stay absent', async () => {
      const settings = store.collection('settings');
      const values: Json[] = [null, true, 0, '', [], {}, { a: { b: [1, { c: '' }] } }, 'x'.repeat(100_000)];
      for (const value of values) {
        await settings.put('k', value);
        assert.deepEqual(await settings.get('k'), value);
      }
      await settings.put('k', { a: undefined, b: 1 });
      assert.deepEqual(await settings.get('k'), { b: 1 });
    });

    it('collection: lists by prefix and by pages', async () => {
      const users = store.collection('users');
      const keys = Array.from({ length: 250 }, (_, i) => `user-${String(i).padStart(3, '0')}`);
      for (const key of [...keys, 'uses', 'user', 'v']) await users.put(key, key);
      const paged: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await users.list({ prefix: 'user-', limit: 100, ...(after !== undefined && { after }) });
        paged.push(...page.map(({ key }) => key));
        if (page.length < 100) break;
        after = page.at(-1)!.key;
      }
      assert.deepEqual(paged, keys);
      assert.equal((await users.list({ after: 'a', prefix: 'user-', limit: 1 }))[0]?.key, 'user-000');
      assert.deepEqual(await users.list({ after: 'w', prefix: 'user-' }), []);
      assert.equal((await users.list()).length, 100);
    });

    it('collection: keys and limits out of range are refused', async () => {
      const users = store.collection('users');
      const refused = { code: 'STORE_ARGUMENT_INVALID' };
      await assert.rejects(users.put('', 1), refused);
      await assert.rejects(users.get('x'.repeat(256)), refused);
      await assert.rejects(users.get('李'.repeat(86)), refused);
      await assert.rejects(users.put('lone \ud800 surrogate', 1), refused);
      await assert.rejects(users.list({ limit: 0 }), refused);
      await assert.rejects(users.list({ limit: 1001 }), refused);
      assert.equal(await users.put('x'.repeat(255), 1), true);
    });

    it('bindings: written, replaced, removed and listed by address-of-record', async () => {
      const { bindings } = store;
      const binding = (contactKey: string, inMs: number, value: Json = null) => ({
        contactKey,
        expiresAt: now + inMs,
        value,
      });
      assert.deepEqual(await bindings.get('a@ims'), []);
      await bindings.update('b@ims', [binding('phone 1', 1000, { x: 1 }), binding('phone 2', 2000)], []);
      await bindings.update('a@ims', [binding('phone 1', 3000)], ['unknown']);
      await bindings.update('b@ims', [binding('phone 3', 500)], ['phone 2']);
      await bindings.update('b@ims', [binding('phone 1', 9000, { x: 2 })], []);
      const found = (await bindings.get('b@ims')).sort((a, b) => (a.contactKey < b.contactKey ? -1 : 1));
      assert.deepEqual(found, [binding('phone 1', 9000, { x: 2 }), binding('phone 3', 500)]);
      assert.deepEqual(await bindings.count(), { aors: 2, bindings: 3 });
      assert.deepEqual(
        (await bindings.list()).map(({ aor }) => aor),
        ['a@ims', 'b@ims'],
      );
      assert.equal((await bindings.list({ after: 'a@ims' }))[0]?.bindings.length, 2);
      assert.equal(await bindings.clear('b@ims'), 2);
      assert.equal(await bindings.clear('b@ims'), 0);
      await bindings.update('a@ims', [], ['phone 1']);
      assert.deepEqual(await bindings.count(), { aors: 0, bindings: 0 });
      assert.deepEqual(await bindings.list(), []);
    });

    it('bindings: expired ones are gone to the millisecond, without a trace', async () => {
      const { bindings } = store;
      for (let i = 0; i < 700; i++)
        await bindings.update(`u${i}@ims`, [{ contactKey: 'c', expiresAt: now + 100, value: i }], []);
      await bindings.update('long@ims', [{ contactKey: 'c', expiresAt: now + 101, value: 'long' }], []);
      assert.deepEqual(await bindings.count(), { aors: 701, bindings: 701 });
      now += 99;
      assert.equal((await bindings.get('u0@ims')).length, 1);
      now += 1;
      assert.deepEqual(await bindings.get('u0@ims'), []);
      assert.equal((await bindings.get('long@ims')).length, 1);
      assert.equal(await bindings.clear('u1@ims'), 0);
      assert.deepEqual(
        (await bindings.list()).map(({ aor }) => aor),
        ['long@ims'],
      );
      assert.deepEqual(await bindings.count(), { aors: 1, bindings: 1 });
      now += 1;
      assert.deepEqual(await bindings.count(), { aors: 0, bindings: 0 });
      await bindings.update('u0@ims', [{ contactKey: 'c', expiresAt: now + 1, value: 1 }], []);
      assert.deepEqual(await bindings.count(), { aors: 1, bindings: 1 });
    });

    it('bindings: one update sweeps what expired of the same address-of-record', async () => {
      const { bindings } = store;
      await bindings.update('a@ims', [{ contactKey: 'old', expiresAt: now + 10, value: 1 }], []);
      now += 20;
      await bindings.update('a@ims', [{ contactKey: 'new', expiresAt: now + 10, value: 2 }], []);
      assert.deepEqual(
        (await bindings.get('a@ims')).map(({ contactKey }) => contactKey),
        ['new'],
      );
      assert.deepEqual(await bindings.count(), { aors: 1, bindings: 1 });
    });

    it('bindings: any text is kept whole', async () => {
      const expiresAt = now + 1000;
      for (const text of STRANGE_TEXTS)
        await store.bindings.update(
          `${text}@ims`,
          STRANGE_TEXTS.map((contactKey) => ({ contactKey, expiresAt, value: { contactKey } })),
          [],
        );
      const count = STRANGE_TEXTS.length;
      assert.deepEqual(await store.bindings.count(), { aors: count, bindings: count * count });
      for (const { aor, bindings } of await store.bindings.list()) {
        assert.ok(STRANGE_TEXTS.includes(aor.slice(0, -'@ims'.length)), JSON.stringify(aor));
        assert.deepEqual(bindings.map(({ contactKey }) => contactKey).sort(), [...STRANGE_TEXTS].sort());
      }
      now += 1000;
      assert.deepEqual(await store.bindings.count(), { aors: 0, bindings: 0 });
    });

    it('bindings: updates of one address-of-record at once lose nothing', async () => {
      const keys = Array.from({ length: 30 }, (_, i) => `phone ${i}`);
      const put = (contactKey: string) => [{ contactKey, expiresAt: now + 1000, value: null }];
      await Promise.all(keys.map((key) => store.bindings.update('a@ims', put(key), [])));
      assert.equal((await store.bindings.get('a@ims')).length, 30);
    });

    it('records: appended once however often they are sent', async () => {
      const entries = Array.from({ length: 20 }, (_, i) => record(i));
      await store.records.append(entries);
      await Promise.all([store.records.append(entries), store.records.append(entries.slice(5))]);
      await store.records.append([{ ...entries[0]!, body: 'changed', caller: 'changed' }]);
      assert.equal(await store.records.count(), 20);
      assert.deepEqual(await store.records.get(entries[0]!.id), entries[0]);
      assert.equal(await store.records.get(ulid(1)), undefined);
      assert.equal((await readAll(store, {})).length, 20);
      assert.deepEqual(await readAll(store, { caller: 'changed' }), []);
    });

    it('records: an id twice in one batch is one record', async () => {
      const one = record(1);
      await store.records.append([one, one]);
      assert.equal((await readAll(store, {})).length, 1);
    });

    it('records: any text is kept whole and found by', async () => {
      const entries = STRANGE_TEXTS.map((text, i) =>
        record(i, { caller: text, callee: text, body: { text } }),
      );
      await store.records.append(entries);
      for (const entry of entries) {
        assert.deepEqual((await store.records.query({ caller: entry.caller })).records, [entry]);
        assert.deepEqual((await store.records.query({ number: entry.caller })).records, [entry]);
      }
    });

    it('records: 10,000 are paged through newest first and oldest first, each once', async () => {
      const entries = Array.from({ length: 10_000 }, (_, i) => record(Math.floor(i / 3)));
      for (let i = 0; i < entries.length; i += 1000) await store.records.append(entries.slice(i, i + 1000));
      assert.equal(await store.records.count(), 10_000);
      const byPosition = [...entries].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
      const ids = byPosition.map(({ id }) => id);
      const ascending = await readAll(store, { order: 'asc', limit: 997 });
      assert.deepEqual(
        ascending.map(({ id }) => id),
        ids,
      );
      assert.deepEqual(ascending, byPosition);
      const descending = await readAll(store, { limit: 1000 });
      assert.deepEqual(
        descending.map(({ id }) => id),
        ids.toReversed(),
      );
    });

    it('records: queries agree with a plain filter, whatever is asked', async () => {
      const types = ['CALL', 'REGISTER', 'MESSAGE'];
      const entries = Array.from({ length: 600 }, (_, i) =>
        record(Math.floor(i / 4), { type: types[(i * 7) % 3]! }),
      );
      await store.records.append(entries);
      const base = 1_700_000_000_000;
      const queries: RecordQuery[] = [
        { type: 'REGISTER' },
        { result: 'FAILED' },
        { type: 'CALL', result: 'ANSWERED', number: '1003' },
        { caller: '1002' },
        { callee: '1002', caller: '1002' },
        { number: '1001' },
        { number: '1006', type: 'MESSAGE' },
        { from: base + 20, to: base + 90 },
        { from: base + 20, to: base + 20 },
        { from: base + 149 },
        { to: base + 1 },
        { to: -1 },
        { from: -5, to: base + 2 },
        { number: '1004', from: base + 10, to: base + 100, result: 'FAILED' },
        { number: 'nobody' },
      ];
      for (const query of queries)
        for (const order of ['asc', 'desc'] as const)
          for (const limit of [1, 7, 600]) {
            const expected = entries
              .filter((entry) => matches(entry, query))
              .sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
            if (order === 'desc') expected.reverse();
            const found = await readAll(store, { ...query, order, limit });
            assert.deepEqual(
              found.map(({ id }) => id),
              expected.map(({ id }) => id),
              JSON.stringify({ ...query, order, limit }),
            );
          }
    });

    it('records: a thousand of one millisecond are paged through, each once', async () => {
      const entries = Array.from({ length: 1000 }, () => record(0));
      await store.records.append(entries);
      for (const order of ['asc', 'desc'] as const) {
        const found = await readAll(store, { order, limit: 90, number: '1000' });
        assert.equal(new Set(found.map(({ id }) => id)).size, 1000);
        assert.equal(found.length, 1000);
      }
    });

    it('records: a cursor stays good when the record it stopped at is removed', async () => {
      const entries = Array.from({ length: 30 }, (_, i) => record(i));
      await store.records.append(entries);
      const first = await store.records.query({ order: 'asc', limit: 10 });
      assert.equal(await store.records.removeBefore(1_700_000_000_000 + 12), 12);
      const rest = await store.records.query({ order: 'asc', limit: 100, cursor: first.next! });
      assert.deepEqual(
        rest.records.map(({ id }) => id),
        entries.slice(12).map(({ id }) => id),
      );
    });

    it('records: removal by age takes the record and every way to find it', async () => {
      const entries = Array.from({ length: 1200 }, (_, i) => record(i));
      await store.records.append(entries);
      assert.equal(await store.records.removeBefore(1_700_000_000_000 + 1150), 1150);
      assert.equal(await store.records.removeBefore(1_700_000_000_000 + 1150), 0);
      assert.equal(await store.records.count(), 50);
      assert.equal(await store.records.get(entries[0]!.id), undefined);
      for (const query of [{}, { type: 'CALL' }]) assert.equal((await readAll(store, query)).length, 50);
      const failed = entries.slice(1150).filter(({ result }) => result === 'FAILED');
      assert.equal((await readAll(store, { result: 'FAILED' })).length, failed.length);
    });

    it('records: bad cursors, limits and times are refused', async () => {
      const refused = { code: 'STORE_ARGUMENT_INVALID' };
      await assert.rejects(store.records.query({ cursor: 'rubbish\r\n' }), refused);
      await assert.rejects(store.records.query({ limit: 1001 }), refused);
      await assert.rejects(store.records.append([record(0, { time: Number.NaN })]), refused);
      await assert.rejects(store.records.append([record(0, { id: '' })]), refused);
      assert.equal(await store.records.count(), 0);
    });

    it('everything outlives the handle', async () => {
      await store.collection('users').put('a', 1);
      await store.bindings.update('a@ims', [{ contactKey: 'c', expiresAt: now + 5, value: 1 }], []);
      await store.records.append([record(1)]);
      await store.close();
      store = await bench.open(clock);
      assert.equal(await store.collection('users').get('a'), 1);
      assert.equal((await store.bindings.get('a@ims')).length, 1);
      assert.equal(await store.records.count(), 1);
    });
  });
}

/** What a query asks for, said again in the plainest way. */
function matches(entry: RecordEntry, query: RecordQuery): boolean {
  const { from = 0, to = Number.POSITIVE_INFINITY } = query;
  if (entry.time < from || entry.time >= to) return false;
  if (query.number !== undefined && ![entry.caller, entry.callee].includes(query.number)) return false;
  return (['type', 'result', 'caller', 'callee'] as const).every(
    (field) => query[field] === undefined || query[field] === entry[field],
  );
}
