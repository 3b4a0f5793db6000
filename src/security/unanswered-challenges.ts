import type { Clock } from '../platform/clock.js';
import { MAX_OFFENDERS } from './limits.js';

/** Phones have so long to answer, and to make their address known by a right password. Milliseconds. */
const GRACE_MS = 10_000;

/** Challenges of one source. The newer ones may be younger than 10 s and still be answered. */
interface Open {
  /** Sent before the newer ones. */
  older: number;
  newer: number;
  /** When the first of the newer ones was sent, monotonic milliseconds. */
  readonly sinceMs: number;
}

/**
 * Challenges that a source did not answer: who tries numbers or names without a password sends one request after the other and answers
 * none of them. Looked at when the next request comes, so that no timer is needed; a right password makes all of its source good.
 */
export class UnansweredChallenges {
  private readonly open = new Map<string, Open>();

  constructor(private readonly clock: Clock) {}

  /**
   * A request without credentials came and is challenged. Returns how many of this source have been left without an answer for 10 s; each
   * is told once. Those with a proven address are counted apart: nobody adds to them by a lie.
   */
  challenged(source: string, isProven: boolean): number {
    const nowMs = this.clock.monotonic();
    const key = keyOf(source, isProven);
    const known = this.open.get(key);
    const ageMs = known ? nowMs - known.sinceMs : 0;
    if (known && ageMs < GRACE_MS) {
      known.newer++;
      return 0;
    }
    const { older = 0, newer = 0 } = known ?? {};
    const areAllOld = ageMs >= 2 * GRACE_MS;
    this.open.delete(key);
    this.open.set(key, { older: areAllOld ? 0 : newer, newer: 1, sinceMs: nowMs });
    if (this.open.size > MAX_OFFENDERS) this.open.delete(this.open.keys().next().value!);
    return areAllOld ? older + newer : older;
  }

  /** A wrong password came from there: it counts by itself, the challenge that it answers does not. */
  answered(source: string, isProven: boolean): void {
    const key = keyOf(source, isProven);
    const known = this.open.get(key);
    if (!known) return;
    if (known.newer > 0) known.newer--;
    else known.older--;
    if (known.newer + known.older === 0) this.open.delete(key);
  }

  /** A right password came from there. */
  proved(source: string): void {
    for (const isProven of [true, false]) this.open.delete(keyOf(source, isProven));
  }
}

const keyOf = (source: string, isProven: boolean): string => `${isProven ? '' : '?'}${source}`;
