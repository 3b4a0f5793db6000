import type { SipResponse } from '../../sip/message.js';
import type { Source } from '../types.js';
import { ClientTransactionBase, type ClientTransactionOptions } from './client-transaction-base.js';
import { lifetimeMs } from './transaction-context.js';

/** States of RFC 3261 figure 6; Terminated is the base's. */
export type NonInviteClientState = 'trying' | 'proceeding' | 'completed';

/** Non-INVITE client transaction (RFC 3261 §17.1.2). */
export class NonInviteClientTransaction extends ClientTransactionBase<NonInviteClientState> {
  private retransmitMs: number;
  private elapsedMs = 0;
  private timerMs = 0;

  constructor(options: ClientTransactionOptions) {
    super(options, 'trying');
    this.retransmitMs = this.context.timers.t1Ms;
  }

  start(): void {
    this.setWaitTimer();
    this.transmit();
  }

  receive(response: SipResponse, source: Source): void {
    if (this.state !== 'trying' && this.state !== 'proceeding') return;
    if (response.statusCode < 200) {
      this.state = 'proceeding';
      if (response.statusCode > 100) this.tellResponse(response, source);
      return;
    }
    this.state = 'completed';
    // Timer K
    this.setTimer(this.outlet.reliable ? 0 : this.context.timers.t4Ms);
    this.shrink();
    this.tellResponse(response, source);
  }

  /** RFC 3261 §9.1: only INVITE is cancelled. */
  cancel(): undefined {
    return undefined;
  }

  protected get isUnanswered(): boolean {
    return this.state === 'trying';
  }

  protected onTimer(): void {
    switch (this.state) {
      case 'trying':
      case 'proceeding':
        this.onWaitTimer();
        break;
      case 'completed':
        this.terminate();
        break;
      case 'terminated':
        break;
    }
  }

  /** Timers E and F as one: whichever comes first. */
  private setWaitTimer(): void {
    const leftMs = lifetimeMs(this.context.timers) - this.elapsedMs;
    this.timerMs = this.outlet.reliable ? leftMs : Math.min(this.retransmitMs, leftMs);
    this.setTimer(this.timerMs);
  }

  private onWaitTimer(): void {
    this.elapsedMs += this.timerMs;
    if (this.elapsedMs >= lifetimeMs(this.context.timers)) {
      this.fail('timeout');
      return;
    }
    const { t2Ms } = this.context.timers;
    // RFC 3261 §17.1.2.2: doubled up to T2 while Trying, T2 while Proceeding.
    this.retransmitMs = this.state === 'proceeding' ? t2Ms : Math.min(this.retransmitMs * 2, t2Ms);
    this.setWaitTimer();
    this.transmit();
  }
}
