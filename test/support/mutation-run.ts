import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { leastMs } from './least-time.js';
import { mutation } from './mutate.js';
import { MutationTarget } from './mutation-target.js';

/** A message may take so long at its best of a few tries; milliseconds. The longest has some 4 KB. */
const MAX_MESSAGE_MS = 50;
/** Without progress for so long the run hangs. Milliseconds. */
const HANG_MS = 30_000;
/** Heap that may be added between the first tenth of a run and its end, after garbage collection; bytes. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;

export interface MutationRun {
  readonly seed: number;
  readonly count: number;
}

/** Figures of a run in which nothing failed. */
export interface MutationResult extends MutationRun {
  readonly accepted: number;
  readonly refused: number;
  readonly elapsedMs: number;
  /** The slowest message, at its best try when it seemed too slow; milliseconds. */
  readonly slowestMs: number;
  readonly growthBytes: number;
}

/**
 * Throws mutated messages at the message and transaction layers in a thread of its own. Rejects when one makes them
 * throw, hang or grow, naming seed and index: `mutation(seed, index)` is that message.
 */
export function runMutations(run: MutationRun, onProgress?: (done: number) => void): Promise<MutationResult> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: { run, progress } });
  return new Promise((resolve, reject) => {
    let seen = -1;
    let seenMs = performance.now();
    const watch = setInterval(() => {
      const done = Atomics.load(progress, 0);
      if (done !== seen) {
        seen = done;
        seenMs = performance.now();
        onProgress?.(done);
      } else if (performance.now() - seenMs > HANG_MS) {
        reject(new Error(`seed ${run.seed}, index ${done}: hangs`));
        void worker.terminate();
      }
    }, 250);
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', () => {
      clearInterval(watch);
      reject(new Error('the run ended without a result'));
    });
  });
}

function work({ seed, count }: MutationRun, progress: Int32Array): MutationResult {
  const target = new MutationTarget();
  const startedMs = performance.now();
  let slowestMs = 0;
  let heapBytes = 0;
  for (let index = 0; index < count; index++) {
    if (index === Math.floor(count / 10)) heapBytes = heapUsed();
    Atomics.store(progress, 0, index);
    const { bytes, random } = mutation(seed, index);
    const beganMs = performance.now();
    try {
      target.take(bytes, random);
    } catch (error) {
      throw new Error(`seed ${seed}, index ${index}: ${JSON.stringify(bytes.toString('latin1'))}`, {
        cause: error,
      });
    }
    let tookMs = performance.now() - beganMs;
    // A pause of the machine is not the message's fault.
    if (tookMs > MAX_MESSAGE_MS) tookMs = leastMs(MAX_MESSAGE_MS, () => target.take(bytes, random));
    if (tookMs > MAX_MESSAGE_MS) throw new Error(`seed ${seed}, index ${index}: took ${tookMs} ms`);
    slowestMs = Math.max(slowestMs, tookMs);
  }
  const growthBytes = heapUsed() - heapBytes;
  if (growthBytes > MAX_GROWTH_BYTES) throw new Error(`seed ${seed}: the heap grew by ${growthBytes} bytes`);
  const { accepted, refused } = target;
  return { seed, count, accepted, refused, elapsedMs: performance.now() - startedMs, slowestMs, growthBytes };
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

if (!isMainThread && parentPort && (workerData as { run?: MutationRun } | null)?.run) {
  const { run, progress } = workerData as { run: MutationRun; progress: Int32Array };
  parentPort.postMessage(work(run, progress));
}
