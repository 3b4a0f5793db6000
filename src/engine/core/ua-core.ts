import type { TimerHandle } from '../../platform/clock.js';
import type { SipRequest, SipResponse } from '../../sip/message.js';
import type { SavedDialog } from '../survival/saved-dialog.js';
import type { ServerTransaction, Source, TransactionLayerUser } from '../types.js';
import type { AppRequest, AppResponse } from './app-message.js';
import type { Application } from './application.js';
import { ClientCore } from './client-core.js';
import type { CoreContext } from './core-context.js';
import { CoreDialog } from './core-dialog.js';
import { DialogCloser } from './dialog-closer.js';
import { GoneApplication } from './orphan-requests.js';
import type { Echo } from './outcome.js';
import { PendingRequests } from './pending-requests.js';
import { Responder } from './responder.js';
import { ServerCore } from './server-core.js';

/** Longest that a dialog is kept whose application is gone; milliseconds. */
export const ORPHAN_LIFETIME_MS = 4 * 3_600_000;
const SWEEP_INTERVAL_MS = 60_000;
const NO_MESSAGE = { headers: [] };

/** The user agent core (RFC 3261 §8): both roles over one table of dialogs, driven by applications. */
export class UaCore implements TransactionLayerUser {
  private readonly pending: PendingRequests;
  private readonly closer: DialogCloser;
  private readonly client: ClientCore;
  private readonly server: ServerCore;
  private readonly responder: Responder;
  private sweep: TimerHandle | undefined;

  constructor(private readonly ctx: CoreContext) {
    this.pending = new PendingRequests(ctx);
    this.closer = new DialogCloser(ctx, this.pending);
    this.client = new ClientCore(ctx, this.closer);
    this.server = new ServerCore(ctx, this.pending, this.closer, this.client.sessions);
    this.responder = new Responder(ctx, this.pending, this.closer, {
      onAckTimeout: (dialog) => this.client.ender.end(dialog, 'ACK timeout'),
      onPrackTimeout: (pending) => this.server.onPrackTimeout(pending),
      onSuccess: (pending, response) => this.client.sessions.complete2xx(pending, response),
      onAnswered: (dialog, response) => this.client.sessions.onAnswered(dialog, response),
    });
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  /** Requests that no application has said a word about. */
  get unheardCount(): number {
    return this.pending.unheard;
  }

  onRequest(tx: ServerTransaction): void {
    this.server.onRequest(tx);
  }

  hasDialogOf({ callId, toTag, fromTag }: SipRequest): boolean {
    return this.ctx.dialogs.match(callId ?? '', toTag ?? '', fromTag) !== undefined;
  }

  onAck(ack: SipRequest, source: Source): void {
    this.server.onAck(ack, source);
  }

  /** A 2xx repeated after its transaction is over, or no response of ours: there is nobody to tell. */
  onStrayResponse(_response: SipResponse, _source: Source): void {}

  sendNew(app: Application, message: AppRequest, routeUri: string, echo: Echo): void {
    this.client.sendNew(app, message, routeUri, echo);
  }

  sendInDialog(app: Application, message: AppRequest, dialogId: string, echo: Echo): void {
    this.client.sendInDialog(app, message, dialogId, echo);
  }

  cancel(message: AppRequest, txnId: string, echo: Echo): void {
    this.client.cancel(message, txnId, echo);
  }

  respond(app: Application, message: AppResponse, txnId: string, echo: Echo): void {
    const outcome = this.responder.respond(app, txnId, message);
    echo(outcome);
    if (outcome.ok && outcome.finalOfCall)
      this.ctx.callEvents.final('application', 'uas', outcome.finalOfCall);
  }

  /**
   * Gives up a peer's new request that waits for this application, for a proxy to have: its transaction, whose user the
   * caller must set. Undefined when it waits no more, or a response has founded a dialog.
   */
  release(app: Application, txnId: string): ServerTransaction | undefined {
    const pending = this.pending.find(app, txnId, NO_MESSAGE);
    if (!pending?.isInitial || pending.dialog || pending.tx.answered) return undefined;
    this.pending.finish(pending);
    this.surrender(pending.tx);
    return pending.tx;
  }

  /** Another takes a peer's new request over, and must set its transaction's user. */
  surrender(tx: ServerTransaction): void {
    this.server.forget(tx);
  }

  /** Takes over dialogs of an earlier engine. They wait for an application with a tag of theirs, as those of one that is gone. */
  restore(saved: readonly SavedDialog[]): void {
    const { dialogs, clock } = this.ctx;
    const apps = new Map<string, GoneApplication>();
    for (const one of saved) {
      if (dialogs.isFull) break;
      const key = one.tags.join();
      const app = apps.get(key) ?? new GoneApplication(new Set(one.tags));
      apps.set(key, app);
      const dialog = CoreDialog.restore(one, app);
      dialog.orphanedAtMs = clock.monotonic();
      dialogs.add(dialog);
      if (one.session)
        this.client.sessions.resume(dialog, one.session.intervalSec, one.session.isRefresherUs);
    }
    if (saved.length > 0) this.scheduleSweep();
  }

  /** Its dialogs stay for one with the same tag to inherit: peers' requests in them wait for it, and hear 481 without a tag. */
  onApplicationGone(app: Application): void {
    const nowMs = this.ctx.clock.monotonic();
    let orphans = 0;
    for (const dialog of this.ctx.dialogs.values())
      if (dialog.app === app) {
        dialog.orphanedAtMs = nowMs;
        orphans++;
      }
    this.pending.onApplicationGone(app);
    if (orphans > 0) this.scheduleSweep();
  }

  close(): void {
    this.ctx.clock.clearTimeout(this.sweep);
    this.pending.close();
    this.server.close();
    for (const dialog of this.ctx.dialogs.values()) {
      dialog.answered?.stop();
      dialog.session?.stop();
    }
  }

  private scheduleSweep(): void {
    this.sweep ??= this.ctx.clock.setTimeout(() => {
      this.sweep = undefined;
      this.dropOldOrphans();
    }, SWEEP_INTERVAL_MS);
  }

  private dropOldOrphans(): void {
    const limitMs = this.ctx.clock.monotonic() - ORPHAN_LIFETIME_MS;
    let left = 0;
    for (const dialog of [...this.ctx.dialogs.values()]) {
      if (dialog.app.connected || dialog.orphanedAtMs === undefined) continue;
      if (dialog.orphanedAtMs < limitMs) this.closer.close(dialog);
      else left++;
    }
    if (left > 0) this.scheduleSweep();
  }
}
