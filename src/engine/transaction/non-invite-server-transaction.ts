import type { SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import { ServerTransactionBase, type ServerTransactionOptions } from './server-transaction-base.js';
import { lifetimeMs, timerEAtT2Ms } from './transaction-context.js';

/** States of RFC 3261 figure 8; Terminated is the base's. */
export type NonInviteServerState = 'trying' | 'proceeding' | 'completed';

/** Non-INVITE server transaction (RFC 3261 §17.2.2). */
export class NonInviteServerTransaction extends ServerTransactionBase<NonInviteServerState> {
  /** The client's timer E has reached T2: a 100 may be sent over UDP now, and has to be. */
  private isLate = false;

  constructor(options: ServerTransactionOptions) {
    super(options, 'trying');
    this.setTimer(timerEAtT2Ms(this.context.timers));
  }

  respond(response: SipResponse): boolean {
    if (this.state !== 'trying' && this.state !== 'proceeding') return false;
    if (response.statusCode < 200) return this.respondProvisionally(response);
    this.answered = true;
    this.state = 'completed';
    // Timer J
    this.setTimer(this.reliable ? 0 : lifetimeMs(this.context.timers));
    this.transmit(response);
    if (this.answered) this.shrink(true);
    if (response.statusCode >= 300) this.context.refusedRequests.add(this, this.source.address);
    return true;
  }

  receiveRetransmission(): void {
    if (this.state === 'proceeding' || this.state === 'completed') this.retransmit();
  }

  protected onEnd(): void {
    this.context.refusedRequests.remove(this);
  }

  protected onTimer(): void {
    if (this.state === 'completed') this.terminate();
    else if (this.isLate) this.fail('timeout');
    else this.onLate();
  }

  /** RFC 4320 §4.1: none but 100, and over UDP not before its time, when it goes out by itself. */
  private respondProvisionally(response: SipResponse): boolean {
    if (response.statusCode > 100) return false;
    if (!this.reliable && !this.isLate) return true;
    this.state = 'proceeding';
    this.transmit(response);
    return true;
  }

  private onLate(): void {
    const { timers } = this.context;
    this.isLate = true;
    // RFC 4320 §4.2: after 64*T1 the client has given up, and no response is of use any more.
    this.setTimer(lifetimeMs(timers) - timerEAtT2Ms(timers));
    if (this.state === 'trying') this.respondProvisionally(createResponse(this.request, 100));
  }
}
