import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { buildRecord, type RecordFacts } from '../../../src/cdr/build-record.js';
import { crc32 } from '../../../src/cdr/journal/crc32.js';
import { Journal, type JournalLimits } from '../../../src/cdr/journal/journal.js';
import { decodeLine, encodeLine, type JournalEntry } from '../../../src/cdr/journal/journal-line.js';
import { recoverJournal } from '../../../src/cdr/journal/recover-journal.js';
import { systemClock } from '../../../src/platform/clock.js';
import { ulid } from '../../../src/platform/ids.js';
import { silentLogger } from '../../../src/platform/logger.js';

const facts = (id: string): RecordFacts => ({
  id,
  type: 'CALL',
  opened: { at: 1_700_000_000_000, mono: 10 },
  node: 'n',
  engine: 'e',
  serverIp: 'ip',
  serverPort: 1,
});
const opened = (id: string): JournalEntry => ({ k: 'open', facts: facts(id) });
const answered = (id: string): JournalEntry => ({
  k: 'event',
  id,
  entry: { at: 1_700_000_001_000, mono: 1010, event: { kind: 'answered', leg: 'b1 "中文"\r\n\u0000' } },
});
const closed = (id: string): JournalEntry => ({ k: 'close', record: buildRecord(facts(id), []) });

describe('Journal', () => {
  let root: string;
  let directory: string;
  let round = 0;
  const pending = new Set<string>();
  const owner = { isPending: (id: string) => pending.has(id), snapshot: () => undefined };
  const open = (limits: Partial<JournalLimits> = {}, more = {}) =>
    Journal.open({ directory, clock: systemClock, log: silentLogger, owner, limits, ...more });
  const segments = async () => (await readdir(directory)).filter((name) => name.endsWith('.journal'));

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'ims-journal-'));
  });
  after(() => rm(root, { recursive: true, force: true }));
  beforeEach(() => {
    directory = join(root, `${round++}`);
    pending.clear();
  });

  it('CRC-32 of the check string', () => {
    assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
    assert.equal(crc32(Buffer.alloc(0)), 0);
  });

  it('a line reads back; with any bit changed it does not', () => {
    const line = encodeLine(answered('id'));
    assert.equal(line.indexOf(0x0a), line.length - 1);
    assert.deepEqual(decodeLine(line.subarray(0, -1)), answered('id'));
    for (let i = 0; i < line.length - 1; i++) {
      const bad = Buffer.from(line.subarray(0, -1));
      bad[i]! ^= 1;
      assert.equal(decodeLine(bad), undefined, `byte ${i}`);
    }
  });

  it('gives back what was open, closed and stored', async () => {
    const { journal, recovered } = await open();
    assert.deepEqual(
      [recovered.segments, recovered.closed, recovered.lost, recovered.corruptLines, recovered.tornLines],
      [[], [], [], 0, 0],
    );
    for (const id of ['open', 'closed', 'stored']) {
      pending.add(id);
      journal.append(opened(id), id);
      journal.append(answered(id), id);
    }
    journal.append(closed('closed'), 'closed');
    journal.append(closed('stored'), 'stored');
    journal.append({ k: 'beat', at: 1_700_000_060_000, mono: 60_010 });
    journal.append({ k: 'stored', ids: ['stored'] });
    await journal.close();
    const found = await recoverJournal(directory);
    assert.deepEqual(
      found.closed.map(({ head }) => head.id),
      ['closed'],
    );
    assert.equal(found.lost.length, 1);
    assert.deepEqual(found.lost[0]?.facts, facts('open'));
    assert.equal(found.lost[0]?.timeline.length, 1);
    assert.deepEqual(found.lost[0]?.lastKnown, { at: 1_700_000_060_000, mono: 60_010 });
  });

  it('cut off after any byte, it gives back every whole line before the cut', async () => {
    const { journal } = await open();
    for (let i = 0; i < 2; i++) {
      pending.add(`r${i}`);
      journal.append(opened(`r${i}`), `r${i}`);
      journal.append(closed(`r${i}`), `r${i}`);
    }
    await journal.close();
    const path = join(directory, (await segments())[0]!);
    const whole = await readFile(path);
    const ends = [...whole.keys()].filter((i) => whole[i] === 0x0a);
    for (let cut = whole.length; cut >= 0; cut--) {
      await writeFile(path, whole.subarray(0, cut));
      const found = await recoverJournal(directory);
      // The first line is the header; then open and close in turn.
      const lines = Math.max(0, ends.filter((end) => end < cut).length - 1);
      assert.equal(found.closed.length, Math.floor(lines / 2), `cut at ${cut}`);
      assert.equal(found.lost.length, lines % 2, `cut at ${cut}`);
      const isWhole = cut === 0 || whole[cut - 1] === 0x0a;
      assert.deepEqual([found.corruptLines, found.tornLines], [0, isWhole ? 0 : 1], `cut at ${cut}`);
    }
  });

  it('damage in the middle costs its own line alone, and is told', async () => {
    const { journal } = await open();
    for (const id of ['a', 'b', 'c']) {
      pending.add(id);
      journal.append(closed(id), id);
    }
    await journal.close();
    const path = join(directory, (await segments())[0]!);
    const bytes = await readFile(path);
    bytes[bytes.indexOf('"id":"b"') + 6] = 0x78;
    await writeFile(path, bytes);
    const found = await recoverJournal(directory);
    assert.deepEqual(
      found.closed.map(({ head }) => head.id),
      ['a', 'c'],
    );
    assert.equal(found.corruptLines, 1);
  });

  it('rubbish for a segment is passed over', async () => {
    await mkdir(directory);
    const rubbish = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 256));
    await writeFile(join(directory, '000000000003.journal'), rubbish);
    await writeFile(join(directory, '000000000004.journal'), Buffer.alloc(9 * 1024 * 1024, 'x'));
    await writeFile(join(directory, 'notes.txt'), 'left alone');
    const { journal, recovered } = await open();
    assert.ok(recovered.corruptLines > 0);
    pending.add('a');
    journal.append(closed('a'), 'a');
    await journal.sync();
    assert.equal((await recoverJournal(directory)).closed.length, 1);
    await journal.trim();
    assert.deepEqual(await segments(), ['000000000005.journal']);
    await journal.close();
    assert.equal(await readFile(join(directory, 'notes.txt'), 'utf8'), 'left alone');
  });

  it('entries are on disk when sync resolves, and where they are said to be', async () => {
    const { journal } = await open();
    for (let i = 0; i < 50; i++) {
      const id = ulid(i);
      pending.add(id);
      let place: Parameters<Journal['read']>[0] | undefined;
      journal.append(closed(id), id, (location) => {
        place = location;
      });
      if (i % 3 === 0) void journal.sync();
      await journal.sync();
      assert.deepEqual(await journal.read(place!), closed(id));
    }
    await journal.close();
  });

  it('segments follow each other and go, oldest first, when nothing is needed of them', async () => {
    const { journal } = await open({ segmentBytes: 2000 });
    const ids = Array.from({ length: 60 }, (_, i) => `r${i}`);
    for (const id of ids) {
      pending.add(id);
      journal.append(closed(id), id);
      await journal.sync();
    }
    const before = (await segments()).length;
    assert.ok(before > 10, `${before}`);
    for (const id of ids.slice(0, 30)) pending.delete(id);
    await journal.trim();
    const left = (await recoverJournal(directory)).closed.map(({ head }) => head.id);
    assert.ok((await segments()).length < before);
    for (const id of ids.slice(30)) assert.ok(left.includes(id), id);
    pending.clear();
    await journal.close();
    assert.deepEqual(await segments(), []);
  });

  it('one long call does not keep all segments since', async () => {
    const live: JournalEntry = {
      k: 'snapshot',
      facts: facts('long'),
      timeline: [{ at: 1, mono: 2, event: { kind: 'acknowledged' } }],
    };
    const snapshot = (id: string) => (id === 'long' ? live : undefined);
    const { journal } = await open({ segmentBytes: 1000, maxSegments: 4 }, { owner: { ...owner, snapshot } });
    pending.add('long');
    journal.append(opened('long'), 'long');
    for (let i = 0; i < 200; i++) {
      pending.add(`r${i}`);
      journal.append(closed(`r${i}`), `r${i}`);
      await journal.sync();
      pending.delete(`r${i}`);
      journal.append({ k: 'stored', ids: [`r${i}`] });
      await journal.trim();
    }
    assert.ok((await segments()).length <= 7, `${(await segments()).length} segments`);
    const found = await recoverJournal(directory);
    assert.deepEqual(
      found.lost.map(({ facts: { id }, timeline }) => [id, timeline.length]),
      [['long', 1]],
    );
    await journal.close();
  });

  it('a directory that takes nothing: typed, counted, and written when it can be again', async () => {
    const { journal } = await open();
    await rm(directory, { recursive: true });
    pending.add('a');
    journal.append(closed('a'), 'a');
    await assert.rejects(journal.sync(), { code: 'JOURNAL_WRITE_FAILED' });
    assert.equal(journal.healthy, false);
    assert.equal(journal.counters.failures, 1);
    await mkdir(directory);
    await journal.sync();
    assert.equal(journal.healthy, true);
    assert.equal((await recoverJournal(directory)).closed.length, 1);
    await journal.close();
  });

  it('at its bound it refuses as a full disk does, and its buffer is bounded, too', async () => {
    const { journal } = await open({ maxBytes: 3000, segmentBytes: 1000, maxBufferedBytes: 5000 });
    const ids = Array.from({ length: 30 }, (_, i) => `r${i}`);
    for (const id of ids) {
      pending.add(id);
      journal.append(closed(id), id);
      await journal.sync().catch(() => undefined);
    }
    assert.equal(journal.healthy, false);
    assert.ok(journal.counters.dropped > 0);
    assert.ok((await segments()).length <= 5);
    pending.clear();
    await journal.trim();
    await journal.close();
  });

  it('one process, one writer', async () => {
    const { journal } = await open();
    await assert.rejects(open(), { code: 'JOURNAL_LOCKED' });
    await journal.close();
    for (const holder of ['999999999 boot/1', 'rubbish', '', `${process.pid} another-boot/17`]) {
      await writeFile(join(directory, 'lock'), holder);
      const next = await open();
      await next.journal.close();
    }
    await writeFile(join(directory, 'lock'), await lockTextOf(process.ppid));
    await assert.rejects(open(), { code: 'JOURNAL_LOCKED' });
  });

  it('a journal that cannot be a directory is refused', async () => {
    await writeFile(directory, 'a file');
    await assert.rejects(open(), { code: 'JOURNAL_UNREADABLE' });
  });

  it('a segment truncated under the writer’s feet loses no later entry', async () => {
    const { journal } = await open();
    pending.add('a').add('b');
    journal.append(closed('a'), 'a');
    await journal.sync();
    await truncate(join(directory, (await segments())[0]!), 40);
    journal.append(closed('b'), 'b');
    await journal.sync();
    assert.deepEqual(
      (await recoverJournal(directory)).closed.map(({ head }) => head.id),
      ['b'],
    );
    await journal.close();
  });
});

/** What a living process would have written into the lock. */
async function lockTextOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  return `${pid} ${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}
