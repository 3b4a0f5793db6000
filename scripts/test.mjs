// Builds, installs the peers tests talk to, runs the tests and closes with a count.
// `npm test`, `npm test -- unit`, `npm test -- unit/sip wire`, `npm test -- e2e/register`.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PEERS, preparePeers } from './peers.mjs';
import { testGroups } from './test-groups.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, '.build');
const TIERS = ['unit', 'wire', 'contract', 'e2e'];
/** A file that takes longer hangs, e.g. on a socket that a failed test left open: it fails. Milliseconds. */
const FILE_TIMEOUT_MS = 300_000;
/**
 * A small test's file that fails while others run beside it runs once more by itself, unless so many failed that it cannot
 * be chance. One that passes then is counted as unsteady. Tests of the whole server are never repeated.
 */
const MAX_REPEATED_FILES = 4;
const wanted = process.argv.slice(2);

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

/** Runs files with Node's runner; resolves its counts as the reporter leaves them. */
function run(files, concurrency) {
  if (files.length === 0) return Promise.resolve({ passed: 0, failed: 0, skipped: 0 });
  return new Promise((resolve) => {
    const args = [
      '--enable-source-maps',
      join(root, 'scripts', 'run-group.mjs'),
      concurrency,
      FILE_TIMEOUT_MS,
    ];
    const child = spawn(process.execPath, [...args, ...files].map(String), {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    let counts = '';
    child.stdio[3].on('data', (chunk) => {
      counts += chunk;
    });
    child.on('close', (code) => {
      const result = counts ? JSON.parse(counts) : { passed: 0, failed: 0, skipped: 0 };
      if (code !== 0 && result.failed === 0) result.failed = 1;
      resolve(result);
    });
  });
}

/** Runs failed files once more, each by itself: the second outcome counts, and is told to be one. Resolves how many passed then. */
async function repeat(failed) {
  let unsteady = 0;
  if (failed.length > MAX_REPEATED_FILES) return unsteady;
  for (const first of failed) {
    // Source maps name the source.
    const source = relative(root, first.file)
      .replace(/^\.build\//, '')
      .replace(/\.js$/, '.ts');
    process.stdout.write(`\nonce more, by itself: ${source}\n`);
    const second = await run([join(out, source.replace(/\.ts$/, '.js'))], 1);
    for (const key of Object.keys(total)) total[key] += second[key] - first[key];
    if (second.failed > 0) continue;
    unsteady++;
    process.stdout.write('UNSTEADY: it failed beside others and passed by itself\n');
  }
  return unsteady;
}

rmSync(join(out, 'test'), { recursive: true, force: true });
const build = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'test/tsconfig.json'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
if (build.status !== 0) process.exit(build.status ?? 1);

const missing = preparePeers();
const isCi = /^(true|1)$/i.test(process.env.CI ?? '');
if (missing.length > 0) {
  process.stdout.write(
    `Missing test peers, their tests are ${isCi ? 'failures here (CI)' : 'skipped'}: ${missing
      .map((name) => `${name} (package ${PEERS[name]})`)
      .join(', ')}\n`,
  );
}

const files = testFiles(join(out, 'test')).filter((file) => {
  const name = relative(join(out, 'test'), file);
  return wanted.length === 0
    ? TIERS.includes(name.split('/')[0])
    : wanted.some((part) => name.includes(part));
});
const total = { passed: 0, failed: 0, skipped: 0 };
let unsteady = 0;
for (const { files: group, concurrency, repeats } of testGroups(files)) {
  const counts = await run(group, concurrency);
  for (const key of Object.keys(total)) total[key] += counts[key];
  if (repeats) unsteady += await repeat(counts.failedFiles ?? []);
}
const { passed, failed, skipped } = total;
if (unsteady > 0) process.stdout.write(`\n${unsteady} unsteady: passed only when they ran by themselves\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
