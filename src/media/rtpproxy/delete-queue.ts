import type { Clock, TimerHandle } from '../../platform/clock.js';

/** Deletes kept for a relay that does not answer. When there are more, the oldest go: the relay times them out. */
const MAX_QUEUED = 5_000;
/** Pause between rounds, milliseconds. */
const RETRY_MS = 5_000;
/** A delete is given up after this long, milliseconds: the relay has dropped the call for silence by then. */
const KEEP_MS = 120_000;

/** Repeats deletes to a relay that was silent when a call ended, so that its ports come free when it is back. */
export class DeleteQueue {
  private readonly queued = new Map<string, number>();
  private timer: TimerHandle | undefined;
  private closed = false;

  /** `attempt` deletes one call; it rejects when the relay is still silent. */
  constructor(
    private readonly attempt: (callId: string) => Promise<void>,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.queued.size;
  }

  add(callId: string): void {
    if (this.closed) return;
    if (this.queued.size >= MAX_QUEUED) this.queued.delete(this.queued.keys().next().value!);
    this.queued.set(callId, this.clock.monotonic());
    this.schedule();
  }

  close(): void {
    this.closed = true;
    this.clock.clearTimeout(this.timer);
    this.queued.clear();
  }

  private schedule(): void {
    if (this.timer !== undefined || this.closed || this.queued.size === 0) return;
    this.timer = this.clock.setTimeout(() => {
      void this.round().finally(() => {
        this.timer = undefined;
        this.schedule();
      });
    }, RETRY_MS);
  }

  /** Tries one after another and stops at the first that fails: the relay is still silent. */
  private async round(): Promise<void> {
    for (const [callId, sinceMs] of [...this.queued]) {
      if (this.clock.monotonic() - sinceMs <= KEEP_MS) {
        try {
          await this.attempt(callId);
        } catch {
          return;
        }
      }
      this.queued.delete(callId);
    }
  }
}
