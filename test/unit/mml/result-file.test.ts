import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ResultFile } from '../../../src/mml/batch/result-file.js';
import { ExchangeFiles } from '../../../src/mml/exchange-files.js';
import { MAX_RESULT_BYTES } from '../../../src/mml/limits.js';
import { silentLogger } from '../../../src/platform/logger.js';

const AT = new Date(2027, 2, 1, 2, 3, 4).getTime();

describe('result file of a task', () => {
  let directory: string;
  let files: ExchangeFiles;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ims-result-'));
    files = new ExchangeFiles(directory);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const create = (task: string) => ResultFile.create(files, task, AT, silentLogger);

  it('has a name by task and time; another one of the same second sorts behind it', async () => {
    const [first, second] = [await create('night'), await create('night')];
    await first.end('first\n');
    await second.end('second\n');
    assert.equal(first.name, 'tasks/night/20270301-020304.txt');
    const names = (await readdir(join(directory, 'tasks/night'))).sort();
    assert.deepEqual(names, ['20270301-020304.txt', '20270301-020304_2.txt']);
    assert.equal((await stat(join(directory, first.name))).mode & 0o777, 0o600);
    await files.prune('tasks/night', 1);
    assert.deepEqual(await readdir(join(directory, 'tasks/night')), ['20270301-020304_2.txt']);
  });

  it('is bounded, says so, and has its last line all the same', async () => {
    const file = await create('big');
    for (let i = 0; i < 6; i++) await file.write(`${'x'.repeat(1024 * 1024 - 1)}\n`);
    await file.end('// the end\n');
    const text = await readFile(join(directory, file.name!), 'utf8');
    assert.ok(text.length <= MAX_RESULT_BYTES + 200);
    assert.match(text.slice(-100), /the rest is left out\n\/\/ the end\n$/);
  });

  it('is left out where the directory is taken by something else; the run goes on', async () => {
    await writeFile(join(directory, 'tasks', 'odd'), 'a file');
    const file = await create('odd');
    assert.equal(file.name, undefined);
    await file.write('text');
    await file.end('end');
    await symlink(tmpdir(), join(directory, 'tasks', 'link'));
    assert.equal((await create('link')).name, undefined, 'never through a link out of the directory');
  });
});
