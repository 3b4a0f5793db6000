// Runs compiled test files in the order given, which `node --test` would sort: `node run-group.mjs <at once> <ms a file> <file>…`.
import { run } from 'node:test';
import { reportOn } from './reporter.mjs';

const [concurrency, timeout, ...files] = process.argv.slice(2);
const events = run({ files, concurrency: Number(concurrency), timeout: Number(timeout) });
// Whatever the reporter makes of it.
events.on('test:fail', () => {
  process.exitCode = 1;
});
events.compose(reportOn(files)).pipe(process.stdout);
