import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { recoverJournal } from '../../src/cdr/journal/recover-journal.js';

const SCRIPT = fileURLToPath(new URL('../support/journal-process.js', import.meta.url));
const RECORDS = 200;

it('a write that the disk takes in part leaves no half line, and every record is on disk in the end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ims-full-'));
  try {
    // 40 blocks of 512 bytes: some 30 records, then EFBIG in the middle of a write.
    const limited = `ulimit -f 40 && exec "${process.execPath}" "${SCRIPT}" "${directory}" ${RECORDS}`;
    const child = spawnSync('sh', ['-c', limited], { encoding: 'utf8' });
    assert.equal(child.status, 0, child.stderr);
    assert.ok(Number(child.stdout) > 0, 'no write failed: the test proves nothing');
    const found = await recoverJournal(directory);
    assert.deepEqual([found.corruptLines, found.tornLines], [0, 0]);
    assert.deepEqual(
      found.closed.map(({ head }) => head.id),
      Array.from({ length: RECORDS }, (_, i) => `r${i}`),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
