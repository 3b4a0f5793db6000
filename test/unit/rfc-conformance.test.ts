import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';

/** Runs the script; its faults, a line each. */
function conformance(...args: string[]): string[] {
  const run = spawnSync(process.execPath, ['scripts/rfc-conformance.mjs', ...args], { encoding: 'utf8' });
  const faults = run.stderr.split('\n').filter(Boolean);
  assert.equal(run.status, faults.length > 0 ? 1 : 0, run.stderr);
  return faults;
}

/** A mention put together here, so that this file cites nothing itself. */
const cite = (section: string): string => ['RFC', `9999 \u00a7${section}`].join(' ');

describe('docs/rfc-conformance.md', () => {
  const root = mkdtempSync(join(tmpdir(), 'conformance-'));
  after(() => rmSync(root, { recursive: true }));

  /** A tree with these sources, tests and hand-kept words. */
  function tree(files: Record<string, string>, yaml: string): void {
    for (const dir of ['src', 'test']) rmSync(join(root, dir), { recursive: true, force: true });
    const entry = `"9999":\n  title: A Protocol\n  extent: part\n  sections: {"1.2": One, "1.2.3": Two | what it asks}\n${yaml}`;
    for (const [name, text] of Object.entries({ ...files, 'docs/rfc-sections.yaml': entry })) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    assert.deepEqual(conformance('--root', root), []);
  }
  const faults = (): string[] => conformance('--check', '--root', root);
  const proof = { 'test/a.test.ts': `// ${cite('1.2.3')}` };

  it('is what source, tests and docs/rfc-sections.yaml say: each section known, each proven or excused', () => {
    assert.deepEqual(conformance('--check'), []);
  });

  it('is content with a section cited on both sides, a part proving the whole, over line ends too', () => {
    tree({ 'src/a.ts': `/** ${cite('1.2')},\n * \u00a71.2.3 */`, ...proof }, '');
    assert.deepEqual(faults(), []);
  });

  it('names a section without a test, until it says why there is none', () => {
    tree({ 'src/a.ts': `// ${cite('1.2')}` }, '');
    assert.match(faults().join(), /^src\/a\.ts cites .* no test does/);
    tree({ 'src/a.ts': `// ${cite('1.2')}` }, '  unproven: {"1.2": it is so}');
    assert.deepEqual(faults(), []);
    tree({ 'src/a.ts': `// ${cite('1.2')}`, ...proof }, '  unproven: {"1.2": it is so}');
    assert.match(faults().join(), /stands under unproven but has a test/);
  });

  it('names a test whose section no source obeys', () => {
    tree(proof, '');
    assert.match(faults().join(), /^test\/a\.test\.ts proves .* no source does/);
    tree(proof, '  elsewhere: {"1.2.3": a rule of another room}');
    assert.deepEqual(faults(), []);
  });

  it('names sections and RFCs without a title, and signs without an RFC', () => {
    tree({ 'src/a.ts': `// ${cite('7')}\n// ${['RFC', '9998'].join(' ')}\n\n// see \u00a71.2` }, '');
    const [untitled = '', unknown = '', orphan = ''] = faults();
    assert.match(orphan, /^src\/a\.ts:4: \u00a7 without an RFC/);
    assert.match(untitled, /^src\/a\.ts cites .* no such section/);
    assert.match(unknown, /^src\/a\.ts names .* title/);
  });

  it('says how to refresh a stale page', () => {
    tree({ 'src/a.ts': `// ${cite('1.2')}`, ...proof }, '');
    writeFileSync(join(root, 'docs/rfc-conformance.md'), 'old');
    assert.match(faults().join(), /npm run conformance/);
  });
});
