import { type Clock, systemClock } from '../platform/clock.js';
import { FailureCounter } from './failure-counter.js';

export interface ThrottleLimits {
  /** Wrong passwords of one user from one source within the window, default 10. */
  readonly perUser: number;
  /** Wrong passwords of one source over all users, default 200: a whole office may sit behind one address. */
  readonly perSource: number;
  /** Seconds, default 300. */
  readonly windowSec: number;
}

export const DEFAULT_THROTTLE: ThrottleLimits = { perUser: 10, perSource: 200, windowSec: 300 };

/** Keys held of each kind. */
const MAX_KEYS = 50_000;

/** Slows the guessing of passwords: first one user from one source, far later the whole source. */
export class AuthThrottle {
  private readonly users: FailureCounter;
  private readonly sources: FailureCounter;

  constructor(limits: ThrottleLimits = DEFAULT_THROTTLE, clock: Clock = systemClock) {
    const windowMs = limits.windowSec * 1000;
    this.users = new FailureCounter({ limit: limits.perUser, windowMs, maxKeys: MAX_KEYS, clock });
    this.sources = new FailureCounter({ limit: limits.perSource, windowMs, maxKeys: MAX_KEYS, clock });
  }

  isBlocked(username: string, address: string): boolean {
    const source = sourceKey(address);
    return this.users.isOver(userKey(username, source)) || this.sources.isOver(source);
  }

  /** Counts a wrong password; returns true when this one closed the door. */
  failed(username: string, address: string): boolean {
    const source = sourceKey(address);
    const [byUser, bySource] = [this.users.fail(userKey(username, source)), this.sources.fail(source)];
    return byUser || bySource;
  }

  /** The right password forgives what went before. */
  succeeded(username: string, address: string): void {
    this.users.reset(userKey(username, sourceKey(address)));
  }
}

/** Names are cut so that a key cannot grow; longer ones share a count, which harms nobody who exists. */
function userKey(username: string, source: string): string {
  return `${source} ${username.slice(0, 128)}`;
}

/** IPv4 as it is; of IPv6 the /64, which one subscriber has whole (RFC 6177 §2). */
function sourceKey(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const tailGroups = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - tailGroups.length);
  return [...groups, ...Array<string>(zeros).fill('0'), ...tailGroups].slice(0, 4).join(':');
}
