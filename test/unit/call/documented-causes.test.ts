import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CAUSE_NAMES, causeOf } from '../../../src/call/causes.js';

const DOCUMENT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'docs', 'calls.md');

test('docs/calls.md lists every release reason as the code has it, and no other', () => {
  const rows = [
    ...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `([a-z-]+)` \| (\w+) \| (\d+) \| (\d+) \|/gm),
  ];
  const documented = rows.map(([, name, result, status, q850]) => `${name} ${result} ${status} ${q850}`);
  const actual = CAUSE_NAMES.map((name) => {
    const { result, status, q850 } = causeOf(name);
    return `${name} ${result} ${status} ${q850}`;
  });
  assert.deepEqual(documented.sort(), actual.sort());
});
