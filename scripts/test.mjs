// Builds, then runs the tests: `npm test`, `npm test -- unit`, `npm test -- unit/sip wire`.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, '.build');
const TIERS = ['unit', 'wire', 'contract', 'e2e'];
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

const build = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'test/tsconfig.json'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
if (build.status !== 0) process.exit(build.status ?? 1);

const files = testFiles(join(out, 'test')).filter((file) => {
  const name = relative(join(out, 'test'), file);
  return wanted.length === 0
    ? TIERS.includes(name.split('/')[0])
    : wanted.some((part) => name.includes(part));
});
const runner = spawn(process.execPath, ['--enable-source-maps', '--test', '--test-concurrency=2', ...files], {
  cwd: root,
  stdio: 'inherit',
});
runner.on('exit', (code) => process.exit(code ?? 1));
