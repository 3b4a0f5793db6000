// Writes docs/mml-reference.md from the command registry. A test fails while the file is stale.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const build = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
if (build.status !== 0) process.exit(build.status ?? 1);

const { allCommands } = await import(join(root, 'dist/mml/commands/all-commands.js'));
const { Registry } = await import(join(root, 'dist/mml/registry/registry.js'));
const { referenceMarkdown } = await import(join(root, 'dist/mml/registry/reference.js'));

const path = join(root, 'docs', 'mml-reference.md');
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, referenceMarkdown(new Registry(allCommands), 'EN'));
process.stdout.write(`${path}\n`);
