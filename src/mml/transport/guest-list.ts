import type { Socket } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { MAX_UNAUTHENTICATED, MAX_UNAUTHENTICATED_PER_ADDRESS } from '../limits.js';
import { throttleKey } from '../session/login-throttle.js';

/** A connection that has not logged in yet. */
export interface Guest {
  readonly socket: Socket;
  /** What it counts as: its address, or the /64 of it in IPv6. */
  readonly place: string;
  /** It has sent something, as clients of people do at once. */
  signed: boolean;
}

const CROWD_LOG_INTERVAL_MS = 60_000;

/** The few connections of one listener that may stand before login; a crowd costs only itself. */
export class GuestList {
  /** Oldest first. */
  private readonly guests = new Set<Guest>();
  private crowdLoggedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /**
   * Takes a connection in; undefined when there is no room for it. The oldest silent one gives way to a new one; of those
   * that speak only one from an address that holds more than the newcomer's.
   */
  admit(socket: Socket, address: string): Guest | undefined {
    const place = throttleKey(address);
    if (!this.makeRoom(place)) {
      this.logCrowd();
      return undefined;
    }
    const guest: Guest = { socket, place, signed: false };
    this.guests.add(guest);
    socket.once('close', () => this.leave(guest));
    return guest;
  }

  /** It has logged in, or is gone. */
  leave(guest: Guest): void {
    this.guests.delete(guest);
  }

  /** Tells of a crowd, once a minute at most. */
  logCrowd(): void {
    const now = this.clock.monotonic();
    if (now - this.crowdLoggedAt < CROWD_LOG_INTERVAL_MS) return;
    this.crowdLoggedAt = now;
    this.log.warn({ guests: this.guests.size }, 'too many console connections that have not logged in');
  }

  /** True when there is room, or some was made. Who holds little gets in where others hold much. */
  private makeRoom(place: string): boolean {
    const neighbours = this.of(place);
    const isFull = this.guests.size >= MAX_UNAUTHENTICATED;
    if (!isFull && neighbours.length < MAX_UNAUTHENTICATED_PER_ADDRESS) return true;
    const candidates = neighbours.length > 0 ? neighbours : [...this.guests];
    const gone = candidates.find((guest) => !guest.signed) ?? this.crowder(neighbours.length + 2);
    if (!gone) return false;
    this.logCrowd();
    this.leave(gone);
    gone.socket.destroy();
    return true;
  }

  /** The oldest guest of the place that holds most, when that is `least` or more. */
  private crowder(least: number): Guest | undefined {
    if (this.guests.size < MAX_UNAUTHENTICATED) return undefined;
    const counts = new Map<string, number>();
    for (const { place } of this.guests) counts.set(place, (counts.get(place) ?? 0) + 1);
    const [place, count] = [...counts].reduce((most, one) => (one[1] > most[1] ? one : most));
    return count >= least ? this.of(place)[0] : undefined;
  }

  private of(wanted: string): Guest[] {
    return [...this.guests].filter(({ place }) => place === wanted);
  }
}

/** The address of a client as people write it, IPv4 without its IPv6 clothes. */
export function clientAddress(socket: Socket): string {
  return socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown';
}
