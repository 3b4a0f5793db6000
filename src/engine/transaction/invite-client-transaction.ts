import type { SipRequest, SipResponse } from '../../sip/message.js';
import { serialize } from '../../sip/serialize.js';
import type { Source } from '../types.js';
import { ClientTransactionBase, type ClientTransactionOptions } from './client-transaction-base.js';
import { createAck, createCancel } from './hop-requests.js';
import { ProvisionalMemory } from './provisional-memory.js';
import { lifetimeMs } from './transaction-context.js';

/** States of RFC 6026 figure 5; Terminated is the base's. */
export type InviteClientState = 'calling' | 'proceeding' | 'accepted' | 'completed';

/** INVITE client transaction (RFC 3261 §17.1.1 as changed by RFC 6026 §7.2). */
export class InviteClientTransaction extends ClientTransactionBase<InviteClientState> {
  private provisionals: ProvisionalMemory | undefined;
  private retransmitMs: number;
  private elapsedMs = 0;
  private timerMs = 0;
  private cancelRequest: SipRequest | undefined;
  private isCancelSent = false;
  /** Text of the ACK: kept so for as long as timer D runs. */
  private ackText: string | undefined;

  constructor(options: ClientTransactionOptions) {
    super(options, 'calling');
    this.retransmitMs = this.context.timers.t1Ms;
  }

  start(): void {
    this.setCallingTimer();
    this.transmit();
  }

  receive(response: SipResponse, source: Source): void {
    switch (this.state) {
      case 'calling':
      case 'proceeding':
        if (response.statusCode < 200) this.receiveProvisional(response, source);
        else if (response.statusCode < 300) this.receiveSuccess(response, source);
        else this.receiveFailure(response, source);
        break;
      case 'accepted':
        // RFC 6026 §7.2: each 2xx goes up, whatever fork it is from.
        if (response.statusCode >= 200 && response.statusCode < 300) this.tellResponse(response, source);
        break;
      case 'completed':
        // RFC 3261 §17.1.1.2: a repeated final response is answered with the ACK again.
        if (response.statusCode >= 300 && this.ackText !== undefined)
          this.outlet.send(Buffer.from(this.ackText, 'latin1'));
        break;
      case 'terminated':
        break;
    }
  }

  cancel(extraHeaders: readonly { name: string; value: string }[]): SipRequest | undefined {
    if (this.state !== 'calling' && this.state !== 'proceeding') return undefined;
    if (this.cancelRequest) return this.cancelRequest;
    this.cancelRequest = createCancel(this.request, extraHeaders);
    // RFC 3261 §9.1: no CANCEL before a provisional response.
    if (this.state === 'proceeding') this.sendCancel(this.cancelRequest);
    return this.cancelRequest;
  }

  protected get isUnanswered(): boolean {
    return this.state === 'calling';
  }

  protected onTimer(): void {
    switch (this.state) {
      case 'calling':
        this.onCallingTimer();
        break;
      case 'proceeding':
        if (this.isCancelSent) this.fail('timeout');
        // Timer C (RFC 3261 §16.8)
        else this.cancel([]);
        break;
      case 'accepted': // Timer M
      case 'completed': // Timer D
        this.terminate();
        break;
      case 'terminated':
        break;
    }
  }

  private receiveProvisional(response: SipResponse, source: Source): void {
    const isFirst = this.state === 'calling';
    this.state = 'proceeding';
    // RFC 3261 §16.7 item 2: 101 to 199 start timer C anew.
    if (!this.isCancelSent && (isFirst || response.statusCode > 100))
      this.setTimer(this.context.timers.timerCMs);
    if (this.cancelRequest && !this.isCancelSent) this.sendCancel(this.cancelRequest);
    if (isFirst) this.tellProceeding();
    if (response.statusCode === 100) return;
    this.provisionals ??= new ProvisionalMemory(this.context.timers.t2Ms);
    if (this.wantsRepetitions || this.provisionals.isNew(response, this.context.clock.monotonic()))
      this.tellResponse(response, source);
  }

  private receiveSuccess(response: SipResponse, source: Source): void {
    this.state = 'accepted';
    this.setTimer(lifetimeMs(this.context.timers));
    this.shrink();
    this.tellResponse(response, source);
  }

  private receiveFailure(response: SipResponse, source: Source): void {
    this.state = 'completed';
    const ack = serialize(createAck(this.request, response));
    this.outlet.send(ack);
    this.ackText = ack.toString('latin1');
    this.setTimer(this.outlet.reliable ? 0 : lifetimeMs(this.context.timers));
    this.shrink();
    this.tellResponse(response, source);
  }

  protected override shrink(): void {
    super.shrink();
    this.provisionals = undefined;
    this.cancelRequest = undefined;
  }

  private sendCancel(cancel: SipRequest): void {
    this.isCancelSent = true;
    // RFC 3261 §9.1: without a final response within 64*T1 the INVITE counts as cancelled.
    this.setTimer(lifetimeMs(this.context.timers));
    this.owner.sendCancel(this.key, cancel, this.outlet);
  }

  /** Timers A and B as one: whichever comes first. */
  private setCallingTimer(): void {
    const leftMs = lifetimeMs(this.context.timers) - this.elapsedMs;
    this.timerMs = this.outlet.reliable ? leftMs : Math.min(this.retransmitMs, leftMs);
    this.setTimer(this.timerMs);
  }

  private onCallingTimer(): void {
    this.elapsedMs += this.timerMs;
    if (this.elapsedMs >= lifetimeMs(this.context.timers)) {
      this.fail('timeout');
      return;
    }
    this.retransmitMs *= 2;
    this.setCallingTimer();
    this.transmit();
  }
}
