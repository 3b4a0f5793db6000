import ipaddr from 'ipaddr.js';
import type { Clock } from '../../platform/clock.js';
import { MAX_LOGIN_TRIES, MAX_THROTTLED_ADDRESSES } from '../limits.js';

const LONGEST_WAIT_MS = 300_000;
/** An address that was quiet for this long starts anew. */
const FORGET_MS = 15 * 60_000;

interface Failures {
  count: number;
  lastAt: number;
  blockedUntil: number;
}

/**
 * Slows password guessing down by source address (by /64 in IPv6): after three failures each one doubles the wait, from
 * 2 s up to 5 min. The table is bounded; the address that failed longest ago gives way.
 */
export class LoginThrottle {
  private readonly failures = new Map<string, Failures>();

  constructor(private readonly clock: Clock) {}

  /** Milliseconds until the address may try again; 0 when it may now. */
  waitMs(address: string): number {
    const known = this.failures.get(throttleKey(address));
    return known ? Math.max(0, known.blockedUntil - this.clock.monotonic()) : 0;
  }

  failed(address: string): void {
    const key = throttleKey(address);
    const now = this.clock.monotonic();
    const known = this.failures.get(key);
    const count = known && now - known.lastAt < FORGET_MS ? known.count + 1 : 1;
    const over = count - MAX_LOGIN_TRIES;
    const wait = over < 0 ? 0 : Math.min(LONGEST_WAIT_MS, 2000 * 2 ** Math.min(over, 16));
    // Written anew, so that the map stays in the order of last failure.
    this.failures.delete(key);
    this.failures.set(key, { count, lastAt: now, blockedUntil: now + wait });
    if (this.failures.size > MAX_THROTTLED_ADDRESSES) {
      this.failures.delete(this.failures.keys().next().value!);
    }
  }

  succeeded(address: string): void {
    this.failures.delete(throttleKey(address));
  }

  get size(): number {
    return this.failures.size;
  }
}

/** What an address counts as: itself, or its /64 in IPv6. */
export function throttleKey(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4' ? parsed.toString() : parsed.toByteArray().slice(0, 8).join('.');
}
