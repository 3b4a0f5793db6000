import type { Clock } from '../platform/clock.js';
import { MAX_OFFENDERS } from './limits.js';

/** Phones have so long to answer, and to make their address known by a right password. Milliseconds. */
const GRACE_MS = 10_000;

/**
 * Challenges that a source did not answer: who tries numbers or names without a password sends one request after the other and answers
 * none of them. Looked at when the next request comes, so that no timer is needed; a right password makes all of its source good.
 */
export class UnansweredChallenges {
  private readonly open = new Map<string, { count: number; readonly sinceMs: number }>();

  constructor(private readonly clock: Clock) {}

  /**
   * A request without credentials came and is challenged. Returns how many of this source have been left without an answer; each is told
   * once. Those with a proven address are counted apart: nobody adds to them by a lie.
   */
  challenged(source: string, isProven: boolean): number {
    const nowMs = this.clock.monotonic();
    const key = keyOf(source, isProven);
    const known = this.open.get(key);
    if (known && nowMs - known.sinceMs < GRACE_MS) {
      known.count++;
      return 0;
    }
    this.open.delete(key);
    this.open.set(key, { count: 1, sinceMs: nowMs });
    if (this.open.size > MAX_OFFENDERS) this.open.delete(this.open.keys().next().value!);
    return known?.count ?? 0;
  }

  /** A wrong password came from there: it counts by itself, the challenge that it answers does not. */
  answered(source: string, isProven: boolean): void {
    const key = keyOf(source, isProven);
    const known = this.open.get(key);
    if (known && --known.count === 0) this.open.delete(key);
  }

  /** A right password came from there. */
  proved(source: string): void {
    for (const isProven of [true, false]) this.open.delete(keyOf(source, isProven));
  }
}

const keyOf = (source: string, isProven: boolean): string => `${isProven ? '' : '?'}${source}`;
