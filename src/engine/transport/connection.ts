import type { TimerHandle } from '../../platform/clock.js';
import type { SipParseError } from '../../sip/errors.js';
import type { SipMessage } from '../../sip/message.js';
import type { FlowId, Source } from '../types.js';
import { peerKey } from './connection-table.js';
import { TransportError } from './errors.js';
import type { Link, MessageReader } from './link.js';
import { RecentSenders } from './recent-senders.js';
import type { ListenerContext, SendFailureListener } from './types.js';

const PONG = Buffer.from('\r\n');
/** For the last response to leave before a connection that spoke rubbish is cut. Milliseconds. */
const LINGER_MS = 1_000;
/** Malformed messages with intact framing that a connection survives. */
const MAX_PARSE_ERRORS = 16;

export type ConnectionState = 'connecting' | 'open' | 'closing' | 'closed';

export interface ConnectionOptions {
  readonly flow: FlowId;
  readonly link: Link;
  /** Its `flow` is this connection's. */
  readonly source: Source;
  readonly outbound: boolean;
  /** For one that we open. */
  readonly connectTimeoutMs: number;
  readonly context: ListenerContext;
  /** Called once, when the socket is gone. */
  onClose(connection: Connection): void;
}

/** One connection that carries SIP both ways, whoever opened it (RFC 3261 §18, RFC 5923, RFC 5626 §3.5.1). */
export class Connection {
  readonly flow: FlowId;
  readonly source: Source;
  /** What the table finds it under besides its flow. */
  readonly peerKeys: string[];
  state: ConnectionState;
  private readonly link: Link;
  private readonly context: ListenerContext;
  private readonly reader: MessageReader;
  private readonly senders = new RecentSenders();
  private readonly startedMs: number;
  private activeMs: number;
  /** When the peer last showed that it is there; what it was asked by a ping counts as well. */
  private heardMs: number;
  private pingedMs: number | undefined;
  private partialSinceMs: number | undefined;
  private hasMessage: boolean;
  private parseErrors = 0;
  private isPinged = false;
  private isTooFull = false;
  private lingerTimer: TimerHandle | undefined;
  /** Set while the peer is left unread because it sent too much. */
  private resumeTimer: TimerHandle | undefined;
  private messagesInChunk = 0;

  constructor(private readonly options: ConnectionOptions) {
    this.flow = options.flow;
    this.source = options.source;
    this.peerKeys = [peerKey(this.source.address, this.source.port, options.link.provenName)];
    this.link = options.link;
    this.context = options.context;
    this.state = options.outbound ? 'connecting' : 'open';
    this.hasMessage = options.outbound;
    this.startedMs = this.context.clock.monotonic();
    this.activeMs = this.startedMs;
    this.heardMs = this.startedMs;
    this.reader = this.link.createReader({
      onMessage: (message) => this.onMessage(message),
      onPing: () => this.onPing(),
      onError: (error, isFatal) => this.onParseError(error, isFatal),
    });
    this.listen();
  }

  /** Whether it can take a request: connecting counts, since bytes wait for the connection. */
  get isUsable(): boolean {
    return this.state === 'connecting' || this.state === 'open';
  }

  /** Whether we opened it. */
  get isOutbound(): boolean {
    return this.options.outbound;
  }

  /** Whether the peer's certificate stands for that host. */
  proves(host: string): boolean {
    return this.link.proves?.(host) ?? false;
  }

  /** Sends bytes; a peer that does not take what is sent to it loses the connection. */
  send(bytes: Buffer, failure?: SendFailureListener): void {
    this.activeMs = this.context.clock.monotonic();
    this.context.counters.messagesSent++;
    if (failure) this.senders.add(failure, this.activeMs);
    this.write(bytes);
  }

  /** Looks at the times that bound a connection's life. */
  checkTimes(nowMs: number): void {
    const { limits, counters } = this.context;
    if (this.state === 'connecting') {
      if (nowMs - this.startedMs >= this.options.connectTimeoutMs)
        this.fail(new TransportError('CONNECT_TIMEOUT', `no connection to ${this.peerName()}`));
    } else if (this.isTooSlow(nowMs)) {
      counters.slowSendersClosed++;
      this.fail(new TransportError('PEER_TOO_SLOW', `no whole message from ${this.peerName()}`));
    } else if (nowMs - this.activeMs >= limits.idleTimeoutMs) {
      counters.idleClosed++;
      this.fail(new TransportError('CONNECTION_CLOSED', `${this.peerName()} was idle`));
    } else if (this.link.ping && this.resumeTimer === undefined) this.checkPeer(nowMs);
  }

  /** RFC 7118 §6: a ping now and then; a peer that is silent until the next one is due is gone. */
  private checkPeer(nowMs: number): void {
    const { limits, counters } = this.context;
    if (nowMs - Math.max(this.heardMs, this.pingedMs ?? 0) < limits.pingIntervalMs) return;
    if (this.pingedMs !== undefined && this.heardMs < this.pingedMs) {
      counters.idleClosed++;
      this.fail(new TransportError('CONNECTION_CLOSED', `${this.peerName()} does not answer pings`));
      return;
    }
    this.pingedMs = nowMs;
    this.link.ping?.();
  }

  /** Cuts the connection and tells whoever sent on it lately. */
  fail(error: TransportError): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.context.clock.clearTimeout(this.lingerTimer);
    this.context.clock.clearTimeout(this.resumeTimer);
    this.reader.close();
    this.link.destroy();
    this.context.log.debug({ err: error, flow: this.flow }, 'connection failed');
    this.options.onClose(this);
    this.senders.fail(error);
  }

  private listen(): void {
    this.link.listen({
      onOpen: () => {
        this.activeMs = this.context.clock.monotonic();
        if (this.state === 'connecting') this.state = 'open';
      },
      onData: (chunk) => this.receive(chunk),
      onPart: () => {
        this.partialSinceMs ??= this.context.clock.monotonic();
      },
      onAlive: () => {
        this.heardMs = this.context.clock.monotonic();
        this.partialSinceMs = undefined;
      },
      onClose: (cause) => this.fail(this.closeReason(cause)),
    });
  }

  private closeReason(cause?: Error): TransportError {
    if (this.state === 'connecting') {
      this.context.counters.connectFailures++;
      const why = cause ? `: ${cause.message}` : '';
      return new TransportError('CONNECT_FAILED', `no connection to ${this.peerName()}${why}`, cause);
    }
    return new TransportError('CONNECTION_CLOSED', `connection with ${this.peerName()} ended`, cause);
  }

  private write(bytes: Buffer): void {
    this.link.write(bytes);
    if (this.isTooFull || this.link.pendingBytes <= this.context.limits.maxPendingBytes) return;
    this.isTooFull = true;
    this.context.counters.slowReadersClosed++;
    // Never inside send: the sender is not ready to hear of it.
    process.nextTick(() =>
      this.fail(new TransportError('PEER_TOO_SLOW', `${this.peerName()} does not read what it is sent`)),
    );
  }

  private receive(chunk: Buffer): void {
    if (this.state !== 'open') return;
    this.activeMs = this.context.clock.monotonic();
    this.heardMs = this.activeMs;
    this.messagesInChunk = 0;
    this.reader.push(chunk);
    this.answerPing();
    // Bytes that are no whole message cost one too.
    const pauseMs = this.context.admission?.charge(this.source.address, this.messagesInChunk || 1) ?? 0;
    if (pauseMs > 0) this.pause(pauseMs);
    if (this.reader.pendingBytes === 0) this.partialSinceMs = undefined;
    else this.partialSinceMs ??= this.activeMs;
  }

  /** Leaves what the peer sends in the kernel, which makes the peer wait: nothing is lost. */
  private pause(pauseMs: number): void {
    const { clock } = this.context;
    this.link.pause();
    clock.clearTimeout(this.resumeTimer);
    this.resumeTimer = clock.setTimeout(() => {
      this.resumeTimer = undefined;
      // The wait was ours: the rest of a message has its whole time.
      if (this.partialSinceMs !== undefined) this.partialSinceMs = clock.monotonic();
      this.link.resume();
    }, pauseMs);
  }

  private onMessage(message: SipMessage): void {
    this.messagesInChunk++;
    this.hasMessage = true;
    this.partialSinceMs = undefined;
    this.context.accept(message, this.source);
  }

  /** RFC 5626 §3.5.1 */
  private onPing(): void {
    this.context.counters.keepAlives++;
    this.isPinged = true;
  }

  /** One answer for all pings that came at once: a peer that wants more than that wants no answer. */
  private answerPing(): void {
    if (this.isPinged && this.isUsable) this.write(PONG);
    this.isPinged = false;
  }

  private onParseError(error: SipParseError, isFatal: boolean): void {
    this.partialSinceMs = undefined;
    const response = this.context.reject(error, this.source);
    if (isFatal || ++this.parseErrors >= MAX_PARSE_ERRORS) this.endWith(response);
    else if (response) this.write(response);
  }

  /** Says one last thing and closes. */
  private endWith(response: Buffer | undefined): void {
    this.state = 'closing';
    this.reader.close();
    this.link.end(response);
    this.lingerTimer = this.context.clock.setTimeout(() => this.link.destroy(), LINGER_MS);
  }

  private isTooSlow(nowMs: number): boolean {
    const { limits } = this.context;
    if (this.resumeTimer !== undefined) return false;
    if (this.partialSinceMs !== undefined && nowMs - this.partialSinceMs >= limits.partialMessageTimeoutMs)
      return true;
    return !this.hasMessage && nowMs - this.startedMs >= limits.firstMessageTimeoutMs;
  }

  private peerName(): string {
    return `${this.source.protocol}:${this.source.address}:${this.source.port}`;
  }
}
