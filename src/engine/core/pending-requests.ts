import type { ServerTransaction } from '../types.js';
import { type AppResponse, appHeader } from './app-message.js';
import type { Application } from './application.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import { PendingRequest } from './pending-request.js';

/** Requests that applications have not answered; with more, new ones get 503. */
export const MAX_PENDING_REQUESTS = 50_000;

/** How long an application may leave an INVITE without any response, in T1: 64 s. */
const INVITE_DEADLINE_T1 = 128;

/** The requests that wait for an application's final response, by the name of their transaction. */
export class PendingRequests {
  private readonly byTxnId = new Map<string, PendingRequest>();
  /** Called when an application took too long over an INVITE, which is out of the table then. */
  onUnanswered: (pending: PendingRequest) => void = () => {};

  /** Those that their application, still there, has said nothing about: a sign of overload. */
  unheard = 0;

  constructor(private readonly ctx: CoreContext) {}

  get size(): number {
    return this.byTxnId.size;
  }

  get isFull(): boolean {
    return this.byTxnId.size >= MAX_PENDING_REQUESTS;
  }

  get(txnId: string): PendingRequest | undefined {
    return this.byTxnId.get(txnId);
  }

  add(tx: ServerTransaction, app: Application, localTag: string, dialog?: CoreDialog): PendingRequest {
    const pending = new PendingRequest(tx, app, localTag, tx.request.toTag === undefined);
    pending.dialog = dialog;
    this.byTxnId.set(tx.id, pending);
    this.unheard++;
    this.setDeadline(pending);
    return pending;
  }

  /** An UPDATE in an early dialog, which applications answer under the name of the INVITE. */
  addEarlyUpdate(tx: ServerTransaction, dialog: CoreDialog): void {
    const pending = this.add(tx, dialog.app, dialog.dialog.localTag, dialog);
    dialog.peerUpdate = pending;
    this.byTxnId.set(updateKey(dialog.initialTxnId), pending);
  }

  /** What an application's response answers; undefined when it is not, or no more, that application's to answer. */
  find(app: Application, txnId: string, message: Pick<AppResponse, 'headers'>): PendingRequest | undefined {
    const isUpdate = /\bUPDATE$/.test(appHeader(message, 'cseq') ?? '');
    const pending = (isUpdate ? this.byTxnId.get(updateKey(txnId)) : undefined) ?? this.byTxnId.get(txnId);
    return pending && (pending.app === app || !pending.app.connected) ? pending : undefined;
  }

  /** Takes a request out of the table; false when it was not there any more. */
  finish(pending: PendingRequest): boolean {
    const { tx, dialog } = pending;
    this.hear(pending);
    this.ctx.clock.clearTimeout(pending.deadline);
    pending.reliable?.stop();
    if (dialog?.peerInvite === pending) dialog.peerInvite = undefined;
    if (dialog?.peerUpdate === pending) {
      dialog.peerUpdate = undefined;
      this.byTxnId.delete(updateKey(dialog.initialTxnId));
    }
    return this.byTxnId.delete(tx.id);
  }

  /** A provisional was sent: an INVITE may ring as long as its application likes (RFC 3261 §13.3.1.1). */
  keepWaiting(pending: PendingRequest): void {
    pending.hasProvisional = true;
    this.hear(pending);
    if (pending.method === 'INVITE') this.ctx.clock.clearTimeout(pending.deadline);
  }

  /** INVITEs of an application that is gone keep their transaction, so that CANCEL works, but not for ever. */
  onApplicationGone(app: Application): void {
    for (const pending of this.byTxnId.values()) {
      if (pending.app !== app) continue;
      this.hear(pending);
      if (pending.method === 'INVITE') this.setDeadline(pending);
    }
  }

  /** A transaction is over, answered or not. */
  onTerminated(tx: ServerTransaction): void {
    const pending = this.byTxnId.get(tx.id);
    if (!pending) return;
    this.ctx.counters.unanswered++;
    this.finish(pending);
  }

  close(): void {
    for (const pending of this.byTxnId.values()) {
      this.ctx.clock.clearTimeout(pending.deadline);
      pending.reliable?.stop();
    }
    this.byTxnId.clear();
    this.unheard = 0;
  }

  /** The transaction of a request other than INVITE ends by itself when its client has given up (RFC 4320 §4.2). */
  private setDeadline(pending: PendingRequest): void {
    if (pending.method !== 'INVITE') return;
    const { clock, timers } = this.ctx;
    clock.clearTimeout(pending.deadline);
    pending.deadline = clock.setTimeout(() => this.onDeadline(pending), INVITE_DEADLINE_T1 * timers.t1Ms);
  }

  private hear(pending: PendingRequest): void {
    if (!pending.isUnheard) return;
    pending.isUnheard = false;
    this.unheard--;
  }

  private onDeadline(pending: PendingRequest): void {
    if (!this.finish(pending)) return;
    this.ctx.counters.unanswered++;
    this.onUnanswered(pending);
  }
}

function updateKey(inviteTxnId: string): string {
  return `${inviteTxnId} UPDATE`;
}
