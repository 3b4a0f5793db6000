import type { TimerHandle } from '../../platform/clock.js';
import { randomToken } from '../../platform/ids.js';
import type { SipMessage, SipRequest, SipResponse } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import type { TransportError } from '../transport/errors.js';
import type { Outlet, SendFailureListener } from '../transport/types.js';
import type { ClientTransaction, ClientTransactionUser, FailureReason, Hop, Source } from '../types.js';
import { LeanRequest } from './lean-request.js';
import {
  type ClientTransactionOwner,
  reportFault,
  type TransactionContext,
  tell,
} from './transaction-context.js';

/** Random characters of an id: 80 bits. */
const ID_LENGTH = 16;

export interface ClientTransactionOptions {
  readonly context: TransactionContext;
  /** Complete: Via included. */
  readonly request: SipRequest;
  readonly outlet: Outlet;
  readonly user: ClientTransactionUser;
  /** What the layer knows it by; handed back to `owner`. */
  readonly key: string;
  readonly owner: ClientTransactionOwner;
}

/** What both client transactions have in common (RFC 3261 §17.1): one timer at a time, one end. */
export abstract class ClientTransactionBase<State extends string>
  implements ClientTransaction, SendFailureListener
{
  readonly id = randomToken(ID_LENGTH);
  readonly hop: Hop;
  readonly sizeBytes: number;
  state: State | 'terminated';
  protected readonly context: TransactionContext;
  protected readonly outlet: Outlet;
  /** Gone once the final response is there. */
  private text: string | undefined;
  private currentRequest: SipRequest | LeanRequest;
  private readonly user: ClientTransactionUser;
  protected readonly key: string;
  protected readonly owner: ClientTransactionOwner;
  private wasResent = false;
  /** The request is a peer's that a proxy sends on: its responses hold the Via of others below ours. */
  private readonly isForwarded: boolean;
  private wasHeard = false;
  private timer: TimerHandle | undefined;

  constructor(options: ClientTransactionOptions, firstState: State) {
    this.context = options.context;
    this.user = options.user;
    this.key = options.key;
    this.owner = options.owner;
    this.currentRequest = options.request;
    this.outlet = options.outlet;
    this.hop = options.outlet.hop;
    this.isForwarded = countVias(options.request) > 1;
    this.text = serializeText(options.request);
    options.request.wireText = this.text;
    this.sizeBytes = this.text.length;
    this.state = firstState;
  }

  get request(): SipRequest {
    const request = this.currentRequest;
    return request instanceof LeanRequest ? request.restore() : request;
  }

  get localAddress(): string {
    return this.outlet.listener.address;
  }

  get localPort(): number {
    return this.outlet.listener.port;
  }

  get hasResponse(): boolean {
    return this.wasHeard || (this.state !== 'terminated' && !this.isUnanswered);
  }

  /** Sends the request for the first time and starts the timers. */
  abstract start(): void;
  /** Whether a response has as many Via as answers to this request have (RFC 3261 §8.1.3.3). */
  accepts(response: SipResponse): boolean {
    return countVias(response) > 1 === this.isForwarded;
  }

  /** Takes a response that matched (RFC 3261 §17.1.3). */
  abstract receive(response: SipResponse, source: Source): void;
  abstract cancel(extraHeaders: readonly { name: string; value: string }[]): SipRequest | undefined;
  /** Whether the request may still be undelivered for all we know. */
  protected abstract get isUnanswered(): boolean;
  protected abstract onTimer(): void;

  /** RFC 3261 §17.1.4. */
  onSendFailure(error: TransportError): void {
    if (!this.isUnanswered) return;
    // The peer had closed a connection that we reused; a new one is worth one try, and the branch makes it harmless.
    if (error.code === 'CONNECTION_CLOSED' && !this.wasResent) {
      this.wasResent = true;
      this.transmit();
      return;
    }
    this.context.log.debug({ err: error, method: this.request.method }, 'request could not be sent');
    this.fail(error.code === 'FLOW_FAILED' ? 'flow' : 'transport');
  }

  /** Ends it without a word to its user; for the end of the layer. */
  abandon(): void {
    this.state = 'terminated';
    this.clearTimer();
  }

  protected transmit(): void {
    if (this.text !== undefined) this.outlet.send(Buffer.from(this.text, 'latin1'), this);
  }

  /** Lets go of what is of no use once the final response is there. */
  protected shrink(): void {
    if (!(this.currentRequest instanceof LeanRequest))
      this.currentRequest = new LeanRequest(this.currentRequest, true);
    this.text = undefined;
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

  protected get wantsRepetitions(): boolean {
    return this.user.wantsRepetitions === true;
  }

  /** INVITE only: the first provisional is there. */
  protected tellProceeding(): void {
    tell(this.context, 'onProceeding', () => this.user.onProceeding?.(this));
  }

  protected tellResponse(response: SipResponse, source: Source): void {
    // As `tell` does, but for the closure: this is the way of every response.
    try {
      this.user.onResponse(this, response, source);
    } catch (error) {
      reportFault(this.context, 'onResponse', error);
    }
  }

  protected fail(reason: FailureReason): void {
    if (this.state === 'terminated') return;
    this.end();
    tell(this.context, 'onFailure', () => this.user.onFailure(this, reason));
    tell(this.context, 'onTerminated', () => this.user.onTerminated(this));
  }

  protected terminate(): void {
    if (this.state === 'terminated') return;
    this.end();
    tell(this.context, 'onTerminated', () => this.user.onTerminated(this));
  }

  private end(): void {
    this.wasHeard = this.hasResponse;
    this.state = 'terminated';
    this.clearTimer();
    this.owner.forget(this.key);
  }
}

/** Values of Via, but no more than two are told apart. */
function countVias(message: SipMessage): number {
  let count = 0;
  for (const field of message.headers)
    if (field.key === 'via') count += count > 0 || field.value.includes(',') ? 2 : 1;
  return count;
}
