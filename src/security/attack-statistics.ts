import type { Clock } from '../platform/clock.js';
import { MAX_SOURCES } from './limits.js';

/**
 * What looks like an attack: wrong passwords of users that exist, names that nobody has, tries after too many of these, requests that never
 * answer a challenge, bytes that are no SIP, programs that scan.
 */
export const ATTACKS = ['password', 'name', 'throttled', 'probe', 'malformed', 'scanner'] as const;
export type Attack = (typeof ATTACKS)[number];
export type AttackCounts = Record<Attack, number>;

/** What came from one address. Wall milliseconds. */
export interface SourceCounts {
  readonly counts: AttackCounts;
  /** Requests of it that were refused since it is banned. */
  refused: number;
  readonly firstAt: number;
  lastAt: number;
}

export function noAttacks(): AttackCounts {
  return { password: 0, name: 0, throttled: 0, probe: 0, malformed: 0, scanner: 0 };
}

/** Counts attacks since start, in all and for the newest sources. */
export class AttackStatistics {
  readonly totals = noAttacks();
  readonly since: number;
  refused = 0;
  bans = 0;
  private readonly bySource = new Map<string, SourceCounts>();

  constructor(private readonly clock: Clock) {
    this.since = clock.now();
  }

  count(attack: Attack, address: string, times = 1): void {
    this.totals[attack] += times;
    this.of(address).counts[attack] += times;
  }

  refuse(address: string): void {
    this.refused++;
    this.of(address).refused++;
  }

  /** The one heard of longest ago first. */
  sources(): ReadonlyMap<string, SourceCounts> {
    return this.bySource;
  }

  private of(address: string): SourceCounts {
    const now = this.clock.now();
    const known = this.bySource.get(address);
    const source = known ?? { counts: noAttacks(), refused: 0, firstAt: now, lastAt: now };
    source.lastAt = now;
    this.bySource.delete(address);
    this.bySource.set(address, source);
    if (this.bySource.size > MAX_SOURCES) this.bySource.delete(this.bySource.keys().next().value!);
    return source;
  }
}
