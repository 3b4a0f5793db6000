import { sourceKey } from '../transport/source-key.js';

/** A server transaction that was given a final response of 300 and above. */
export interface Refused {
  /** Ends it early, as if its time were over. */
  forget(): void;
}

/**
 * Refused requests whose transactions still linger, oldest first. A flood of requests that nobody acknowledges, since
 * their source is a lie, must neither fill the memory for 32 s nor make us send each victim a dozen copies: over
 * `max` the oldest are forgotten, over `maxOfSource` a source's are not repeated unasked (RFC 3261 §26.3.2.4).
 */
export class Refusals {
  private readonly waiting = new Map<Refused, string>();
  private readonly bySource = new Map<string, number>();
  /** How many were forgotten before their time. */
  forgotten = 0;

  constructor(
    private readonly max: number,
    private readonly maxOfSource: number,
  ) {}

  get size(): number {
    return this.waiting.size;
  }

  /** Takes one up; whether its response may be repeated without being asked for. */
  add(transaction: Refused, address: string): boolean {
    const key = sourceKey(address);
    const count = (this.bySource.get(key) ?? 0) + 1;
    this.bySource.set(key, count);
    this.waiting.set(transaction, key);
    if (this.waiting.size > this.max) this.forgetOldest();
    return count <= this.maxOfSource;
  }

  /** The transaction was acknowledged, or is over; harmless when it is not there. */
  remove(transaction: Refused): void {
    const key = this.waiting.get(transaction);
    if (key === undefined) return;
    this.waiting.delete(transaction);
    const left = (this.bySource.get(key) ?? 1) - 1;
    if (left > 0) this.bySource.set(key, left);
    else this.bySource.delete(key);
  }

  private forgetOldest(): void {
    for (const transaction of this.waiting.keys()) {
      this.forgotten++;
      this.remove(transaction);
      transaction.forget();
      return;
    }
  }
}
