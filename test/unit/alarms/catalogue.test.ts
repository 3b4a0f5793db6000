import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ALARMS } from '../../../src/alarms/catalogue.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

it('docs/alarms.md has every alarm with its severity, cause and what to do, and says which stay until they are cleared', () => {
  const document = readFileSync(join(ROOT, 'docs', 'alarms.md'), 'utf8');
  const written = document.split('\n').filter((line) => /^\| [A-Z_]+ \| [A-Z]+ \|/.test(line));
  const known = Object.entries(ALARMS).map(
    ([name, { severity, cause, remedy }]) => `| ${name} | ${severity} | ${cause.en} | ${remedy.en} |`,
  );
  assert.deepEqual(written, known);
  const stay = Object.entries(ALARMS).flatMap(([name, { ends }]) => (ends === 'operator' ? [name] : []));
  const sentence = /^(.*) stay until `CLR ALARM`\.$/m.exec(document)?.[1] ?? '';
  assert.deepEqual(sentence.match(/[A-Z]+_[A-Z]+/g)?.sort(), stay.sort());
});

it('every text of the catalogue is there in both languages', () => {
  for (const [name, { title, cause, remedy }] of Object.entries(ALARMS))
    for (const { en, zh } of [title, cause, remedy]) {
      assert.match(en, /^[A-Z][^\n]{3,}$/, name);
      assert.match(zh, /\p{Script=Han}/u, name);
    }
});
