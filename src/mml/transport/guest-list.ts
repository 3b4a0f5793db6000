import type { Socket } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { MAX_UNAUTHENTICATED, MAX_UNAUTHENTICATED_PER_ADDRESS } from '../limits.js';

/** A connection that has not logged in yet. */
export interface Guest {
  readonly socket: Socket;
  readonly address: string;
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
   * Takes a connection in; undefined when there is no room for it. The oldest silent one gives way to a new one; those
   * that speak do not.
   */
  admit(socket: Socket, address: string): Guest | undefined {
    if (!this.makeRoom(address)) {
      this.logCrowd();
      return undefined;
    }
    const guest: Guest = { socket, address, signed: false };
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

  private makeRoom(address: string): boolean {
    const sameAddress = [...this.guests].filter((guest) => guest.address === address);
    const isFull = this.guests.size >= MAX_UNAUTHENTICATED;
    if (!isFull && sameAddress.length < MAX_UNAUTHENTICATED_PER_ADDRESS) return true;
    const candidates = sameAddress.length > 0 ? sameAddress : [...this.guests];
    const silent = candidates.find((guest) => !guest.signed);
    if (!silent) return false;
    this.logCrowd();
    this.leave(silent);
    silent.socket.destroy();
    return true;
  }
}

/** The address of a client as people write it, IPv4 without its IPv6 clothes. */
export function clientAddress(socket: Socket): string {
  return socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown';
}
