import type { TimerHandle } from '../../platform/clock.js';
import type { SipResponse } from '../../sip/message.js';
import type { ServerTransaction } from '../types.js';
import type { CoreContext } from './core-context.js';

/** BYEs that an application may ask for before the ACK. */
const MAX_HELD = 4;

/** Our 2xx to an INVITE: sent again until its ACK comes (RFC 3261 §13.3.1.4). */
export class AnsweredInvite {
  private retransmission: TimerHandle | undefined;
  private expiry: TimerHandle | undefined;
  /** Sequence number of the INVITE. */
  readonly seq: number;
  /** What waits for the ACK. */
  private held: (() => void)[] | undefined;

  /** Starts at once, the response having been sent. `onTimeout` is called when no ACK came within 64*T1. */
  constructor(
    private readonly ctx: CoreContext,
    readonly tx: ServerTransaction,
    private readonly response: SipResponse,
    private readonly onTimeout: () => void,
  ) {
    const { t1Ms } = ctx.timers;
    this.seq = response.cseq?.seq ?? 0;
    this.expiry = ctx.clock.setTimeout(() => this.expire(), 64 * t1Ms);
    if (this.mayBeLost()) this.schedule(t1Ms);
  }

  /**
   * Has `action` run once the ACK is there or the dialog over (RFC 3261 §15: no BYE of a callee before that). False when
   * too much waits already.
   */
  hold(action: () => void): boolean {
    this.held ??= [];
    return this.held.length < MAX_HELD && this.held.push(action) > 0;
  }

  /** Runs what was held; to be called when the dialog no longer waits for this ACK. */
  release(): void {
    const { held = [] } = this;
    this.held = undefined;
    for (const action of held) action();
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
