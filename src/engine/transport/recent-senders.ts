import type { TransportError } from './errors.js';
import type { SendFailureListener } from './types.js';

/** How long a sender is remembered at least; a refusal or a reset comes within a round trip. Milliseconds. */
const GENERATION_MS = 8_000;

/**
 * Who sent to one peer lately: those are told when the peer turns out to be unreachable. Two generations of senders
 * are kept, so that forgetting the old ones needs no timer.
 */
export class RecentSenders {
  private young: SendFailureListener[] = [];
  private old: SendFailureListener[] = [];
  private youngSinceMs = 0;

  add(sender: SendFailureListener, nowMs: number): void {
    if (nowMs - this.youngSinceMs > GENERATION_MS) {
      this.old = nowMs - this.youngSinceMs > 2 * GENERATION_MS ? [] : this.young;
      this.young = [];
      this.youngSinceMs = nowMs;
    }
    if (this.young.at(-1) !== sender) this.young.push(sender);
  }

  /** Tells each of them once and forgets all. */
  fail(error: TransportError): void {
    const senders = new Set([...this.old, ...this.young]);
    this.old = [];
    this.young = [];
    for (const sender of senders) sender.onSendFailure(error);
  }
}
