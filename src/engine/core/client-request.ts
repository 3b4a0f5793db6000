import type { SipRequest, SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import { serializeText } from '../../sip/serialize.js';
import type { ClientTransaction, ClientTransactionUser, FailureReason, Source } from '../types.js';
import { type Application, INTERNAL_FACTS, type MessageFacts, networkFacts } from './application.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import { newTag } from './request-builder.js';

/** What a client request does to the dialogs and tables around it; the client core. */
export interface ClientRequestOwner {
  readonly ctx: CoreContext;
  /** Before a response is delivered. `source` is undefined for one the engine made. */
  onDialogResponse(request: ClientRequest, response: SipResponse, source: Source | undefined): void;
  /** A 2xx of another fork than the one that won (RFC 3261 §13.2.2.4). */
  onExtraFork(request: ClientRequest, response: SipResponse, source: Source): void;
  /** A 2xx to an INVITE that was given up already: acknowledged, or the peer would go on repeating it. */
  onLate2xx(request: ClientRequest): void;
  onOver(request: ClientRequest): void;
}

/** A request of an application on its way: its responses go to the application, never before the request's echo. */
export class ClientRequest implements ClientTransactionUser {
  tx: ClientTransaction | undefined;
  /** Status of the final response delivered. */
  finalStatus: number | undefined;
  /** To tag of the 2xx delivered. */
  private winnerTag: string | undefined;
  cancelled = false;
  /** The ACK for our 2xx, sent again whenever the 2xx is. */
  ack: { resend(): void } | undefined;
  isOver = false;
  /** Events that came before the echo. */
  private held: (() => void)[] | undefined = [];

  readonly method: string;
  readonly seq: number;
  private fullRequest: SipRequest | undefined;

  constructor(
    private readonly owner: ClientRequestOwner,
    readonly app: Application,
    request: SipRequest,
    /** Undefined outside a dialog, and once it has nothing more to do with it. */
    public dialog: CoreDialog | undefined,
    /** It founds the dialog, rather than being sent in it. */
    readonly isInitial: boolean,
  ) {
    this.fullRequest = request;
    this.method = request.method;
    this.seq = request.cseq?.seq ?? 0;
  }

  /** Name of the transaction for applications. */
  txnId = '';

  /** After `shrink` what its transaction has kept of it. */
  get request(): SipRequest {
    return this.fullRequest ?? this.tx!.request;
  }

  /** The echo has been sent: what came meanwhile follows it. */
  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const event of held) event();
  }

  /** The request is done with but for its transaction, which has let go of most of it (see ClientTransaction). */
  shrink(): void {
    if (this.tx) this.fullRequest = undefined;
    if (this.method !== 'INVITE') this.dialog = undefined;
  }

  onResponse(_tx: ClientTransaction, response: SipResponse, source: Source): void {
    if (this.held) this.held.push(() => this.take(response, source));
    else this.take(response, source);
  }

  onFailure(_tx: ClientTransaction, reason: FailureReason): void {
    // RFC 3261 §8.1.3.1
    if (reason === 'timeout') this.fail(408, 'Request Timeout');
    // RFC 5626 §5.3.1
    else if (reason === 'flow') this.fail(430, 'Flow Failed');
    else this.fail(503, 'Service Unavailable');
  }

  /** RFC 3263 §4.3: dialogs go on with what the target that answers was sent. */
  onRetarget(tx: ClientTransaction): void {
    this.fullRequest = tx.request;
    const contact = tx.request.get('contact');
    if (!this.dialog || !this.isInitial) return;
    this.dialog.contact = contact ?? this.dialog.contact;
    if (this.dialog.override) this.dialog.override = tx.hop;
  }

  onTerminated(): void {
    this.isOver = true;
    if (this.held) this.held.push(() => this.owner.onOver(this));
    else this.owner.onOver(this);
  }

  /** Ends the request for its application with a response no peer sent; nothing when it has its final one. */
  fail(statusCode: number, reason: string): void {
    if (this.held) this.held.push(() => this.fail(statusCode, reason));
    else if (this.finalStatus === undefined) {
      const response = createResponse(this.request, statusCode, reason, newTag());
      response.wireText = serializeText(response);
      this.deliver(response, undefined, INTERNAL_FACTS);
    }
  }

  private take(response: SipResponse, source: Source): void {
    const is2xx = response.statusCode >= 200 && response.statusCode < 300;
    if (this.finalStatus === undefined) this.deliver(response, source, networkFacts(response, source));
    else if (this.method !== 'INVITE' || !is2xx) return;
    else if (this.finalStatus < 300) this.takeRepeated2xx(response, source);
    else this.owner.onLate2xx(this);
  }

  private takeRepeated2xx(response: SipResponse, source: Source): void {
    if (response.toTag !== this.winnerTag) this.owner.onExtraFork(this, response, source);
    else this.ack?.resend();
  }

  private deliver(response: SipResponse, source: Source | undefined, facts: MessageFacts): void {
    if (response.statusCode >= 200) {
      this.finalStatus = response.statusCode;
      this.winnerTag = response.toTag;
    }
    this.owner.onDialogResponse(this, response, source);
    this.owner.ctx.counters.responsesDelivered++;
    this.app.deliverResponse(response, facts, this.txnId, this.dialog?.wireId ?? '');
    if (response.statusCode >= 200 && this.method === 'INVITE' && this.isInitial)
      this.owner.ctx.callEvents.final('network', 'uac', response);
    if (response.statusCode >= 300 || (response.statusCode >= 200 && this.method !== 'INVITE')) this.shrink();
  }
}
