import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type JournalledRecords, openRecords } from '../../src/cdr/record-service.js';
import type { CallRecord, OpenRecord } from '../../src/cdr/types.js';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/types.js';
import { startRedis, type TestRedis } from '../support/redis-server.js';
import { waitFor } from '../support/wait-for.js';

const NODE = { node: 'n1', engine: 'embedded', serverIp: '127.0.0.1', serverPort: 5060 };

describe('records while Redis is away', () => {
  let redis: TestRedis;
  let directory: string;
  let store: Store;
  let records: JournalledRecords;
  const open = async () => {
    store = await openStore(redis.url, { dataDir: directory, log: silentLogger });
    records = await openRecords({ journalDir: `${directory}/journal`, store, node: NODE, log: silentLogger });
  };
  const close = async () => {
    await records.close();
    await store.close();
  };
  const ids = async (number = '1001') => {
    const page = await records.query({ number, order: 'asc', limit: 1000 });
    return page.records.map(({ id }) => id);
  };

  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());
  beforeEach(async () => {
    await redis.send('FLUSHALL');
    directory = await mkdtemp(join(tmpdir(), 'ims-away-'));
    await open();
  });
  afterEach(async () => {
    await close();
    await rm(directory, { recursive: true, force: true });
  });

  it('each waits in the journal and is delivered once, in order, when Redis is back', async () => {
    const made: string[] = [];
    for (let i = 0; i < 50; i++) made.push(call(records).id);
    await records.flush();
    assert.deepEqual(records.backlog(), { waiting: 0, storeAlive: true, open: 0 });
    await redis.stop();
    await waitFor('away', () => !store.alive);
    for (let i = 0; i < 300; i++) made.push(call(records).id);
    await records.flush();
    assert.deepEqual(records.backlog(), { waiting: 300, storeAlive: false, open: 0 });
    assert.equal((await records.get(made[60]!))?.id, made[60]);
    await assert.rejects(records.query({}), { code: 'STORE_UNAVAILABLE' });
    await redis.start();
    await waitFor('delivered', () => records.backlog().waiting === 0);
    // Redis came back empty, as the test runs it; what was delivered before its end went with it.
    assert.deepEqual(await ids(), made.slice(50));
    const stream = await redis.send('XLEN', 'ims:cdr');
    assert.equal(stream.trim(), ':300');
    assert.equal(records.backlog().storeAlive, true);
  });

  it('Redis stopped in the midst of writing: none lost that was not in it, none twice', async () => {
    const made = new Set<string>();
    const writing = (async () => {
      for (let i = 0; i < 1500; i++) {
        made.add(call(records).id);
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    redis.freeze();
    await writing;
    await waitFor('away', () => !store.alive);
    redis.thaw();
    await waitFor('delivered', () => records.backlog().waiting === 0);
    assert.equal(await store.records.count(), 1500);
    assert.equal((await redis.send('XLEN', 'ims:cdr')).trim(), ':1500');
    const page = await records.query({ limit: 1000 });
    for (const { id } of page.records) assert.ok(made.has(id));
  });

  it('away for the whole run: the next run delivers', async () => {
    await redis.stop();
    await waitFor('away', () => !store.alive);
    const made = Array.from({ length: 20 }, () => call(records).id);
    const open20 = records.begin('CALL');
    await close();
    assert.ok((await readdir(`${directory}/journal`)).length > 0);
    await redis.start();
    await open();
    await waitFor('delivered', () => records.backlog().waiting === 0);
    assert.deepEqual(await ids(), made);
    const left = await records.get(open20.id);
    assert.deepEqual([left?.result, left?.releaseReason], ['ABNORMAL', 'server-shutdown']);
    await close();
    assert.deepEqual(await readdir(`${directory}/journal`), []);
    await open();
    assert.equal(await store.records.count(), 21);
  });

  it('a query shows what waits and what is stored as one list, page by page', async () => {
    const made: string[] = [];
    for (let i = 0; i < 120; i++) made.push(call(records).id);
    await records.flush();
    // A full Redis answers reads and takes no writes.
    await redis.send('CONFIG', 'SET', 'maxmemory', '1');
    for (let i = 0; i < 130; i++) made.push(call(records).id);
    await waitFor('refused', () => !records.backlog().storeAlive);
    assert.equal(records.backlog().waiting, 130);
    for (const order of ['asc', 'desc'] as const)
      for (const limit of [7, 50, 1000]) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const query = { order, limit, type: 'CALL', ...(cursor !== undefined && { cursor }) };
          const page: { records: CallRecord[]; next?: string } = await records.query(query);
          seen.push(...page.records.map(({ id }) => id));
          cursor = page.next;
        } while (cursor !== undefined);
        assert.deepEqual(seen, order === 'asc' ? made : made.toReversed());
      }
    assert.deepEqual((await records.query({ result: 'BUSY' })).records, []);
    await redis.send('CONFIG', 'SET', 'maxmemory', '0');
    await waitFor('delivered', () => records.backlog().waiting === 0);
    assert.deepEqual(await ids(), made);
  });

  it('neither journal nor Store: calls go on, failures are counted, flush says so', async () => {
    await redis.stop();
    await waitFor('away', () => !store.alive);
    await rm(`${directory}/journal`, { recursive: true });
    const { id } = call(records);
    await assert.rejects(records.flush(), { code: 'JOURNAL_WRITE_FAILED' });
    assert.ok(records.counters().journalFailures > 0);
    assert.equal((await records.get(id))?.id, id);
    await redis.start();
    await waitFor('delivered', () => records.backlog().waiting === 0);
    assert.deepEqual(await ids(), [id]);
  });

  it('finish is idempotent, later events are ignored, messages are bounded', async () => {
    const record = records.begin('CALL');
    for (let i = 0; i < 500; i++) record.add({ kind: 'message', leg: 'a', sent: true, summary: `${i}` });
    for (let i = 0; i < 5000; i++) record.add({ kind: 'dtmf', by: 'CALLER', digits: 1 });
    record.add({ kind: 'answered', leg: 'b1' });
    assert.ok(record.timeline.length <= 1201);
    const closed = record.finish();
    assert.ok(closed.answerTime !== undefined);
    assert.equal(closed.extra?.['droppedEvents'], '4300');
    record.add({ kind: 'dtmf', by: 'CALLER', digits: 1 });
    assert.equal(record.finish(), closed);
    await records.flush();
    assert.deepEqual(await records.get(record.id), closed);
  });
});

function call(records: JournalledRecords): OpenRecord {
  const record = records.begin('CALL');
  record.add({
    kind: 'received',
    method: 'INVITE',
    callId: record.id,
    cseq: 1,
    callerUri: 'sip:1001@ims',
    callerNumber: '1001',
    dialledNumber: '1002',
    address: '127.0.0.1',
    port: 5062,
    transport: 'udp',
  });
  record.add({ kind: 'answered', leg: 'b1' });
  const normal = { result: 'ANSWERED', by: 'CALLER', status: 200, reason: 'OK' } as const;
  record.add({ kind: 'ended', ...normal, releaseReason: 'normal-clearing' });
  record.finish();
  return record;
}
