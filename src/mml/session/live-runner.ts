import { MmlError } from '../errors.js';
import { MAX_LIVE_REPORTS } from '../limits.js';
import type { LivePart, LiveReport } from '../registry/live-report.js';

/** Runs reports that go on, and holds them to a number: each part is asked for when the one before was read. */
export class LiveRunner {
  private running = 0;

  /**
   * Prints part after part until `signal` is aborted or the report ends by itself; resolves how many. Rejects with
   * MmlError 4003 when too many run already, and with what the report throws.
   */
  async run(
    report: LiveReport,
    signal: AbortSignal,
    print: (part: LivePart, number: number) => Promise<void>,
  ): Promise<number> {
    if (this.running >= MAX_LIVE_REPORTS) throw new MmlError(4003, { limit: MAX_LIVE_REPORTS });
    this.running++;
    const parts = report.parts(signal)[Symbol.asyncIterator]();
    let count = 0;
    try {
      for (;;) {
        const next = await orAborted(parts.next(), signal);
        if (!next || next.done || signal.aborted) return count;
        await print(next.value, ++count);
      }
    } catch (error) {
      // What fails because it was ended has not failed.
      if (signal.aborted) return count;
      throw error;
    } finally {
      this.running--;
      // A part in the making is not waited for; it sees the signal.
      parts.return?.().catch(() => undefined);
    }
  }
}

/** Settles as `work` does, or resolves undefined when `signal` is aborted first. Leaves nothing behind at the signal. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
