import type { SipResponse } from '../../sip/message.js';
import { ServerTransactionBase, type ServerTransactionOptions } from './server-transaction-base.js';
import { lifetimeMs } from './transaction-context.js';

/** States of RFC 3261 figure 8; Terminated is the base's. */
export type NonInviteServerState = 'trying' | 'proceeding' | 'completed';

/** Non-INVITE server transaction (RFC 3261 §17.2.2). */
export class NonInviteServerTransaction extends ServerTransactionBase<NonInviteServerState> {
  constructor(options: ServerTransactionOptions) {
    super(options, 'trying');
    // RFC 4320 §4.2: after 64*T1 the client has given up, and no response is of use any more.
    this.setTimer(lifetimeMs(this.context.timers));
  }

  respond(response: SipResponse): boolean {
    if (this.state !== 'trying' && this.state !== 'proceeding') return false;
    if (response.statusCode < 200) {
      this.state = 'proceeding';
    } else {
      this.answered = true;
      this.state = 'completed';
      // Timer J
      this.setTimer(this.reliable ? 0 : lifetimeMs(this.context.timers));
    }
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
    else this.fail('timeout');
  }
}
