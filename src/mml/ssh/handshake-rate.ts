import type { Clock } from '../../platform/clock.js';
import {
  MAX_THROTTLED_ADDRESSES,
  SSH_HANDSHAKE_BURST,
  SSH_HANDSHAKE_BURST_PER_ADDRESS,
  SSH_HANDSHAKES_PER_SEC,
  SSH_HANDSHAKES_PER_SEC_PER_ADDRESS,
} from '../limits.js';
import { throttleKey } from '../session/login-throttle.js';

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Bounds the key exchanges that the server does for clients that have not logged in, in all and for one address (IPv6:
 * one /64): each costs milliseconds of the thread that serves calls. The table is bounded; the oldest address gives way.
 */
export class HandshakeRate {
  private readonly all: Bucket;
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly clock: Clock) {
    this.all = { tokens: SSH_HANDSHAKE_BURST, at: clock.monotonic() };
  }

  /** Whether a connection from this address may do its key exchange now. */
  take(address: string): boolean {
    const now = this.clock.monotonic();
    const key = throttleKey(address);
    const bucket = this.buckets.get(key) ?? { tokens: SSH_HANDSHAKE_BURST_PER_ADDRESS, at: now };
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > MAX_THROTTLED_ADDRESSES) this.buckets.delete(this.buckets.keys().next().value!);
    refill(bucket, now, SSH_HANDSHAKES_PER_SEC_PER_ADDRESS, SSH_HANDSHAKE_BURST_PER_ADDRESS);
    refill(this.all, now, SSH_HANDSHAKES_PER_SEC, SSH_HANDSHAKE_BURST);
    // An address that has no share left takes nothing from the others.
    if (bucket.tokens < 1 || this.all.tokens < 1) return false;
    bucket.tokens--;
    this.all.tokens--;
    return true;
  }
}

function refill(bucket: Bucket, now: number, perSec: number, burst: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSec);
  bucket.at = now;
}
