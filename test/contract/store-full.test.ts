import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../support/full-store-process.js', import.meta.url));

it('a disk that takes no more fails writes, and neither the process nor reads', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ims-full-'));
  try {
    // 400 blocks of 512 bytes: some 50 records, then EFBIG.
    const limited = `ulimit -f 400 && exec "${process.execPath}" "${SCRIPT}" "${directory}" 100`;
    const child = spawnSync('sh', ['-c', limited], { encoding: 'utf8' });
    assert.equal(child.status, 0, child.stderr);
    const { done, failed, first } = JSON.parse(child.stdout) as Record<string, unknown>;
    assert.ok(Number(done) > 0 && Number(failed) > 1, `${done} done, ${failed} failed: proves nothing`);
    assert.equal(first, 'r0');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
