// Loaded before a test file: a file that calls process.exit ends before it has told of its tests, so that is a failure.
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// Programs that tests start may end themselves as they like.
if (isMainThread && /\.test\.js$/.test(process.argv[1] ?? '')) {
  const exit = process.exit;
  process.exit = (code) => {
    process.stderr.write(`${new Error(`process.exit(${code ?? ''}) ends a test file early`).stack}\n`);
    exit(1);
  };
  syncBuiltinESMExports();
}
