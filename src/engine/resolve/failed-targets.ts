import type { Clock } from '../../platform/clock.js';
import type { Hop } from '../types.js';
import type { ResolveLimits } from './limits.js';

/** A server may ask for this long a pause at most (RFC 3261 §21.5.4); milliseconds. */
const MAX_PAUSE_MS = 600_000;

/** The targets that failed lately: they are tried after the others of their name for a while (RFC 3263 §4.3). */
export class FailedTargets {
  private readonly untilMs = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly limits: Pick<ResolveLimits, 'maxFailedTargets' | 'failedTargetMs'>,
  ) {}

  /** `pauseMs` is what the target itself asked for. */
  note(hop: Hop, pauseMs = this.limits.failedTargetMs): void {
    const key = keyOf(hop);
    this.untilMs.delete(key);
    this.untilMs.set(key, this.clock.monotonic() + Math.min(pauseMs, MAX_PAUSE_MS));
    if (this.untilMs.size > this.limits.maxFailedTargets)
      this.untilMs.delete(this.untilMs.keys().next().value!);
  }

  /** The target answered. */
  clear(hop: Hop): void {
    if (this.untilMs.size > 0) this.untilMs.delete(keyOf(hop));
  }

  has(hop: Hop): boolean {
    if (this.untilMs.size === 0) return false;
    const untilMs = this.untilMs.get(keyOf(hop));
    if (untilMs === undefined || untilMs > this.clock.monotonic()) return untilMs !== undefined;
    this.untilMs.delete(keyOf(hop));
    return false;
  }

  /** The same hops in the same order, but for those that failed lately, which come last. */
  order(hops: readonly Hop[]): readonly Hop[] {
    const failed = hops.filter((hop) => this.has(hop));
    return failed.length === 0 || failed.length === hops.length
      ? hops
      : [...hops.filter((hop) => !failed.includes(hop)), ...failed];
  }
}

function keyOf({ protocol, address, port }: Hop): string {
  return `${protocol} ${address} ${port}`;
}
