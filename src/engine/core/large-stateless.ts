import type { SipRequest } from '../../sip/message.js';
import type { SentRequest } from '../transaction/transaction-layer.js';
import type { SendFailureListener } from '../transport/types.js';
import type { Hop } from '../types.js';
import type { WalkContext } from './client-starter.js';
import { copyOf } from './client-walk.js';

/** An ACK too large for UDP: it goes by TCP, and by UDP when that is refused (RFC 3261 §18.1.1). */
export class LargeStateless implements SentRequest, SendFailureListener {
  private sent: SentRequest;
  /** What is left to send by UDP; undefined once it was. */
  private spare: SipRequest | undefined;

  /** Throws as `sendStateless` does. */
  constructor(
    private readonly ctx: WalkContext,
    request: SipRequest,
    private readonly tcp: Hop,
    private readonly udp: Hop,
  ) {
    this.spare = copyOf(request);
    this.sent = ctx.sendStateless(request, tcp, this);
  }

  get text(): string {
    return this.sent.text;
  }

  get hop(): Hop {
    return this.sent.hop;
  }

  get localAddress(): string {
    return this.sent.localAddress;
  }

  get localPort(): number {
    return this.sent.localPort;
  }

  resend(): void {
    this.sent.resend();
  }

  onSendFailure(): void {
    const { spare } = this;
    this.spare = undefined;
    if (!spare) return;
    this.ctx.withoutTcp.note(this.tcp);
    try {
      this.sent = this.ctx.sendStateless(spare, this.udp);
    } catch (error) {
      this.ctx.log.debug({ err: error, hop: this.udp }, 'cannot send this ACK by UDP either');
    }
  }
}
