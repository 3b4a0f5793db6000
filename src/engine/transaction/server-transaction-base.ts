import type { TimerHandle } from '../../platform/clock.js';
import { randomToken } from '../../platform/ids.js';
import type { SipRequest, SipResponse } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import type { Via } from '../../sip/via.js';
import type { TransportError } from '../transport/errors.js';
import type { SendFailureListener } from '../transport/types.js';
import { markSource } from '../transport/via-source.js';
import type { ServerTransaction, ServerTransactionUser, Source } from '../types.js';
import { LeanRequest } from './lean-request.js';
import { type TransactionContext, type TransactionOwner, tell } from './transaction-context.js';

/** Random characters of an id: 80 bits. */
const ID_LENGTH = 16;

export interface ServerTransactionOptions {
  readonly context: TransactionContext;
  readonly request: SipRequest;
  readonly topVia: Via;
  readonly source: Source;
  readonly cancels: ServerTransaction | undefined;
  /** What the layer knows it by; handed back to `owner`. */
  readonly key: string;
  readonly owner: TransactionOwner;
}

type UserEvent = (user: ServerTransactionUser) => void;

/** What both server transactions have in common (RFC 3261 §17.2): one timer at a time, one final response, one end. */
export abstract class ServerTransactionBase<State extends string>
  implements ServerTransaction, SendFailureListener
{
  readonly id = randomToken(ID_LENGTH);
  readonly source: Source;
  readonly cancels: ServerTransaction | undefined;
  answered = false;
  userKey: string | undefined;
  state: State | 'terminated';
  protected readonly context: TransactionContext;
  /** Over a reliable transport (RFC 3261 §17.2). */
  protected readonly reliable: boolean;
  /** What a repeated request is answered with. */
  private lastResponse: string | undefined;
  private currentRequest: SipRequest | LeanRequest;
  private readonly topVia: Via | undefined;
  private readonly key: string;
  private readonly owner: TransactionOwner;
  private timer: TimerHandle | undefined;
  private currentUser: ServerTransactionUser | undefined;
  private keptEvents: UserEvent[] | undefined;

  constructor(options: ServerTransactionOptions, firstState: State) {
    this.context = options.context;
    this.key = options.key;
    this.owner = options.owner;
    this.currentRequest = options.request;
    this.source = options.source;
    this.cancels = options.cancels;
    this.reliable = options.source.protocol !== 'udp';
    this.topVia = this.reliable ? options.topVia : undefined;
    this.state = firstState;
  }

  get request(): SipRequest {
    const request = this.currentRequest;
    if (!(request instanceof LeanRequest)) return request;
    const restored = request.restore();
    // As the transport layer did when it came (RFC 3261 §18.2.1).
    if (restored.topVia) markSource(restored, restored.topVia, this.source);
    return restored;
  }

  get user(): ServerTransactionUser | undefined {
    return this.currentUser;
  }

  set user(user: ServerTransactionUser | undefined) {
    this.currentUser = user;
    const events = this.keptEvents;
    if (!user || !events) return;
    this.keptEvents = undefined;
    // Never inside the assignment: the user may not be ready.
    process.nextTick(() => {
      for (const event of events) tell(this.context, 'kept event', () => event(user));
    });
  }

  abstract respond(response: SipResponse): boolean;
  passOn(response: SipResponse): void {
    if (this.state !== 'terminated') this.send(serializeText(response));
  }

  /** Takes the request again. */
  abstract receiveRetransmission(): void;
  protected abstract onTimer(): void;
  /** The transaction is over, but for its user. */
  protected abstract onEnd(): void;

  /** RFC 6026 §8.8, RFC 3261 §17.2.4: the user is told, the state stays. */
  onSendFailure(error: TransportError): void {
    if (this.state === 'terminated') return;
    this.context.log.debug({ err: error, method: this.request.method }, 'response could not be sent');
    this.tellUser((user) => user.onFailure(this, 'transport'));
  }

  /** Ends it without a word to its user; for the end of the layer. */
  abandon(): void {
    this.state = 'terminated';
    this.clearTimer();
  }

  protected transmit(response: SipResponse): void {
    const text = serializeText(response);
    response.wireText = text;
    this.lastResponse = text;
    this.send(text);
  }

  protected retransmit(): void {
    if (this.lastResponse !== undefined) this.send(this.lastResponse);
  }

  /** Lets go of what is of no use once the final response is sent. */
  protected shrink(keepsResponse: boolean): void {
    if (!(this.currentRequest instanceof LeanRequest))
      this.currentRequest = new LeanRequest(this.currentRequest, !this.reliable);
    if (!keepsResponse) this.lastResponse = undefined;
  }

  /** The timer has run out. */
  wake(): void {
    this.onTimer();
  }

  /** One timer at a time: setting it replaces the one before. */
  protected setTimer(delayMs: number): void {
    this.context.clock.clearTimeout(this.timer);
    this.timer = this.context.clock.setTimeout(this, delayMs);
  }

  protected clearTimer(): void {
    this.context.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  protected fail(reason: 'timeout'): void {
    if (this.state === 'terminated') return;
    this.end();
    this.tellUser((user) => user.onFailure(this, reason));
    this.tellUser((user) => user.onTerminated(this));
  }

  /** Ends it early; a flood of refused requests made it one too many. */
  forget(): void {
    this.terminate();
  }

  protected terminate(): void {
    if (this.state === 'terminated') return;
    this.end();
    this.tellUser((user) => user.onTerminated(this));
  }

  private send(text: string): void {
    this.context.transport.respond(Buffer.from(text, 'latin1'), this.source, this.topVia, this);
  }

  private end(): void {
    this.state = 'terminated';
    this.clearTimer();
    this.onEnd();
    this.owner.forget(this.key);
  }

  private tellUser(event: UserEvent): void {
    const user = this.currentUser;
    if (user) tell(this.context, 'server transaction event', () => event(user));
    else this.keptEvents = [...(this.keptEvents ?? []), event].slice(-MAX_KEPT_EVENTS);
  }
}

/** Events kept for a user who is still to come; it needs only the last. */
const MAX_KEPT_EVENTS = 4;
