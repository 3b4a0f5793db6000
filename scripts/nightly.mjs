// What is too long for `npm test`: a million and more mutated messages, another seed each night.
// `npm run nightly`, `npm run nightly -- --seed 42 --count 2000000`; a failure names seed and index.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string' } } });
const seed = Number(values.seed ?? Math.floor(Date.now() / 1000));
const count = Number(values.count ?? 1_000_000);

const build = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'test/tsconfig.json'],
  { cwd: root, stdio: 'inherit' },
);
if (build.status !== 0) process.exit(build.status ?? 1);

const { runMutations } = await import(pathToFileURL(join(root, '.build/test/support/mutation-run.js')).href);
process.stdout.write(`mutations: seed ${seed}, ${count} messages\n`);
let shown = 0;
try {
  const result = await runMutations({ seed, count }, (done) => {
    const tenth = Math.floor((done * 10) / count);
    if (tenth > shown) process.stdout.write(`  ${tenth}0 %\n`);
    shown = Math.max(shown, tenth);
  });
  const perSecond = Math.round((count * 1000) / result.elapsedMs);
  process.stdout.write(
    `mutations: ${result.accepted} taken, ${result.refused} refused, none threw; ${perSecond} a second, ` +
      `slowest ${result.slowestMs.toFixed(1)} ms, heap grew by ${Math.round(result.growthBytes / 1024)} KiB\n`,
  );
} catch (error) {
  process.stdout.write(`mutations: FAILED: ${error instanceof Error ? error.stack : String(error)}\n`);
  if (error?.cause) process.stdout.write(`caused by ${error.cause.stack ?? error.cause}\n`);
  process.exit(1);
}
