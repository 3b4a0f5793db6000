import type { TimerHandle } from '../../platform/clock.js';
import type { SipResponse } from '../../sip/message.js';
import type { ServerTransaction } from '../types.js';
import type { CoreContext } from './core-context.js';
import { Gate } from './gate.js';

/** Our 2xx to an INVITE: sent again until its ACK comes (RFC 3261 §13.3.1.4). */
export class AnsweredInvite extends Gate {
  private retransmission: TimerHandle | undefined;
  private expiry: TimerHandle | undefined;
  /** Sequence number of the INVITE. */
  readonly seq: number;

  /** Starts at once, the response having been sent. `onTimeout` is called when no ACK came within 64*T1. */
  constructor(
    private readonly ctx: CoreContext,
    readonly tx: ServerTransaction,
    private readonly response: SipResponse,
    private readonly onTimeout: () => void,
  ) {
    super();
    const { t1Ms } = ctx.timers;
    this.seq = response.cseq?.seq ?? 0;
    this.expiry = ctx.clock.setTimeout(() => this.expire(), 64 * t1Ms);
    if (this.mayBeLost()) this.schedule(t1Ms);
  }

  /** The ACK came, or the dialog is over. */
  stop(): void {
    this.ctx.clock.clearTimeout(this.retransmission);
    this.ctx.clock.clearTimeout(this.expiry);
  }

  /** On a connection a response gets lost only when proxies carry it on from there. */
  private mayBeLost(): boolean {
    return this.tx.source.protocol === 'udp' || this.response.list('via').length > 1;
  }

  private schedule(intervalMs: number): void {
    this.retransmission = this.ctx.clock.setTimeout(() => {
      this.ctx.counters.retransmitted2xx++;
      this.tx.respond(this.response);
      this.schedule(Math.min(2 * intervalMs, this.ctx.timers.t2Ms));
    }, intervalMs);
  }

  private expire(): void {
    this.stop();
    this.ctx.counters.ackTimeouts++;
    this.onTimeout();
  }
}
