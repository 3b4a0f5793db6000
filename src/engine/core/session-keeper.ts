import type { SipRequest, SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import { parseSessionExpires, type SessionExpires } from '../../sip/session-expires.js';
import type { ServerTransaction } from '../types.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import type { DialogEnder } from './dialog-ender.js';
import type { PendingRequest } from './pending-request.js';
import { SessionRefresh } from './session-refresh.js';
import { MIN_SESSION_SEC, SessionTimer } from './session-timer.js';

const EXPIRED = 'Session timer expired';

/** Session timers (RFC 4028) of all dialogs: negotiated in passing, refreshes done without the application. */
export class SessionKeeper {
  constructor(
    private readonly ctx: CoreContext,
    private readonly ender: DialogEnder,
  ) {}

  /** False after a 422 to a re-INVITE or UPDATE whose interval is too short (RFC 4028 §6, §9). */
  acceptsRefresh(tx: ServerTransaction, dialog: CoreDialog): boolean {
    const { request } = tx;
    if (!isRefresh(request.method)) return true;
    const asked = sessionExpires(request);
    if (asked && asked.intervalSec < MIN_SESSION_SEC) {
      const response = createResponse(request, 422, undefined, dialog.dialog.localTag);
      tx.respond(response.append('Min-SE', String(MIN_SESSION_SEC)));
      return false;
    }
    if (dialog.dialog.state === 'confirmed') dialog.session?.restart();
    return true;
  }

  /**
   * Puts Session-Expires into our 2xx to an INVITE or UPDATE (RFC 4028 §9): when the peer asked for it and named the
   * refresher, and in a session that has a timer, whose refresher stays.
   */
  complete2xx({ tx, dialog }: PendingRequest, response: SipResponse): void {
    const { request } = tx;
    const isEarlyUpdate = request.method === 'UPDATE' && dialog?.dialog.state !== 'confirmed';
    if (response.has('session-expires') || isEarlyUpdate) return;
    const asked = sessionExpires(request);
    const session = dialog?.session;
    const current = session?.isRefresherUs ? 'uas' : asked && session ? 'uac' : undefined;
    const refresher = asked?.refresher ?? current;
    if (refresher === undefined) return;
    const intervalSec = Math.max(MIN_SESSION_SEC, asked?.intervalSec ?? session?.intervalSec ?? 0);
    response.append('Session-Expires', `${intervalSec};refresher=${refresher}`);
    if (refresher === 'uac' && knowsTimer(request)) response.append('Require', 'timer');
  }

  /** Puts the interval and who refreshes into an application's re-INVITE or UPDATE, if it left them out (RFC 4028 §7.4). */
  completeRequest(request: SipRequest, { session, dialog }: CoreDialog): void {
    if (!session || !isRefresh(request.method) || dialog.state !== 'confirmed') return;
    if (request.has('session-expires')) return;
    request.append(
      'Session-Expires',
      `${session.intervalSec};refresher=${session.isRefresherUs ? 'uac' : 'uas'}`,
    );
    if (!knowsTimer(request)) request.append('Supported', 'timer');
  }

  /** Our 2xx to an INVITE or UPDATE has left. */
  onAnswered(dialog: CoreDialog, response: SipResponse): void {
    dialog.rememberSdp(response);
    this.agree(dialog, response, 'uas');
  }

  /** A 2xx to an INVITE or UPDATE of ours came (RFC 4028 §7.2: without a refresher it is us). */
  onAccepted(dialog: CoreDialog, response: SipResponse): void {
    this.agree(dialog, response, 'uac');
  }

  /** RFC 4028 §7.2: without Session-Expires there is no timer. Of an UPDATE few peers say so and mean it. */
  private agree(dialog: CoreDialog, response: SipResponse, we: 'uac' | 'uas'): void {
    const agreed = sessionExpires(response);
    if (!agreed && response.cseq?.method === 'UPDATE') dialog.session?.restart();
    else this.arm(dialog, agreed, (agreed?.refresher ?? 'uac') === we);
  }

  /** The timer of a dialog of an earlier engine goes on, from now. */
  resume(dialog: CoreDialog, intervalSec: number, isRefresherUs: boolean): void {
    this.arm(dialog, { intervalSec }, isRefresherUs);
  }

  private arm(
    dialog: CoreDialog,
    agreed: Pick<SessionExpires, 'intervalSec'> | undefined,
    isRefresherUs: boolean,
  ): void {
    dialog.session?.stop();
    dialog.session = undefined;
    if (!agreed || dialog.dialog.state === 'terminated') return;
    const intervalSec = Math.max(MIN_SESSION_SEC, agreed.intervalSec);
    dialog.session = new SessionTimer(this.ctx, intervalSec, isRefresherUs, {
      onRefreshDue: () => this.refresh(dialog, intervalSec),
      onExpired: () => this.ender.end(dialog, EXPIRED),
    });
  }

  /** Until it succeeds the session's own timer goes on: the peer can put refreshes off, not the session's end. */
  private refresh(dialog: CoreDialog, intervalSec: number, minSec = MIN_SESSION_SEC): void {
    const { session } = dialog;
    const retry = (leastSec: number): void => {
      const delaySec = Math.max(leastSec, glareDelaySec(dialog.dialog.role));
      // Else something else has refreshed or ended it meanwhile.
      if (dialog.session === session)
        session?.refreshAfter(delaySec, () => this.refresh(dialog, intervalSec, minSec));
    };
    if (dialog.ownInvite || dialog.peerInvite || dialog.answered || dialog.ownRefresh) {
      retry(0);
      return;
    }
    new SessionRefresh(this.ctx, dialog, intervalSec, minSec, {
      onRefreshed: (response) => {
        this.onAccepted(dialog, response);
        this.ctx.keeper.changed(dialog);
      },
      onGlare: retry,
      onNoUpdate: () => {
        dialog.takesUpdate = false;
        this.refresh(dialog, intervalSec, minSec);
      },
      // RFC 4028 §7.3
      onTooBrief: (wantedSec) => this.refresh(dialog, wantedSec, wantedSec),
      onFailed: () => this.ender.end(dialog, EXPIRED),
    }).start();
    if (dialog.hasOutrunKeptSeq) this.ctx.keeper.changed(dialog);
  }
}

/** RFC 3261 §14.1: whoever made the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms. */
export function glareDelaySec(role: 'uac' | 'uas'): number {
  const [lowest, steps] = role === 'uac' ? [210, 191] : [0, 201];
  return (lowest + Math.floor(Math.random() * steps)) / 100;
}

function isRefresh(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE';
}

function knowsTimer(request: SipRequest): boolean {
  return request.list('supported').some((tag) => tag.toLowerCase() === 'timer');
}

function sessionExpires(message: SipRequest | SipResponse): SessionExpires | undefined {
  const value = message.get('session-expires');
  return value === undefined ? undefined : parseSessionExpires(value);
}
