import type { CancellableTimer, Clock, TimerHandle, Wakeable } from './clock.js';

/** Cancelled timers that a queue carries along beside as many live ones, before it is swept. */
const MAX_CANCELLED = 1024;

/** One timer, waiting in its queue. */
class QueuedTimer implements CancellableTimer {
  /** Undefined once it was cancelled or has run. */
  fn: (() => void) | Wakeable | undefined;

  constructor(
    fn: (() => void) | Wakeable,
    /** Whole milliseconds, which need no object of their own. */
    readonly dueMs: number,
    private readonly queue: DelayQueue,
  ) {
    this.fn = fn;
  }

  cancel(): void {
    if (this.fn === undefined) return;
    this.fn = undefined;
    this.queue.noteCancelled();
  }
}

/** Timers of one length fall due in the order in which they were set, so one timer of the clock below does for all. */
class DelayQueue {
  private timers: QueuedTimer[] = [];
  private head = 0;
  private cancelled = 0;
  private handle: TimerHandle | undefined;
  private isRunning = false;
  private readonly run = (): void => this.runDue();

  constructor(
    private readonly clock: Clock,
    private readonly delayMs: number,
    private readonly onEmpty: () => void,
  ) {}

  add(fn: (() => void) | Wakeable): QueuedTimer {
    const timer = new QueuedTimer(fn, Math.ceil(this.clock.monotonic() + this.delayMs), this);
    this.timers.push(timer);
    // One set by a timer that runs now may have others before it: see `waitForHead`.
    if (!this.isRunning) this.handle ??= this.clock.setTimeout(this.run, this.delayMs);
    return timer;
  }

  noteCancelled(): void {
    this.cancelled++;
    const waiting = this.timers.length - this.head;
    if (this.cancelled > MAX_CANCELLED && this.cancelled > waiting / 2) this.sweep();
  }

  private runDue(): void {
    this.handle = undefined;
    this.isRunning = true;
    try {
      this.runUntil(this.clock.monotonic());
    } finally {
      this.isRunning = false;
      if (this.head > this.timers.length / 2) this.sweep();
      this.waitForHead();
    }
  }

  private runUntil(nowMs: number): void {
    for (let timer = this.timers[this.head]; timer; timer = this.timers[this.head]) {
      const { fn } = timer;
      if (fn !== undefined && timer.dueMs > nowMs) break;
      this.head++;
      timer.fn = undefined;
      if (fn === undefined) this.cancelled--;
      else if (typeof fn === 'function') fn();
      else fn.wake();
    }
  }

  private waitForHead(): void {
    const next = this.timers[this.head];
    if (!next) this.onEmpty();
    // A timer of the machine may come a fraction of a millisecond early.
    else
      this.handle = this.clock.setTimeout(
        this.run,
        Math.max(0, Math.ceil(next.dueMs - this.clock.monotonic())),
      );
  }

  private sweep(): void {
    this.timers = this.timers.slice(this.head).filter(({ fn }) => fn !== undefined);
    this.head = 0;
    this.cancelled = 0;
  }
}

/**
 * A clock for many timers of few lengths, most of which are cancelled, such as RFC 3261 table 4 asks for: setting and
 * cancelling one touches no more than an array, and one timer of `clock` runs for each length in use. A timer never
 * fires early, and keeps its order among those of the same length.
 */
export function queuedClock(clock: Clock): Clock {
  const queues = new Map<number, DelayQueue>();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout(fn, delayMs) {
      let queue = queues.get(delayMs);
      if (!queue) {
        queue = new DelayQueue(clock, delayMs, () => queues.delete(delayMs));
        queues.set(delayMs, queue);
      }
      return queue.add(fn);
    },
    clearTimeout: (timer) => (timer as CancellableTimer | undefined)?.cancel(),
  };
}
