import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type JournalledRecords, openRecords } from '../../src/cdr/record-service.js';
import type { CallRecord } from '../../src/cdr/types.js';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import type { RecordQuery, Store } from '../../src/store/types.js';
import { startRedis, type TestRedis } from '../support/redis-server.js';

const SCRIPT = fileURLToPath(new URL('../support/records-process.js', import.meta.url));
const NODE = { node: 'n1', engine: 'embedded', serverIp: '127.0.0.1', serverPort: 5060 };
/** Killed and started again over the same journal and Store, this many times for each Store. */
const ROUNDS = 15;

async function allRecords(source: {
  query: (query: RecordQuery) => Promise<{ records: unknown[]; next?: string }>;
}): Promise<unknown[]> {
  const all: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await source.query({ limit: 1000, ...(cursor !== undefined && { cursor }) });
    all.push(...page.records);
    cursor = page.next;
  } while (cursor !== undefined);
  return all;
}

for (const kind of ['lmdb', 'redis'] as const)
  describe(`kill -9 with calls up, Store on ${kind}`, () => {
    let directory: string;
    let redis: TestRedis | undefined;
    let url: string;
    let witness: string;

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'ims-kill-'));
      witness = join(directory, 'witness');
      if (kind === 'redis') redis = await startRedis();
      url = redis?.url ?? `embedded:${directory}/store`;
    });
    after(async () => {
      await redis?.close();
      await rm(directory, { recursive: true, force: true });
    });

    /** One clean run of a server over what is there. */
    const run = async (look: (records: JournalledRecords, store: Store) => Promise<void>) => {
      const store = await openStore(url, { dataDir: directory, log: silentLogger });
      const journalDir = join(directory, 'journal');
      const records = await openRecords({ journalDir, store, node: NODE, log: silentLogger });
      try {
        await look(records, store);
      } finally {
        await records.close();
        await store.close();
      }
    };
    const idsOf = async (word: string) => {
      const lines = (await readFile(witness, 'utf8')).split('\n');
      return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    };

    let recovered = 0;
    let total = 0;
    const checkAll = async (records: JournalledRecords, store: Store) => {
      recovered += records.counters().recoveredLost;
      await records.flush();
      assert.equal(records.backlog().waiting, 0);
      await check(store, await idsOf('begun'), await idsOf('durable'), await idsOf('ended'));
      total = await store.records.count();
    };

    it(`${ROUNDS} kills at random: one closed record for each call that was on disk, none twice`, async () => {
      await writeFile(witness, '');
      for (let round = 0; round < ROUNDS; round++) {
        const child = fork(SCRIPT, [url, directory, witness]);
        await once(child, 'message');
        // Every other round starts over the remains of the one before without a clean run in between.
        await delay(5 + Math.random() * 150);
        child.kill('SIGKILL');
        await once(child, 'exit');
        if (round % 2 === 0) continue;
        await run(checkAll);
      }
      await run(checkAll);
      assert.ok(recovered > 0, 'no call was up at any kill');
    });

    it('the next start finds nothing to do', async () => {
      const journal = join(directory, 'journal');
      assert.deepEqual(await readdir(journal), []);
      await run(async (records, store) => {
        assert.deepEqual(records.backlog(), { waiting: 0, storeAlive: true, open: 0 });
        assert.equal(records.counters().recoveredLost, 0);
        assert.equal(await store.records.count(), total);
      });
      await run(async (_, store) => assert.equal(await store.records.count(), total));
    });

    if (kind === 'lmdb') return;
    it('the stream for billing has each record once', async () => {
      await run(async (_, store) => {
        const length = await redis!.send('XLEN', 'ims:cdr');
        assert.equal(length.trim(), `:${await store.records.count()}`);
      });
    });
  });

async function check(store: Store, begun: string[], durable: string[], ended: string[]): Promise<void> {
  const entries = (await allRecords(store.records)) as { id: string; body: CallRecord }[];
  const byId = new Map(entries.map(({ id, body }) => [id, body]));
  assert.equal(byId.size, entries.length, 'a record stands twice');
  assert.ok(durable.length > 0);
  const known = new Set(begun);
  for (const { id } of entries) assert.ok(known.has(id), `nobody began ${id}`);
  const finished = new Set(ended);
  for (const id of durable) {
    const record = byId.get(id);
    assert.ok(record, `no record for ${id}`);
    assert.ok(record.answerTime !== undefined && record.endTime >= record.answerTime);
    if (finished.has(id)) assert.equal(record.result, 'ANSWERED');
    if (record.result !== 'ANSWERED')
      assert.deepEqual([record.result, record.releaseReason], ['ABNORMAL', 'server-crashed']);
  }
}
