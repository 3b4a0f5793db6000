/** A pending timer that knows how to go away. */
export interface CancellableTimer {
  cancel(): void;
}

/** What a timer may call instead of a function: who sets one after the other need not make a closure for them. */
export interface Wakeable {
  wake(): void;
}

/** A pending timer; only the clock that made it can clear it. */
export type TimerHandle = NodeJS.Timeout | number | CancellableTimer;

/**
 * The only source of time for rooms with timers, so that tests can run RFC timers in milliseconds.
 * Wall time is for people and records; intervals are always taken from the monotonic time.
 */
export interface Clock {
  /** Wall time, UTC milliseconds since 1970. May jump. */
  now(): number;
  /** Monotonic milliseconds with a fraction, origin arbitrary. Never goes back. */
  monotonic(): number;
  /** Runs `fn`, or wakes it, once after `delayMs` milliseconds (0..2^31-1). A pending timer does not keep the process alive. */
  setTimeout(fn: (() => void) | Wakeable, delayMs: number): TimerHandle;
  /** Clears a timer; harmless when it has fired or is undefined. */
  clearTimeout(handle: TimerHandle | undefined): void;
}

/** The clock of the machine. Its timers are unreferenced: sockets, not timers, keep a server alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, delayMs) => setTimeout(typeof fn === 'function' ? fn : () => fn.wake(), delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
};
