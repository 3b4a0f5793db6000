#!/usr/bin/env node
// The `ims` command. Runs what `npm run build` made.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  process.stderr.write('ims: not built yet; run `npm run build` (npm start does it too)\n');
  process.exit(1);
}
await import(main.href);
