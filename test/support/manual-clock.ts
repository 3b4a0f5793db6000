import type { Clock, Wakeable } from '../../src/platform/clock.js';

interface Timer {
  readonly atMs: number;
  readonly fn: () => void;
}

/** A clock that stands still until a test moves it; timers run in order of their time, then of their making. */
export class ManualClock implements Clock {
  private nowMs = 0;
  private lastId = 0;
  private readonly timers = new Map<number, Timer>();

  constructor(private readonly startMs = Date.UTC(2030, 0, 1)) {}

  /** Timers that are set and have not run. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  now(): number {
    return this.startMs + this.nowMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  setTimeout(waiting: (() => void) | Wakeable, delayMs: number): number {
    const fn = typeof waiting === 'function' ? waiting : () => waiting.wake();
    this.timers.set(++this.lastId, { atMs: this.nowMs + delayMs, fn });
    return this.lastId;
  }

  clearTimeout(handle: unknown): void {
    this.timers.delete(handle as number);
  }

  /** Moves time on, running every timer that falls due on the way, those that timers set included. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (let next = this.next(untilMs); next; next = this.next(untilMs)) {
      const [id, timer] = next;
      this.timers.delete(id);
      this.nowMs = Math.max(this.nowMs, timer.atMs);
      timer.fn();
    }
    this.nowMs = untilMs;
  }

  private next(untilMs: number): [number, Timer] | undefined {
    let first: [number, Timer] | undefined;
    for (const entry of this.timers)
      if (entry[1].atMs <= untilMs && (!first || entry[1].atMs < first[1].atMs)) first = entry;
    return first;
  }
}
