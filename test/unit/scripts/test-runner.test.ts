import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';

const GOOD = `test('good', () => undefined);`;
/** Fails in its first process and passes in those after it. */
const UNSTEADY = `
  const { existsSync, writeFileSync } = require('node:fs');
  test('first time', () => {
    const marker = __filename + '.ran';
    const isSecond = existsSync(marker);
    writeFileSync(marker, '');
    if (!isSecond) throw new Error('beside others');
  });`;
const throwing = (hook: string): string =>
  `describe('suite', () => { ${hook}(() => { throw new Error('in a hook'); }); test('inside', () => undefined); });`;

interface Outcome {
  readonly code: number | null;
  /** The last line, with the counts. */
  readonly last: string;
  readonly output: string;
}

/** Runs these compiled files. */
function run(files: Readonly<Record<string, string>>): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'ims-test-runner-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, `${name}.test.js`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `const { after, before, describe, test } = require('node:test');\n${text}\n`);
    }
    // A runner below a test would take itself for one of its files.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const args = ['scripts/test.mjs', '--compiled', folder];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    assert.equal(stderr, '');
    return { code: status, last: stdout.trimEnd().split('\n').at(-1) ?? '', output: stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('scripts/test.mjs', () => {
  it('counts what passed, failed and was skipped', () => {
    const good = run({ 'unit/a': GOOD, 'wire/b': `${GOOD} test('not here', { skip: 'no such program' });` });
    assert.deepEqual([good.code, good.last], [0, '2 passed, 0 failed, 1 skipped']);
    assert.match(good.output, /skipped: not here \(no such program\)/);
    const bad = run({ 'unit/a': `${GOOD} test('bad', () => { throw new Error('why'); });`, 'wire/b': GOOD });
    assert.deepEqual([bad.code, bad.last], [1, '2 passed, 1 failed, 0 skipped']);
    assert.match(bad.output, /Error: why/);
  });

  for (const hook of ['before', 'after'])
    it(`a suite whose ${hook} hook throws is a failure, in small tests and in those of the server`, () => {
      const failed = hook === 'before' ? 2 : 1;
      for (const tier of ['unit', 'e2e']) {
        const { code, last, output } = run({ [`${tier}/a`]: throwing(hook), [`${tier}/b`]: GOOD });
        assert.deepEqual([code, last], [1, `${3 - failed} passed, ${failed} failed, 0 skipped`]);
        assert.match(output, new RegExp(`x .*a\\.test\\.ts .*, ${failed} FAILED`));
        assert.match(output, /suite: a hook\n +Error: in a hook/);
      }
    });

  for (const [name, text] of [
    ['a hook of the file', `${GOOD} after(() => { throw new Error('broken'); });`],
    ['the body of a suite', `describe('suite', () => { throw new Error('broken'); });`],
    ['the file as it loads', `throw new Error('broken');`],
    [
      'what a test left behind',
      `test('good', () => { setTimeout(() => { throw new Error('broken'); }, 50); });`,
    ],
  ] as const)
    it(`a failure: ${name} throws`, () => {
      const { code, last, output } = run({ 'unit/a': text, 'unit/b': GOOD });
      assert.equal(code, 1);
      assert.match(last, /, 1 failed, 0 skipped$/);
      assert.match(output, /FAILED .*a\.test\.ts\n/);
      assert.match(output, /Error: broken/);
    });

  it('a file or a suite that is skipped is told of', () => {
    const skipped = `describe('suite', { skip: 'no such program' }, () => { ${GOOD} });`;
    const { code, last, output } = run({ 'unit/a': skipped, 'unit/b': GOOD });
    assert.deepEqual([code, last], [0, '1 passed, 0 failed, 1 skipped']);
    assert.match(output, /skipped: suite \(no such program\)/);
  });

  it('a test that skips itself and then fails is a failure', () => {
    const { code, last } = run({
      'e2e/a': `test('odd', (t) => { t.skip('late'); throw new Error('why'); });`,
    });
    assert.deepEqual([code, last], [1, '0 passed, 1 failed, 0 skipped']);
  });

  const ENDS = [
    ['nothing in it', '', /no test of it ran/],
    ['a suite without tests', `describe('suite', () => undefined);`, /no test of it ran/],
    ['an end as it loads', `process.exit(0); ${GOOD}`, /process\.exit\(0\)/],
    ['an end in its first test', `test('ends', () => process.exit(0)); ${GOOD}`, /process\.exit\(0\)/],
    [
      'an end in a later test',
      `${GOOD} describe('suite', () => { test('ends', async () => { await later(); process.exit(); }); });`,
      /process\.exit\(\)/,
    ],
    [
      'an end after all that was known',
      `test('slow', later); after(async () => { await later(); require('node:process').exit(0); });`,
      /process\.exit\(0\)/,
    ],
    [
      'an end that passes by process.exit',
      `${GOOD} test('ends', async () => { await later(); process.reallyExit(0); }); test('not begun', later);`,
      /it ended before these did: ends; not begun\n/,
    ],
    ['an end by a signal', `test('ends', () => process.kill(process.pid, 'SIGKILL'));`, /test failed/],
  ] as const;
  describe('a file is a failure that has', () => {
    let ended: ReturnType<typeof run>;
    before(() => {
      const later = `const later = () => new Promise((resolve) => setTimeout(resolve, 50));`;
      const files = ENDS.map(([, text], at) => [`e2e/ends-${at}`, `${later} ${text}`]);
      ended = run(Object.fromEntries(files));
    });

    it('of several each is counted once', () => {
      assert.equal(ended.code, 1);
      assert.match(ended.last, new RegExp(`, ${ENDS.length} failed, 0 skipped$`));
    });
    for (const [at, [name, , told]] of ENDS.entries())
      it(name, () => {
        assert.match(ended.output, new RegExp(`^x .*ends-${at}\\.test\\.ts .*, 1 FAILED`, 'm'));
        assert.match(
          ended.output,
          new RegExp(`^FAILED .*ends-${at}\\.test\\.ts\n(  .*\n)*.*${told.source}`, 'm'),
        );
      });
  });

  it('a test or a suite that is to do is a failure, whether it fails or passes', () => {
    const { code, last, output } = run({
      'unit/fails': `test('fails', { todo: 'later' }, () => { throw new Error('why'); });`,
      'unit/passes': `test('passes', { todo: true }, () => undefined);`,
      'unit/empty': `test.todo('empty');`,
      'unit/suite': `describe('suite', { todo: true }, () => { ${GOOD} });`,
    });
    assert.deepEqual([code, last], [1, '1 passed, 4 failed, 0 skipped']);
    assert.match(output, /Error: why/);
    assert.match(output, /Error: no test may be marked todo/);
  });

  it('a file that passes when it runs by itself is unsteady and no failure', () => {
    const { code, last, output } = run({ 'unit/a': UNSTEADY, 'unit/b': GOOD });
    assert.deepEqual([code, last], [0, '2 passed, 0 failed, 0 skipped']);
    assert.match(output, /\n1 unsteady: /);
  });

  it('an unsteady file hides no other that fails each time', () => {
    const { code, last, output } = run({ 'unit/a': UNSTEADY, 'unit/b': throwing('after'), 'unit/c': GOOD });
    assert.deepEqual([code, last], [1, '3 passed, 1 failed, 0 skipped']);
    assert.match(output, /\n1 unsteady: /);
  });

  it('a file of the server’s own tests gets no second chance', () => {
    const { code, last } = run({ 'e2e/a': UNSTEADY, 'e2e/b': GOOD });
    assert.deepEqual([code, last], [1, '1 passed, 1 failed, 0 skipped']);
  });
});
