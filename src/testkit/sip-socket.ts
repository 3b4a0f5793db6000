import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Closeable } from '../platform/lifecycle.js';
import type { SipMessage, SipRequest, SipResponse } from '../sip/message.js';
import { parseMessage } from '../sip/parser.js';
import { serialize } from '../sip/serialize.js';
import { PhoneError } from './errors.js';

/** RFC 3261 §17.1.1.1. */
const T1_MS = 500;
const T2_MS = 4000;
/** Final answers kept to repeat them to retransmitted requests (RFC 3261 §17.2.2). */
const ANSWERS_KEPT = 64;

export interface SocketEvents {
  /** A request that is not a retransmission. */
  onRequest(request: SipRequest): void;
  /** A message seen or sent, for ladders; retransmissions are not shown. */
  onMessage?(message: SipMessage, sent: boolean): void;
}

interface Pending {
  readonly onResponse: (response: SipResponse) => void;
  readonly stop: () => void;
}

/** A phone's SIP side over UDP: sends with retransmission, absorbs repeats, and matches responses by branch and method. */
export class SipSocket implements Closeable {
  private readonly pending = new Map<string, Pending>();
  private readonly answers = new Map<string, Buffer | undefined>();
  private closed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly server: { address: string; port: number },
    private readonly events: SocketEvents,
  ) {
    socket.on('message', (bytes) => this.receive(bytes));
    socket.on('error', () => undefined);
  }

  /** Binds to a free port of `address`; all messages go to and are taken from `server`. */
  static async open(
    address: string,
    server: { address: string; port: number },
    events: SocketEvents,
  ): Promise<SipSocket> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new SipSocket(socket, server, events);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /**
   * Sends a request and resolves its final response. `onProvisional` sees the others.
   * Rejects with PhoneError 408 when none came: 32 s without a provisional, or when the socket closes.
   */
  request(request: SipRequest, onProvisional?: (response: SipResponse) => void): Promise<SipResponse> {
    const key = `${request.topVia?.params.get('branch')} ${request.method}`;
    return new Promise((resolve, reject) => {
      const stopSending = this.repeat(request, () => fail('no response'));
      const stop = (): void => {
        stopSending();
        this.pending.delete(key);
      };
      const fail = (reason: string): void => {
        stop();
        reject(new PhoneError(`${request.method}: ${reason}`, 408));
      };
      this.pending.set(key, {
        onResponse: (response) => {
          stopSending();
          if (response.statusCode < 200) {
            onProvisional?.(response);
            return;
          }
          stop();
          resolve(response);
        },
        stop: () => fail('the phone was closed'),
      });
    });
  }

  /** Sends a message once. */
  send(message: SipMessage): void {
    this.events.onMessage?.(message, true);
    this.write(serialize(message));
  }

  /** Answers a request; the answer is repeated when the request comes again. */
  respond(request: SipRequest, response: SipResponse): void {
    const bytes = serialize(response);
    if (response.statusCode >= 200 || request.method === 'INVITE') this.remember(answerKey(request), bytes);
    this.events.onMessage?.(response, true);
    this.write(bytes);
  }

  /** Sends a 2xx to an INVITE until the returned function is called (RFC 3261 §13.3.1.4). */
  respondUntilAcked(request: SipRequest, response: SipResponse): () => void {
    this.remember(answerKey(request), serialize(response));
    return this.repeat(response, () => undefined);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const { stop } of [...this.pending.values()]) stop();
    this.socket.close();
    await once(this.socket, 'close');
  }

  /** Sends at T1, 2*T1… capped at T2 until stopped, 64*T1 in all (RFC 3261 §17.1.2.2); then `onTimeout`. */
  private repeat(message: SipMessage, onTimeout: () => void): () => void {
    const bytes = serialize(message);
    this.events.onMessage?.(message, true);
    this.write(bytes);
    let timer: NodeJS.Timeout | undefined;
    let waited = 0;
    const next = (delayMs: number): void => {
      timer = setTimeout(() => {
        waited += delayMs;
        if (waited >= 64 * T1_MS) return onTimeout();
        this.write(bytes);
        next(Math.min(delayMs * 2, T2_MS));
      }, delayMs);
    };
    next(T1_MS);
    return () => clearTimeout(timer);
  }

  private write(bytes: Buffer): void {
    if (!this.closed) this.socket.send(bytes, this.server.port, this.server.address);
  }

  private receive(bytes: Buffer): void {
    let message: SipMessage;
    try {
      message = parseMessage(bytes);
    } catch {
      return;
    }
    if (message.type === 'request') this.receiveRequest(message);
    else this.receiveResponse(message);
  }

  private receiveRequest(request: SipRequest): void {
    const key = answerKey(request);
    if (request.method !== 'ACK' && this.answers.has(key)) {
      const answer = this.answers.get(key);
      if (answer) this.write(answer);
      return;
    }
    if (request.method !== 'ACK') this.remember(key, undefined);
    this.events.onMessage?.(request, false);
    this.events.onRequest(request);
  }

  private receiveResponse(response: SipResponse): void {
    const waiting = this.pending.get(`${response.topVia?.params.get('branch')} ${response.cseq?.method}`);
    if (!waiting) return;
    this.events.onMessage?.(response, false);
    waiting.onResponse(response);
  }

  private remember(key: string, bytes: Buffer | undefined): void {
    this.answers.set(key, bytes);
    if (this.answers.size > ANSWERS_KEPT) this.answers.delete(this.answers.keys().next().value as string);
  }
}

function answerKey(request: SipRequest): string {
  return `${request.topVia?.params.get('branch')} ${request.method}`;
}
