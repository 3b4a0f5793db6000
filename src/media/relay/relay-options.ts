import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { RelayCounters } from './media-leg.js';

export interface RelayOptions {
  /** Ports for media, inclusive; two for each side of a stream. */
  readonly ports: { readonly min: number; readonly max: number };
  /** Where media sockets are bound, IPv4; default 0.0.0.0. */
  readonly bindAddress?: string;
  /** What replies name, so what phones are told; default the bound address, nothing when that is a wildcard. */
  readonly advertisedAddress?: string;
  /** The same for IPv6; without it streams over IPv6 are refused (E36). */
  readonly bindAddress6?: string;
  readonly advertisedAddress6?: string;
  /** A call with no packet for this long loses its ports, milliseconds; default 60,000. */
  readonly sessionTimeoutMs?: number;
  /** Most streams at once; further ones get E98. Default 5,000. */
  readonly maxSessions?: number;
  /** Learn the first sender whatever its address, as RTPProxy does; default false. */
  readonly trustAnySource?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Figures since start. */
export interface RelayStats extends RelayCounters {
  readonly sessionsCreated: number;
  readonly sessionsTimedOut: number;
  readonly activeSessions: number;
  readonly freePortPairs: number;
  /** Addresses in descriptions that were not sent to: the relay's own ports in a ring, or its control socket. */
  readonly targetsRefused: number;
}
