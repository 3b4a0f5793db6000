// What a run of compiled test files came to: the last run of each file counts.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shown } from './reporter.mjs';

const scripts = dirname(fileURLToPath(import.meta.url));
/** A file that takes longer hangs, e.g. on a socket that a failed test left open: it fails. Milliseconds. */
const FILE_TIMEOUT_MS = 300_000;
/**
 * A small test's file that fails while others run beside it runs once more by itself, unless so many failed that it cannot
 * be chance. One that passes then is counted as unsteady. Tests of the whole server are never repeated.
 */
const MAX_REPEATED_FILES = 4;

const say = (text) => process.stdout.write(`${text}\n`);

/** Runs files with Node's runner; resolves how that process ended, and what the reporter told of each file. */
function runFiles(files, concurrency) {
  return new Promise((resolve) => {
    // Node's runner passes its options on to each file's process.
    const options = ['--enable-source-maps', '--import', new URL('no-exit.mjs', import.meta.url).href];
    const args = [join(scripts, 'run-group.mjs'), concurrency, FILE_TIMEOUT_MS, ...files];
    const child = spawn(process.execPath, [...options, ...args].map(String), {
      cwd: join(scripts, '..'),
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    let text = '';
    child.stdio[3].on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', (code, signal) => resolve({ ending: code ?? signal, told: JSON.parse(text || '[]') }));
  });
}

/** Groups of files that run one after the other, and what they came to. */
export class TestRun {
  /** Files that passed only when they ran by themselves. */
  unsteady = 0;
  /** Runs that ended badly, and not because of a file. */
  broken = 0;
  /** What came of each file when it ran last. */
  results = new Map();

  /** Runs a group of `testGroups`. */
  async group({ files, concurrency, repeats }) {
    const failed = await this.run(files, concurrency);
    if (!repeats || failed.length > MAX_REPEATED_FILES) return;
    for (const file of failed) {
      say(`\nonce more, by itself: ${shown(file)}`);
      if ((await this.run([file], 1)).length > 0) continue;
      this.unsteady++;
      say('UNSTEADY: it failed beside others and passed by itself');
    }
  }

  /** Tests of all files by outcome; a broken run counts as one that failed. */
  counts() {
    const total = { passed: 0, failed: this.broken, skipped: 0 };
    for (const result of this.results.values())
      for (const key of Object.keys(total)) total[key] += result[key];
    return total;
  }

  /** Resolves the files that failed. One of which nothing is told has. */
  async run(files, concurrency) {
    if (files.length === 0) return [];
    const { ending, told } = await runFiles(files, concurrency);
    for (const file of files) this.results.delete(file);
    for (const result of told) this.results.set(result.file, result);
    for (const file of files.filter((each) => !this.results.has(each))) {
      this.results.set(file, { file, passed: 0, failed: 1, skipped: 0 });
      say(`FAILED ${shown(file)}: nothing was told of it`);
    }
    const isExplained = ending === 1 && told.some(({ failed }) => failed > 0);
    if (ending !== 0 && !isExplained) {
      this.broken++;
      say(`FAILED: a run of ${files.length} files ended with ${ending}`);
    }
    return files.filter((file) => this.results.get(file).failed > 0);
  }
}
