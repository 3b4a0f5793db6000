// A reporter for Node's test runner: a line a file, failures in full, skips with their reason, counts and failed files to descriptor 3.

import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import { inspect } from 'node:util';

const SLOW_MS = 5000;
/** Characters of a file's error output that are kept to be shown if it breaks. */
const SAID_MAX = 3000;

/** File name as the reader knows it: the source, not the compiled copy. */
const shown = (file) =>
  relative(process.cwd(), file ?? '')
    .replace(/^\.build\//, '')
    .replace(/\.js$/, '.ts');

/** A file's line: what passed and how long its tests ran. */
function line(file, result) {
  const bad = result.failed ? `, ${result.failed} FAILED` : '';
  const skipped = result.skipped ? `, ${result.skipped} skipped` : '';
  return `${result.failed ? 'x' : '.'} ${shown(file)}  ${result.passed} passed${bad}${skipped}  ${Math.round(result.ms)} ms\n`;
}

export default async function* report(source) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const files = new Map();
  const failures = [];
  const said = new Map();
  let current;
  for await (const { type, data } of source) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      if (process.env.TEST_OUTPUT) yield data.message;
      else if (type === 'test:stderr')
        said.set(data.file, ((said.get(data.file) ?? '') + data.message).slice(-SAID_MAX));
      continue;
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const isSuite = data.details?.type === 'suite';
    const isFile = data.nesting === 0 && data.file !== undefined && data.name.endsWith('.js');
    if (isFile) {
      const seen = files.get(data.file);
      if (type === 'test:fail' && !seen?.failed) {
        // The file itself broke: it did not load, timed out, or left something running.
        counts.failed++;
        failures.push({ name: shown(data.file), file: data.file, error: data.details?.error });
      }
      continue;
    }
    if (isSuite) {
      // Its tests are counted as cancelled; why is only said here.
      if (data.details?.error?.failureType === 'hookFailed')
        failures.push({ name: `${data.name}: a hook`, file: data.file, error: data.details.error });
      continue;
    }
    if (current !== data.file && files.has(current)) yield line(current, files.get(current));
    current = data.file;
    const file = files.get(data.file) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 };
    files.set(data.file, file);
    file.ms += data.details?.duration_ms ?? 0;
    if (data.skip !== undefined || data.todo !== undefined) {
      counts.skipped++;
      file.skipped++;
      yield `  skipped: ${data.name}${typeof data.skip === 'string' ? ` (${data.skip})` : ''}\n`;
    } else if (type === 'test:pass') {
      counts.passed++;
      file.passed++;
      if ((data.details?.duration_ms ?? 0) > SLOW_MS)
        yield `  ${Math.round(data.details.duration_ms / 1000)} s  ${data.name}\n`;
    } else {
      counts.failed++;
      file.failed++;
      failures.push({ name: data.name, file: data.file, error: data.details?.error });
      yield `  FAILED: ${shown(data.file)}: ${data.name}\n`;
    }
  }
  if (files.has(current)) yield line(current, files.get(current));
  for (const { name, file, error } of failures) {
    const cause = error?.cause ?? error;
    yield `\nFAILED ${shown(file)}\n  ${name}\n${(typeof cause?.stack === 'string' ? cause.stack : inspect(cause)).replace(/^/gm, '    ')}\n`;
    if (said.has(file)) yield `    it said:\n${said.get(file).replace(/^/gm, '      ')}\n`;
  }
  try {
    const failed = [...new Set(failures.map(({ file }) => file))].map((file) => {
      const { passed = 0, failed = 0, skipped = 0 } = files.get(file) ?? {};
      return { file, passed, failed: Math.max(failed, 1), skipped };
    });
    writeSync(3, JSON.stringify({ ...counts, failedFiles: failed }));
  } catch {
    yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
  }
}
