// Preloaded into measured Node processes: says which thread is which, and answers how much memory is in use after a
// garbage collection. Costs nothing while it is not asked.
import fs = require('node:fs');
import threads = require('node:worker_threads');

const file = process.env['BENCH_THREADS_FILE'];
const channel = new threads.BroadcastChannel('bench-probe');
channel.unref();

// A worker knows its script only after what is preloaded.
setImmediate(() => {
  if (file === undefined) return;
  const role = threads.isMainThread ? 'main' : (process.argv[1] ?? 'worker');
  fs.appendFileSync(file, `${fs.readlinkSync('/proc/thread-self').split('/').at(-1)} ${role}\n`);
});

function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (threads.isMainThread) {
  const SETTLE_MS = 700;
  process.on('message', (message) => {
    if (message !== 'bench-memory') return;
    let bytes = usedBytes();
    channel.onmessage = ({ data }) => {
      if (typeof data === 'number') bytes += data;
    };
    channel.postMessage('memory');
    setTimeout(() => process.send?.({ benchMemory: bytes, rss: process.memoryUsage.rss() }), SETTLE_MS);
  });
  // Being asked is no reason to stay.
  process.channel?.unref();
} else {
  channel.onmessage = ({ data }) => {
    if (data === 'memory') channel.postMessage(usedBytes());
  };
}
