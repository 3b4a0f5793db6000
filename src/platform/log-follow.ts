import type { Clock } from './clock.js';
import { type LogLine, type LogQuery, matchingLines } from './log-lines.js';
import type { LogRing } from './log-ring.js';
import { pause } from './pause.js';

/** Lines that came within this time are handed over together, milliseconds: a storm of lines is not a storm of parts. */
const GATHER_MS = 100;

/** Lines of the log that came since the batch before. */
export interface LogBatch {
  readonly lines: readonly LogLine[];
  /** Lines that came and went while nobody asked; whether they would have matched is not known. */
  readonly missed: number;
}

/**
 * The newest lines that match, then those that come, batch by batch, until `signal` is aborted. A slow reader misses lines
 * instead of keeping them: nothing is held beyond the ring. `query` is asked again for each batch; its limit bounds the first.
 */
export async function* followLines(
  ring: LogRing,
  query: () => LogQuery,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  let seen = ring.pushed;
  yield { lines: matchingLines(ring.newestFirst(), query()), missed: 0 };
  while (!signal.aborted) {
    if (ring.pushed === seen) {
      await nextLine(ring, signal);
      await pause(clock, GATHER_MS, signal);
    }
    const came = ring.pushed - seen;
    seen = ring.pushed;
    const missed = Math.max(0, came - ring.size);
    const lines = matchingLines(ring.newestFirst(came), { ...query(), limit: Number.POSITIVE_INFINITY });
    if (lines.length > 0 || missed > 0) yield { lines, missed };
  }
}

function nextLine(ring: LogRing, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      forget();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const forget = ring.onceLine(done);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
