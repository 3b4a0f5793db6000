import type { SipRequest } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import type { ServerTransaction, ServerTransactionUser, Source } from '../types.js';
import { type Application, networkFacts } from './application.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import type { DialogCloser } from './dialog-closer.js';
import { cancelFor, isLastNotify, reply, replyLater, replyRinging, replyWith } from './own-replies.js';
import type { PendingRequest } from './pending-request.js';
import type { PendingRequests } from './pending-requests.js';
import { newTag } from './request-builder.js';
import type { SessionKeeper } from './session-keeper.js';
import type { Way } from './way.js';
import { WayFinder } from './way-finder.js';

/** Requests that make no sense outside a dialog (RFC 3261 §15.1.2, RFC 3311 §5.2, RFC 3262 §3). */
const ONLY_IN_DIALOG = new Set(['BYE', 'UPDATE', 'PRACK']);
const KNOWN_METHODS = new Set('INVITE REGISTER MESSAGE OPTIONS INFO NOTIFY SUBSCRIBE PUBLISH'.split(' '));
const ALLOW =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, INFO, SUBSCRIBE, NOTIFY, PUBLISH, UPDATE, PRACK, REFER';

/** Requests of peers: which get to an application, and which the engine answers itself. */
export class ServerCore implements ServerTransactionUser {
  /** Requests without To tag whose transactions are still there, to tell merged ones (RFC 3261 §8.2.2.2). */
  private readonly initialRequests = new Map<string, ServerTransaction>();
  private readonly ways: WayFinder;

  constructor(
    private readonly ctx: CoreContext,
    private readonly pending: PendingRequests,
    private readonly closer: DialogCloser,
    private readonly sessions: SessionKeeper,
  ) {
    this.ways = new WayFinder(ctx);
    pending.onUnanswered = (request) => this.onUnanswered(request);
  }

  onRequest(tx: ServerTransaction): void {
    const { request } = tx;
    const { method, toTag } = request;
    tx.user = this;
    const dialog =
      toTag === undefined ? undefined : this.ctx.dialogs.match(request.callId ?? '', toTag, request.fromTag);
    if (method === 'CANCEL') this.onCancel(tx);
    else if (dialog) this.onDialogRequest(tx, dialog);
    else if (ONLY_IN_DIALOG.has(method) || (method === 'INVITE' && toTag !== undefined))
      this.rejectOutside(tx);
    else if (toTag === undefined && this.isMerged(tx)) reply(tx, 482);
    else this.onNewRequest(tx);
  }

  /** Neither end of a response's way changes what the core does: an INVITE's dialog lives by ACK and BYE. */
  onFailure(): void {}

  onTerminated(tx: ServerTransaction): void {
    this.forget(tx);
    this.pending.onTerminated(tx);
  }

  /** Another takes the request over: the same request by another way is not a merged one from now on. */
  forget(tx: ServerTransaction): void {
    const key = tx.userKey;
    if (key !== undefined && this.initialRequests.get(key) === tx) this.initialRequests.delete(key);
    this.ways.forget(tx);
  }

  /** An ACK for a 2xx of ours: ends its repetition and goes to the application, once. */
  onAck(ack: SipRequest, source: Source): void {
    const dialog = this.ctx.dialogs.match(ack.callId ?? '', ack.toTag ?? '', ack.fromTag);
    const answered = dialog?.answered;
    if (!dialog || !answered || answered.seq !== ack.cseq?.seq) return;
    answered.stop();
    dialog.answered = undefined;
    const isFirst = answered.tx.id === dialog.initialTxnId;
    this.deliver(dialog.app, ack, source, isFirst ? answered.tx.id : newTag(), dialog.wireId);
  }

  /** The peer has given up an INVITE: 487 to it (RFC 3261 §9.2), and the application hears of a CANCEL. */
  cancelInvite(pending: PendingRequest, cancel: SipRequest, source = pending.tx.source): void {
    const { tx, app, dialog } = pending;
    this.pending.finish(pending);
    if (pending.isInitial) this.ctx.callEvents.stop('network', 'call-canceled', tx.request);
    reply(tx, 487, pending.localTag);
    const isKnown = dialog && (pending.hasProvisional || !pending.isInitial);
    if (dialog && pending.isInitial) this.closer.close(dialog);
    this.deliver(app, cancel, source, tx.id, isKnown ? dialog.wireId : '');
  }

  /** RFC 3262 §3: no PRACK came. The caller hears 503, the application that the caller is gone. */
  onPrackTimeout(pending: PendingRequest): void {
    const { tx } = pending;
    tx.respond(createResponse(tx.request, 503, 'Reliable Response Time-Out', pending.localTag));
    this.cancelInvite(pending, cancelFor(tx.request));
  }

  close(): void {
    this.initialRequests.clear();
    this.ways.close();
  }

  private onNewRequest(tx: ServerTransaction): void {
    const { request } = tx;
    const verdict = this.ctx.screen.judge(request);
    if (verdict !== undefined) {
      this.ctx.counters.screened++;
      reply(tx, verdict);
      return;
    }
    if (request.toTag === undefined) {
      tx.userKey = mergeKey(request);
      this.initialRequests.set(tx.userKey, tx);
    }
    const localTag = newTag();
    // RFC 3261 §8.2.6.1: before the application has said a word.
    if (request.method === 'INVITE') reply(tx, 100);
    if (request.method === 'INVITE' && this.ctx.alwaysSend180) replyRinging(this.ctx, tx, localTag);
    if (this.pending.isFull) this.refuseForWantOfApplication(tx, localTag);
    else this.ways.find(tx, localTag, (way) => this.follow(tx, localTag, way));
  }

  private follow(tx: ServerTransaction, localTag: string, way: Way): void {
    if (way.kind === 'application') this.giveTo(way.app, tx, localTag);
    else if (way.kind === 'nobody') this.refuseForWantOfApplication(tx, localTag);
    else if (way.kind === 'answer') this.answerFor(tx, way, localTag);
    else if (!this.ctx.proxy(tx, way.order))
      this.answerFor(tx, { kind: 'answer', statusCode: 500 }, localTag);
  }

  /** A router refused or redirected the request. */
  private answerFor(tx: ServerTransaction, way: Extract<Way, { kind: 'answer' }>, localTag: string): void {
    const isCall = isNewCall(tx.request);
    if (isCall) this.ctx.callEvents.attempt('network', tx.request);
    const response = replyWith(tx, way, localTag);
    if (isCall) this.ctx.callEvents.final('application', 'uas', response);
  }

  private giveTo(app: Application, tx: ServerTransaction, localTag: string): void {
    const { request } = tx;
    const { id } = this.pending.add(tx, app, localTag).tx;
    const { localAddress: address, localPort: port } = tx.source;
    this.ctx.counters.requestsDelivered++;
    app.deliverRequest(request, networkFacts(request, tx.source), id, '', { address, port });
    if (isNewCall(request)) this.ctx.callEvents.attempt('network', request);
  }

  private refuseForWantOfApplication(tx: ServerTransaction, localTag: string): void {
    this.ctx.counters.withoutApplication++;
    if (isNewCall(tx.request)) this.ctx.callEvents.attempt('network', tx.request);
    if (KNOWN_METHODS.has(tx.request.method)) this.replyFinally(tx, 503, localTag);
    // RFC 3261 §8.2.1
    else tx.respond(createResponse(tx.request, 405, undefined, localTag).append('Allow', ALLOW));
  }

  private rejectOutside(tx: ServerTransaction): void {
    this.ctx.counters.outsideDialog++;
    reply(tx, 481);
  }

  private onDialogRequest(tx: ServerTransaction, dialog: CoreDialog): void {
    const { request } = tx;
    const { method } = request;
    const { localTag } = dialog.dialog;
    if (method === 'INVITE') reply(tx, 100);
    // RFC 3261 §12.2.2
    if (!dialog.dialog.acceptRemoteSeq(request.cseq?.seq ?? 0)) reply(tx, 500, localTag);
    // RFC 3261 §14.2, RFC 3311 §5.2: one at a time.
    else if (isSecond(method, dialog)) replyLater(tx, localTag);
    // RFC 3261 §14.2, RFC 3311 §5.2: an application answers for its own re-INVITE, not for the engine's.
    else if (dialog.ownRefresh && isOffering(request)) reply(tx, 491, localTag);
    else if (!dialog.app.connected) {
      this.rejectOutside(tx);
      if (method === 'BYE') this.onOrphanBye(tx, dialog);
    } else if (method === 'BYE') this.onBye(tx, dialog);
    else if (method === 'PRACK') this.onPrack(tx, dialog);
    else if (this.sessions.acceptsRefresh(tx, dialog)) this.deliverInDialog(tx, dialog);
  }

  private deliverInDialog(tx: ServerTransaction, dialog: CoreDialog): void {
    const { request } = tx;
    const { method } = request;
    // RFC 3261 §12.2.2, RFC 3311 §5.2, RFC 6665 §4.4.1
    if (method === 'INVITE' || method === 'UPDATE' || method === 'SUBSCRIBE') {
      dialog.dialog.refreshTarget(request);
      if (dialog.override) dialog.followRequest(request, tx.source, this.ctx.detectNat);
    }
    if (method === 'UPDATE' && dialog.dialog.state === 'early') {
      this.pending.addEarlyUpdate(tx, dialog);
      this.deliver(dialog.app, request, tx.source, dialog.initialTxnId, dialog.wireId);
      return;
    }
    const pending = this.pending.add(tx, dialog.app, dialog.dialog.localTag, dialog);
    if (method === 'INVITE') dialog.peerInvite = pending;
    if (method === 'UPDATE') dialog.peerUpdate = pending;
    this.deliver(dialog.app, request, tx.source, tx.id, dialog.wireId);
    if (isLastNotify(request)) this.closer.close(dialog);
  }

  private onOrphanBye(tx: ServerTransaction, dialog: CoreDialog): void {
    this.closer.close(dialog);
    if (dialog.usage === 'invite') this.ctx.callEvents.stop('network', 'normal-release', tx.request);
  }

  private onBye(tx: ServerTransaction, dialog: CoreDialog): void {
    const invite = dialog.peerInvite;
    if (dialog.dialog.role === 'uas' && dialog.dialog.state === 'early' && invite) {
      // RFC 3261 §15.1.2: a BYE in an early dialog ends the INVITE; drachtio-srf knows that as a CANCEL.
      reply(tx, 200, dialog.dialog.localTag);
      this.cancelInvite(invite, cancelFor(invite.tx.request), tx.source);
      return;
    }
    this.closer.close(dialog);
    this.pending.add(tx, dialog.app, dialog.dialog.localTag);
    this.deliver(dialog.app, tx.request, tx.source, tx.id, dialog.wireId);
    if (dialog.usage === 'invite') this.ctx.callEvents.stop('network', 'normal-release', tx.request);
  }

  /** RFC 3262 §3; an offer in it is the application's to answer (RFC 3262 §5). */
  private onPrack(tx: ServerTransaction, dialog: CoreDialog): void {
    const owner = dialog.reliable?.acknowledge(tx.request);
    if (owner === undefined) this.rejectOutside(tx);
    else if (owner === 'engine') reply(tx, 200, dialog.dialog.localTag);
    else this.deliverInDialog(tx, dialog);
    dialog.reliable?.releaseFinal();
  }

  /** RFC 3261 §9.2. */
  private onCancel(tx: ServerTransaction): void {
    const invite = tx.cancels;
    const pending = invite && this.pending.get(invite.id);
    if (pending) {
      reply(tx, 200, pending.localTag);
      this.cancelInvite(pending, tx.request, tx.source);
    } else if (invite && !invite.answered) {
      reply(tx, 200);
      this.ways.cancel(invite);
    } else this.rejectOutside(tx);
  }

  private onUnanswered(pending: PendingRequest): void {
    const { tx, dialog, localTag } = pending;
    this.replyFinally(tx, 480, localTag);
    if (dialog && pending.isInitial) this.closer.close(dialog);
  }

  /** A refusal in the engine's own name, which ends the call that the request would have made. */
  private replyFinally(tx: ServerTransaction, statusCode: number, localTag?: string): void {
    const isCall = isNewCall(tx.request);
    const response = reply(tx, statusCode, localTag);
    if (isCall) this.ctx.callEvents.final('application', 'uas', response);
  }

  private isMerged(tx: ServerTransaction): boolean {
    if (!this.initialRequests.has(mergeKey(tx.request))) return false;
    this.ctx.counters.mergedRequests++;
    return true;
  }

  private deliver(
    app: Application,
    request: SipRequest,
    source: Source,
    txnId: string,
    dialogId: string,
  ): void {
    this.ctx.counters.requestsDelivered++;
    app.deliverRequest(request, networkFacts(request, source), txnId, dialogId);
  }
}

function isNewCall(request: SipRequest): boolean {
  return request.method === 'INVITE' && request.toTag === undefined;
}

/** Whether the peer has a request of the kind open already. */
function isSecond(method: string, dialog: CoreDialog): boolean {
  if (method === 'INVITE') return dialog.peerInvite !== undefined;
  return method === 'UPDATE' && dialog.peerUpdate !== undefined;
}

function isOffering({ method, body }: SipRequest): boolean {
  return method === 'INVITE' || (method === 'UPDATE' && body.length > 0);
}

function mergeKey(request: SipRequest): string {
  return `${request.callId}\n${request.fromTag}\n${request.get('cseq')}`;
}
