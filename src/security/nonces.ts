import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, systemClock } from '../platform/clock.js';

/** What a nonce that came back is worth. `forged` covers all that we (or a process with our secret) did not make. */
export type NonceVerdict = 'fresh' | 'stale' | 'replayed' | 'forged';

export interface NonceOptions {
  /** HMAC key, 32 octets; processes that share it take each other's nonces. */
  readonly secret: Buffer;
  /** How long a nonce lives, seconds, default 300. */
  readonly lifetimeSec?: number;
  /** Used nonces remembered, default 65536. Beyond that the oldest go, and what is as old becomes stale. */
  readonly maxUsed?: number;
  readonly clock?: Clock;
}

/** Nonce counts below the highest seen that may still come, each once: UDP delivers out of order. */
export const NONCE_COUNT_WINDOW = 32;

const DEFAULT_LIFETIME_SEC = 300;
const DEFAULT_MAX_USED = 65_536;
/** A nonce from a process whose clock is this far ahead of ours is still taken. */
const CLOCK_SKEW_MS = 5000;
const TIME_BYTES = 6;
const PROCESS_BYTES = 5;
const SERIAL_BYTES = 4;
const HEAD_BYTES = TIME_BYTES + PROCESS_BYTES + SERIAL_BYTES;
const MAC_BYTES = 15;
const NONCE_PATTERN = /^[A-Za-z0-9_-]{40}$/;
/** Expired entries dropped from the front of the table at each new one. */
const SWEEP_STEPS = 4;

interface UsedNonce {
  readonly issuedAt: number;
  /** Highest nonce count used; Infinity once the nonce was used without a count. */
  highest: number;
  /** Bit i: `highest - i` was used. */
  window: number;
}

/**
 * Digest nonces: time, process and serial number, and an HMAC over these and the client's address, which nobody can guess
 * (RFC 7616 §3.3, §5.4). Nothing is kept until a nonce is used; then its counts are, so that no Authorization is taken
 * twice (RFC 7616 §3.4, §5.3).
 */
export class Nonces {
  private readonly clock: Clock;
  private readonly lifetimeMs: number;
  private readonly maxUsed: number;
  private readonly used = new Map<string, UsedNonce>();
  /** Keeps nonces of processes with one secret apart. */
  private readonly processId = randomBytes(PROCESS_BYTES);
  private serial = 0;
  /**
   * Nonces issued at or before this time that are not in the table are stale: their entry may have been dropped, or
   * another life of this process may have seen them used.
   */
  private watermark: number;

  constructor(private readonly options: NonceOptions) {
    this.clock = options.clock ?? systemClock;
    this.lifetimeMs = (options.lifetimeSec ?? DEFAULT_LIFETIME_SEC) * 1000;
    this.maxUsed = options.maxUsed ?? DEFAULT_MAX_USED;
    this.watermark = this.clock.now() - 1;
  }

  /** Makes a nonce for the client at `address`. */
  issue(address: string): string {
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUIntBE(this.clock.now(), 0, TIME_BYTES);
    this.processId.copy(head, TIME_BYTES);
    this.serial = (this.serial + 1) >>> 0;
    head.writeUInt32BE(this.serial, TIME_BYTES + PROCESS_BYTES);
    return Buffer.concat([head, this.mac(head, address)]).toString('base64url');
  }

  /** True when we made this nonce for that address, however long ago. */
  isAuthentic(nonce: string, address: string): boolean {
    if (!NONCE_PATTERN.test(nonce)) return false;
    const octets = Buffer.from(nonce, 'base64url');
    const head = octets.subarray(0, HEAD_BYTES);
    return timingSafeEqual(octets.subarray(HEAD_BYTES), this.mac(head, address));
  }

  /** Whether a nonce that is authentic was made within its lifetime: whoever shows it was at its address just now. */
  isRecent(nonce: string): boolean {
    const ageMs = this.clock.now() - issuedAtOf(nonce);
    return ageMs < this.lifetimeMs && ageMs >= -CLOCK_SKEW_MS;
  }

  /**
   * Judges a nonce with its count and, when fresh, marks the count as used: call it once for each request, after the
   * digest was found right. `nc` is undefined for clients without qop (RFC 2617 §3.2.1); their nonce is good for one request.
   */
  use(nonce: string, address: string, nc: number | undefined): NonceVerdict {
    if (!this.isAuthentic(nonce, address)) return 'forged';
    if (!this.isRecent(nonce)) return 'stale';
    const issuedAt = issuedAtOf(nonce);
    const entry = this.used.get(nonce);
    if (entry) return countOnce(entry, nc) ? 'fresh' : 'replayed';
    if (issuedAt <= this.watermark) return 'stale';
    this.remember(nonce, issuedAt, nc);
    return 'fresh';
  }

  /** Used nonces held in memory. */
  get size(): number {
    return this.used.size;
  }

  private mac(head: Buffer, address: string): Buffer {
    return createHmac('sha256', this.options.secret)
      .update(head)
      .update(address)
      .digest()
      .subarray(0, MAC_BYTES);
  }

  private remember(nonce: string, issuedAt: number, nc: number | undefined): void {
    this.sweep();
    if (this.used.size >= this.maxUsed) this.dropOldest();
    this.used.set(nonce, { issuedAt, highest: nc ?? Number.POSITIVE_INFINITY, window: 1 });
  }

  private sweep(): void {
    const limit = this.clock.now() - this.lifetimeMs;
    let steps = SWEEP_STEPS;
    for (const [nonce, entry] of this.used) {
      if (entry.issuedAt > limit || steps-- === 0) return;
      this.used.delete(nonce);
    }
  }

  /** Drops the entry that was used first, and with it every nonce as old: eviction must never permit a replay. */
  private dropOldest(): void {
    for (const [nonce, entry] of this.used) {
      this.used.delete(nonce);
      this.watermark = Math.max(this.watermark, entry.issuedAt);
      return;
    }
  }
}

function issuedAtOf(nonce: string): number {
  return Buffer.from(nonce, 'base64url').readUIntBE(0, TIME_BYTES);
}

/** Marks a nonce count as used; false when it was used before or is too far behind to tell. */
function countOnce(entry: UsedNonce, nc: number | undefined): boolean {
  if (nc === undefined || entry.highest === Number.POSITIVE_INFINITY) return false;
  const ahead = nc - entry.highest;
  if (ahead > 0) {
    entry.window = ahead >= NONCE_COUNT_WINDOW ? 1 : ((entry.window << ahead) | 1) >>> 0;
    entry.highest = nc;
    return true;
  }
  if (-ahead >= NONCE_COUNT_WINDOW) return false;
  const bit = (1 << -ahead) >>> 0;
  if ((entry.window & bit) !== 0) return false;
  entry.window = (entry.window | bit) >>> 0;
  return true;
}
