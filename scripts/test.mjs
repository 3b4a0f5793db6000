// Builds, installs the peers tests talk to, runs the tests and closes with a count.
// `npm test`, `npm test -- unit`, `npm test -- unit/sip wire`, `npm test -- e2e/register`;
// with `--compiled <folder>` those of a folder that is compiled already.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PEERS, preparePeers } from './peers.mjs';
import { testGroups } from './test-groups.mjs';
import { TestRun } from './test-run.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const TIERS = ['unit', 'wire', 'contract', 'e2e'];
const { values, positionals: wanted } = parseArgs({
  options: { compiled: { type: 'string' } },
  allowPositionals: true,
});
const tests = resolve(values.compiled ?? join(root, '.build', 'test'));

/** Compiled test files below `dir`, in a stable order. */
function testFiles(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? testFiles(join(dir, entry.name))
        : /\.test\.js$/.test(entry.name)
          ? [join(dir, entry.name)]
          : [],
    );
}

/** Compiles sources and tests; ends the process when that fails. */
function build() {
  rmSync(tests, { recursive: true, force: true });
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'test/tsconfig.json'],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs the programs that tests talk to, and says which are missing. */
function prepare() {
  const missing = preparePeers();
  if (missing.length === 0) return;
  const isCi = /^(true|1)$/i.test(process.env.CI ?? '');
  process.stdout.write(
    `Missing test peers, their tests are ${isCi ? 'failures here (CI)' : 'skipped'}: ${missing
      .map((name) => `${name} (package ${PEERS[name]})`)
      .join(', ')}\n`,
  );
}

if (values.compiled === undefined) {
  build();
  prepare();
}
const files = testFiles(tests).filter((file) => {
  const name = relative(tests, file);
  return wanted.length === 0
    ? TIERS.includes(name.split('/')[0])
    : wanted.some((part) => name.includes(part));
});
const run = new TestRun();
for (const group of testGroups(files)) await run.group(group);
const { passed, failed, skipped } = run.counts();
if (run.unsteady > 0)
  process.stdout.write(`\n${run.unsteady} unsteady: passed only when they ran by themselves\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
