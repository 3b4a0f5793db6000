import type { SipRequest } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import type { ServerTransaction, ServerTransactionUser, Source } from '../types.js';
import { type Application, networkFacts } from './application.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import type { DialogCloser } from './dialog-closer.js';
import { NewRequests } from './new-requests.js';
import { OrphanRequests } from './orphan-requests.js';
import { cancelFor, isLastNotify, reply, replyLater } from './own-replies.js';
import type { PendingRequest } from './pending-request.js';
import type { PendingRequests } from './pending-requests.js';
import { newTag } from './request-builder.js';
import type { SessionKeeper } from './session-keeper.js';

/** Requests that make no sense outside a dialog (RFC 3261 §15.1.2, RFC 3311 §5.2, RFC 3262 §3). */
const ONLY_IN_DIALOG = new Set(['BYE', 'UPDATE', 'PRACK']);
/** Requests of peers: which get to an application, and which the engine answers itself. */
export class ServerCore implements ServerTransactionUser {
  private readonly newRequests: NewRequests;
  private readonly orphans: OrphanRequests;

  constructor(
    private readonly ctx: CoreContext,
    private readonly pending: PendingRequests,
    private readonly closer: DialogCloser,
    private readonly sessions: SessionKeeper,
  ) {
    this.newRequests = new NewRequests(ctx, pending);
    this.orphans = new OrphanRequests(ctx);
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
    else this.newRequests.take(tx);
  }

  /** Neither end of a response's way changes what the core does: an INVITE's dialog lives by ACK and BYE. */
  onFailure(): void {}

  onTerminated(tx: ServerTransaction): void {
    this.forget(tx);
    this.pending.onTerminated(tx);
  }

  /** Another takes the request over: the same request by another way is not a merged one from now on. */
  forget(tx: ServerTransaction): void {
    this.newRequests.forget(tx);
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
    answered.release();
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
    this.newRequests.close();
    this.orphans.close();
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
    else if (dialog.app.connected && !this.orphans.isWaiting) this.inDialog(tx, dialog);
    else
      this.orphans.take(tx, dialog, {
        go: () => this.inDialog(tx, dialog),
        refuse: () => this.refuseOrphan(tx, dialog),
      });
  }

  private inDialog(tx: ServerTransaction, dialog: CoreDialog): void {
    const { method } = tx.request;
    if (method === 'BYE') this.onBye(tx, dialog);
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
      this.ctx.keeper.changed(dialog);
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
    // RFC 5057 §4.2: the end of a subscription leaves the call of its dialog alone.
    if (dialog.usage !== 'invite' && isLastNotify(request)) this.closer.close(dialog);
  }

  /** No application has the dialog: it is as if it were not there. */
  private refuseOrphan(tx: ServerTransaction, dialog: CoreDialog): void {
    this.rejectOutside(tx);
    if (tx.request.method !== 'BYE') return;
    this.closer.close(dialog);
    if (dialog.usage === 'invite') this.ctx.callEvents.stop('network', 'normal-release', tx.request);
  }

  private onBye(tx: ServerTransaction, dialog: CoreDialog): void {
    const invite = dialog.peerInvite;
    if (dialog.dialog.role === 'uas' && dialog.dialog.state === 'early' && invite) {
      // RFC 3261 §15.1.2: a BYE in an early dialog ends the INVITE; drachtio-srf knows that as a CANCEL.
      const cancel = cancelFor(invite.tx.request, tx.request.getAll('reason'));
      reply(tx, 200, dialog.dialog.localTag);
      this.cancelInvite(invite, cancel, tx.source);
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
    const { cancels: invite, request } = tx;
    const pending = invite && this.pending.get(invite.id);
    if (pending) {
      reply(tx, 200, pending.localTag);
      // The request as it was before its answer: a Reason in it is for the application (RFC 3326 §2).
      this.cancelInvite(pending, request, tx.source);
    } else if (invite && !invite.answered) this.newRequests.cancel(invite, tx);
    else this.rejectOutside(tx);
  }

  private onUnanswered(pending: PendingRequest): void {
    const { tx, dialog, localTag } = pending;
    const response = reply(tx, 480, localTag);
    if (tx.request.method === 'INVITE' && pending.isInitial)
      this.ctx.callEvents.final('application', 'uas', response);
    if (dialog && pending.isInitial) this.closer.close(dialog);
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

/** Whether the peer has a request of the kind open already. */
function isSecond(method: string, dialog: CoreDialog): boolean {
  if (method === 'INVITE') return dialog.peerInvite !== undefined;
  return method === 'UPDATE' && dialog.peerUpdate !== undefined;
}

function isOffering({ method, body }: SipRequest): boolean {
  return method === 'INVITE' || (method === 'UPDATE' && body.length > 0);
}
