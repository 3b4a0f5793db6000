import { type Clock, systemClock } from '../platform/clock.js';

export interface FailureLimit {
  /** Failures within the window after which `isOver` is true. */
  readonly limit: number;
  /** Length of the window, which begins with the first failure, milliseconds. */
  readonly windowMs: number;
  /** Keys held; the oldest go first. */
  readonly maxKeys: number;
  readonly clock?: Clock;
}

interface Count {
  failures: number;
  /** Monotonic milliseconds. */
  endsAt: number;
}

/** Counts failures by key in windows of fixed length, in bounded memory. */
export class FailureCounter {
  private readonly clock: Clock;
  private readonly counts = new Map<string, Count>();

  constructor(private readonly options: FailureLimit) {
    this.clock = options.clock ?? systemClock;
  }

  isOver(key: string): boolean {
    return (this.live(key)?.failures ?? 0) >= this.options.limit;
  }

  /** Counts a failure; returns true when this one reached the limit. */
  fail(key: string): boolean {
    const count = this.live(key) ?? this.begin(key);
    count.failures++;
    return count.failures === this.options.limit;
  }

  /** Forgets the failures of a key. */
  reset(key: string): void {
    this.counts.delete(key);
  }

  get size(): number {
    return this.counts.size;
  }

  private live(key: string): Count | undefined {
    const count = this.counts.get(key);
    if (count && count.endsAt <= this.clock.monotonic()) {
      this.counts.delete(key);
      return undefined;
    }
    return count;
  }

  private begin(key: string): Count {
    if (this.counts.size >= this.options.maxKeys) {
      // Insertion order is the order of window ends: the first key is the one nearest to its end.
      const oldest = this.counts.keys().next();
      if (!oldest.done) this.counts.delete(oldest.value);
    }
    const count = { failures: 0, endsAt: this.clock.monotonic() + this.options.windowMs };
    this.counts.set(key, count);
    return count;
  }
}
