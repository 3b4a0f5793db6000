import type { Clock } from '../platform/clock.js';

/** Senders remembered; beyond, the one that wrote longest ago starts anew. */
const MAX_SENDERS = 20_000;

/** How many messages each sender may send: so many a minute, and as many at once. */
export class SenderRate {
  private readonly buckets = new Map<string, { left: number; at: number }>();

  /** `perMinute` is read for each message; 0: any number. */
  constructor(
    private readonly perMinute: () => number,
    private readonly clock: Clock,
  ) {}

  /** Takes one message of a sender's; 0 when it may go, else seconds until the next one may. */
  take(sender: string): number {
    const perMinute = this.perMinute();
    if (perMinute === 0) return 0;
    const at = this.clock.monotonic();
    const bucket = this.buckets.get(sender) ?? { left: perMinute, at };
    const left = Math.min(perMinute, bucket.left + ((at - bucket.at) / 60_000) * perMinute);
    this.buckets.delete(sender);
    this.buckets.set(sender, { left: left >= 1 ? left - 1 : left, at });
    if (this.buckets.size > MAX_SENDERS) this.buckets.delete(this.buckets.keys().next().value!);
    return left >= 1 ? 0 : Math.ceil(((1 - left) * 60) / perMinute);
  }
}
