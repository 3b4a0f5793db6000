import { TransportError } from '../../src/engine/transport/errors.js';
import type { MessageTransport, Outlet, SendFailureListener } from '../../src/engine/transport/types.js';
import type { Hop, Source } from '../../src/engine/types.js';
import type { SipMessage } from '../../src/sip/message.js';
import { parseMessage } from '../../src/sip/parser.js';

/** Stands in for the sockets under a transaction layer: keeps what is sent, takes what a test says arrived. */
export class FakeTransport implements MessageTransport {
  onMessage: (message: SipMessage, source: Source) => void = () => {};
  /** Texts sent and not taken yet. */
  sent: string[] = [];
  private failures: (SendFailureListener | undefined)[] = [];

  constructor(private readonly protocol: 'udp' | 'tcp' = 'udp') {}

  get source(): Source {
    const { protocol } = this;
    return { protocol, address: '192.0.2.9', port: 5070, localAddress: '192.0.2.1', localPort: 5060 };
  }

  get hop(): Hop {
    return { protocol: this.protocol, address: '192.0.2.9', port: 5070 };
  }

  outlet(hop: Hop): Outlet {
    return {
      hop,
      listener: { protocol: this.protocol, address: '192.0.2.1', port: 5060, family: 4 },
      reliable: this.protocol !== 'udp',
      sentBy: { host: '192.0.2.1', port: 5060 },
      send: (bytes, failure) => this.keep(bytes, failure),
    };
  }

  respond(bytes: Buffer, _source: Source, _topVia: unknown, failure?: SendFailureListener): void {
    this.keep(bytes, failure);
  }

  /** A message arrives. */
  deliver(text: string): void {
    this.onMessage(parseMessage(Buffer.from(text, 'latin1')), this.source);
  }

  /** The texts sent since the last call. */
  take(): string[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }

  /** First lines of what was sent since the last call, e.g. `INVITE` or `200`. */
  takeKinds(): string[] {
    return this.take().map((text) => (text.startsWith('SIP/2.0 ') ? text.slice(8, 11) : text.split(' ')[0]!));
  }

  /** Lets go of the senders of what was sent. */
  forget(): void {
    this.failures = [];
  }

  /** What was sent last turns out to be undeliverable. */
  failLastSend(code: TransportError['code'] = 'SEND_FAILED'): void {
    this.failures.at(-1)?.onSendFailure(new TransportError(code, 'test'));
  }

  private keep(bytes: Buffer, failure: SendFailureListener | undefined): void {
    this.sent.push(bytes.toString('latin1'));
    this.failures.push(failure);
  }
}
