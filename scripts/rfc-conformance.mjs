// Writes docs/rfc-conformance.md from the RFC sections that source and tests name and from docs/rfc-sections.yaml.
// `--check` writes nothing and exits 1 with a line for each fault; `--root <dir>` works on another tree.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { readCitations } from './rfc/citations.mjs';
import { citationFaults } from './rfc/faults.mjs';
import { conformancePage } from './rfc/page.mjs';

const args = process.argv.slice(2);
const at = args.indexOf('--root');
const root = at >= 0 ? args[at + 1] : join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'docs', 'rfc-conformance.md');

const known = parse(readFileSync(join(root, 'docs', 'rfc-sections.yaml'), 'utf8')) ?? {};
const citations = readCitations(root);
const page = conformancePage(known, citations);

/** The page as it lies there; empty when there is none. */
function written() {
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return '';
  }
}

if (args.includes('--check')) {
  const faults = citationFaults(known, citations);
  if (written() !== page) faults.push('docs/rfc-conformance.md is stale: run `npm run conformance`');
  process.stderr.write(faults.map((fault) => `${fault}\n`).join(''));
  process.exitCode = faults.length > 0 ? 1 : 0;
} else {
  writeFileSync(target, page);
  process.stdout.write(`${target}\n`);
}
