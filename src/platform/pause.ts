import type { Clock } from './clock.js';

/** Resolves after `delayMs` milliseconds, or at once when `signal` is aborted. Never rejects. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimeout(done, Math.max(0, delayMs));
    signal.addEventListener('abort', done, { once: true });
  });
}
