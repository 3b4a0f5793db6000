import type { TransactionLimits } from '../../src/engine/transaction/limits.js';
import { TransactionLayer } from '../../src/engine/transaction/transaction-layer.js';
import {
  type ClientTransaction,
  DEFAULT_TIMERS,
  type ServerTransaction,
  type ServerTransactionUser,
} from '../../src/engine/types.js';
import { silentLogger } from '../../src/platform/logger.js';
import type { SipRequest, SipResponse } from '../../src/sip/message.js';
import { createResponse } from '../../src/sip/response.js';
import { FakeTransport } from './fake-transport.js';
import { ManualClock } from './manual-clock.js';
import { RecordingClientUser, requestFrom } from './sip-stack.js';
import { type RequestText, requestText, responseText } from './sip-text.js';

/** A transaction layer between a fake transport and a recording user, on a clock that the test moves. */
export class TransactionBench {
  readonly clock = new ManualClock();
  readonly transport: FakeTransport;
  readonly layer: TransactionLayer;
  readonly requests: ServerTransaction[] = [];
  readonly acks: SipRequest[] = [];
  readonly strays: SipResponse[] = [];
  onRequest: (tx: ServerTransaction) => void = () => {};
  /** To tag of requests that belong to a dialog. */
  dialogTag = 'known';
  isOverloaded = false;

  constructor(protocol: 'udp' | 'tcp' = 'udp', limits: Partial<TransactionLimits> = {}) {
    this.transport = new FakeTransport(protocol);
    this.layer = new TransactionLayer({
      transport: this.transport,
      clock: this.clock,
      timers: DEFAULT_TIMERS,
      log: silentLogger,
      limits,
      isOverloaded: () => this.isOverloaded,
      user: {
        onRequest: (tx) => {
          this.requests.push(tx);
          this.onRequest(tx);
        },
        hasDialogOf: (request) => request.toTag === this.dialogTag,
        onAck: (ack) => this.acks.push(ack),
        onStrayResponse: (response) => this.strays.push(response),
      },
    });
  }

  /** Sends a request of ours; what went out stays in the transport. */
  startClient(options: RequestText = {}): Client {
    const user = new RecordingClientUser();
    const tx = this.layer.createClient(requestFrom(requestText(options)), this.transport.hop, user);
    return { tx, user, events: user.events, sent: this.transport.sent.at(-1) ?? '' };
  }

  /** A request of the peer arrives and is taken by the user. */
  startServer(options: RequestText = {}): Server {
    const protocol = this.transport.hop.protocol.toUpperCase();
    const text = requestText({ via: `SIP/2.0/${protocol} 192.0.2.9:5070`, ...options });
    this.transport.deliver(text);
    const tx = this.requests.at(-1)!;
    const events: string[] = [];
    tx.user = recordingServerUser(events);
    return {
      tx,
      events,
      text,
      respond: (status) => tx.respond(createResponse(tx.request, status, undefined, 'u1')),
    };
  }

  /** The peer answers what it was sent. */
  answer(sent: string, statusCode: number, options?: Parameters<typeof responseText>[2]): void {
    this.transport.deliver(responseText(sent, statusCode, options));
  }

  /** Moves the clock in steps of 100 ms; the times, in milliseconds from now, at which something was sent. */
  sendTimes(durationMs: number): number[] {
    const times: number[] = [];
    for (let atMs = 100; atMs <= durationMs; atMs += 100) {
      this.clock.advance(100);
      for (let sent = this.transport.take().length; sent > 0; sent--) times.push(atMs);
    }
    return times;
  }
}

export interface Client {
  readonly tx: ClientTransaction;
  readonly user: RecordingClientUser;
  readonly events: readonly string[];
  readonly sent: string;
}

export interface Server {
  readonly tx: ServerTransaction;
  readonly events: readonly string[];
  /** The request as it arrived, for repeating it. */
  readonly text: string;
  respond(statusCode: number): boolean;
}

export function recordingServerUser(events: string[]): ServerTransactionUser {
  return {
    onFailure: (_tx, reason) => events.push(reason),
    onTerminated: () => events.push('terminated'),
  };
}
