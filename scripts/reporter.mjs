// A reporter for Node's test runner: a line a file, failures in full, skips with their reason, what came of each file to descriptor 3.

import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import { inspect } from 'node:util';

const SLOW_MS = 5000;
/** Characters of a file's error output that are kept to be shown if it breaks. */
const SAID_MAX = 3000;

/** File name as the reader knows it: the source, not the compiled copy. Source maps name either. */
export const shown = (file) =>
  relative(process.cwd(), file ?? '')
    .replace(/^\.build\//, '')
    .replace(/\.js$/, '.ts');

/** A file's line: what passed and how long its tests ran. */
function line({ file, passed, failed, skipped, ms }) {
  const bad = failed ? `, ${failed} FAILED` : '';
  const left = skipped ? `, ${skipped} skipped` : '';
  return `${failed ? 'x' : '.'} ${shown(file)}  ${passed} passed${bad}${left}  ${Math.round(ms)} ms\n`;
}

/** A failure in full: where, what, why, and what the file said. */
function inFull({ file, said }, { name, error }) {
  const cause = error?.cause ?? error;
  const text = typeof cause?.stack === 'string' ? cause.stack : inspect(cause);
  const why = error === undefined ? '' : `${text.replace(/^/gm, '    ')}\n`;
  const output = said ? `    it said:\n${said.replace(/^/gm, '      ')}\n` : '';
  return `\nFAILED ${shown(file)}\n  ${name}\n${why}${output}`;
}

/** Of a suite that failed by itself and not through one of its tests: a hook of it, or its body. */
function ownFailure({ name, details }) {
  const type = details?.error?.failureType;
  if (type === 'subtestsFailed') return undefined;
  return `${name}: ${type === 'hookFailed' ? 'a hook' : 'outside its tests'}`;
}

/** Where a test stands, and its name. */
const idOf = ({ nesting, line, column, name }) => `${nesting}:${line}:${column} ${name}`;

/** What came of one file. */
class FileResult {
  passed = 0;
  failed = 0;
  skipped = 0;
  ms = 0;
  said = '';
  failures = [];
  /** Tests that are known and have not ended. */
  pending = new Set();

  constructor(file) {
    this.file = file;
  }

  fail(name, error) {
    this.failed++;
    this.failures.push({ name, error });
  }

  hear(message) {
    this.said = (this.said + message).slice(-SAID_MAX);
  }

  /** Takes a `test:enqueue`. */
  expect(data) {
    if (!this.isFile(data)) this.pending.add(idOf(data));
  }

  /** Takes the end of the file: whatever ended it, its tests have to have been told of. */
  end() {
    if (this.failed > 0) return this;
    const early = [...this.pending].map((id) => id.slice(id.indexOf(' ') + 1));
    if (early.length > 0) this.fail(`it ended before these did: ${early.join('; ')}`);
    else if (this.passed + this.skipped === 0) this.fail('no test of it ran');
    return this;
  }

  /** Whether this is told of the file and not of a test in it. */
  isFile({ nesting, name }) {
    return nesting === 0 && shown(name) === shown(this.file);
  }

  /** Takes a `test:pass` or `test:fail`; what is to be printed of it. */
  take(type, data) {
    const { name, details, skip, todo } = data;
    // What is still to do would hide each failure of it: a limit is tested as it is.
    const error =
      details?.error ?? (todo !== undefined ? new Error('no test may be marked todo') : undefined);
    const isFailure = type === 'test:fail' || todo !== undefined;
    this.pending.delete(idOf(data));
    if (this.isFile(data)) {
      // The file itself broke: it did not load, timed out, left something running, or a hook of it threw.
      if (isFailure) this.fail('the file', error);
      return '';
    }
    // The tests of a suite that is skipped are not told of.
    if (details?.type === 'suite' && skip === undefined) {
      const own = isFailure && ownFailure(data);
      if (!own) return '';
      this.fail(own, error);
      return `  FAILED: ${shown(this.file)}: ${own}\n`;
    }
    this.ms += details?.duration_ms ?? 0;
    if (isFailure) {
      this.fail(name, error);
      return `  FAILED: ${shown(this.file)}: ${name}\n`;
    }
    if (skip !== undefined) {
      this.skipped++;
      return `  skipped: ${name}${typeof skip === 'string' ? ` (${skip})` : ''}\n`;
    }
    this.passed++;
    const ms = details?.duration_ms ?? 0;
    return ms > SLOW_MS ? `  ${Math.round(ms / 1000)} s  ${name}\n` : '';
  }
}

/** A reporter on a run of these files. Its process fails when one of them did. */
export function reportOn(given) {
  const results = new Map(given.map((file) => [shown(file), new FileResult(file)]));
  const of = (file) => {
    const result = results.get(shown(file)) ?? new FileResult(file);
    results.set(shown(file), result);
    return result;
  };
  return async function* report(source) {
    let current;
    for await (const { type, data } of source) {
      if (type === 'test:stderr' || type === 'test:stdout') {
        if (process.env.TEST_OUTPUT) yield data.message;
        else if (type === 'test:stderr') of(data.file).hear(data.message);
        continue;
      }
      // What a test did after its end is told like this.
      if (type === 'test:diagnostic' && data.message.startsWith('Error: '))
        current?.hear(`${data.message}\n`);
      if (type === 'test:enqueue') of(data.file).expect(data);
      if (type !== 'test:pass' && type !== 'test:fail') continue;
      const result = of(data.file);
      if (current !== result && current) yield line(current.end());
      current = result;
      yield result.take(type, data);
    }
    if (current) yield line(current.end());
    const all = [...results.values()].map((result) => result.end());
    for (const result of all) for (const failure of result.failures) yield inFull(result, failure);
    if (all.some(({ failed }) => failed > 0)) process.exitCode = 1;
    const told = all.map(({ file, passed, failed, skipped }) => ({ file, passed, failed, skipped }));
    try {
      writeSync(3, JSON.stringify(told));
    } catch {
      yield `${JSON.stringify(told)}\n`;
    }
  };
}
