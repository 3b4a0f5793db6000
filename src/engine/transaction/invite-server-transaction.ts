import type { SipRequest, SipResponse } from '../../sip/message.js';
import { ServerTransactionBase, type ServerTransactionOptions } from './server-transaction-base.js';
import { lifetimeMs } from './transaction-context.js';

/** States of RFC 6026 figure 7; Terminated is the base's. */
export type InviteServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed';

/** INVITE server transaction (RFC 3261 §17.2.1 as changed by RFC 6026 §7.1). */
export class InviteServerTransaction extends ServerTransactionBase<InviteServerState> {
  private retransmitMs: number;
  private elapsedMs = 0;
  private timerMs = 0;
  /** Sent again until the ACK comes, by timer G. */
  private isRepeated = false;
  /** Tag of the final response, which an ACK of an RFC 2543 peer must carry. */
  private toTag: string | undefined;

  constructor(options: ServerTransactionOptions) {
    super(options, 'proceeding');
    this.retransmitMs = this.context.timers.t1Ms;
  }

  respond(response: SipResponse): boolean {
    const { statusCode } = response;
    const isSuccess = statusCode >= 200 && statusCode < 300;
    // RFC 6026 §7.1: in Accepted the user repeats its 2xx as long as it likes.
    if (this.state !== 'proceeding' && !(this.state === 'accepted' && isSuccess)) return false;
    const isFinal = this.state === 'proceeding' && statusCode >= 200;
    if (isFinal) this.enterFinalState(response);
    this.transmit(response);
    if (isFinal || isSuccess) this.shrink(!isSuccess);
    return true;
  }

  receiveRetransmission(): void {
    // RFC 6026 §7.1: absorbed once a 2xx was sent; RFC 3261 §17.2.1 otherwise.
    if (this.state === 'proceeding' || this.state === 'completed') this.retransmit();
  }

  /** Takes an ACK; false when it is the user's, acknowledging a 2xx (RFC 6026 §7.1). */
  receiveAck(ack: SipRequest, isLegacy: boolean): boolean {
    if (this.state === 'accepted') return false;
    // RFC 3261 §17.2.3: of an RFC 2543 peer's ACK the To tag must be the response's.
    if (this.state !== 'completed' || (isLegacy && ack.toTag !== this.toTag)) return true;
    this.state = 'confirmed';
    this.context.refusedInvites.remove(this);
    // Timer I
    this.setTimer(this.reliable ? 0 : this.context.timers.t4Ms);
    return true;
  }

  protected onEnd(): void {
    this.context.refusedInvites.remove(this);
  }

  protected onTimer(): void {
    if (this.state === 'completed') this.onCompletedTimer();
    else if (this.state !== 'proceeding') this.terminate();
  }

  private enterFinalState(response: SipResponse): void {
    this.answered = true;
    if (response.statusCode < 300) {
      this.state = 'accepted';
      // Timer L
      this.setTimer(lifetimeMs(this.context.timers));
      return;
    }
    this.state = 'completed';
    this.toTag = response.toTag;
    this.isRepeated = this.context.refusedInvites.add(this, this.source.address) && !this.reliable;
    this.setCompletedTimer();
  }

  /** Timers G and H as one: whichever comes first. */
  private setCompletedTimer(): void {
    const leftMs = lifetimeMs(this.context.timers) - this.elapsedMs;
    this.timerMs = this.isRepeated ? Math.min(this.retransmitMs, leftMs) : leftMs;
    this.setTimer(this.timerMs);
  }

  private onCompletedTimer(): void {
    this.elapsedMs += this.timerMs;
    if (this.elapsedMs >= lifetimeMs(this.context.timers)) {
      this.fail('timeout');
      return;
    }
    this.retransmitMs = Math.min(this.retransmitMs * 2, this.context.timers.t2Ms);
    this.setCompletedTimer();
    this.retransmit();
  }
}
