import type { SipRequest, SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import { parseSessionExpires, type SessionExpires } from '../../sip/session-expires.js';
import type { ClientTransactionUser, ServerTransaction, Source } from '../types.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import { MIN_SESSION_SEC, SessionTimer } from './session-timer.js';

/** How sessions are ended; the client core. */
export interface SessionEnder {
  sendUnsolicitedBye(dialog: CoreDialog, reason: string): void;
}

const EXPIRED = 'Session timer expired';
/** RFC 4028 §10, RFC 3261 §14.1: a refresh that met the peer's own re-INVITE is tried again later; seconds. */
const GLARE_DELAY_SEC = 4;

/** Session timers (RFC 4028) of all dialogs: negotiated in passing, refreshes done without the application. */
export class SessionKeeper {
  constructor(
    private readonly ctx: CoreContext,
    private readonly ender: SessionEnder,
  ) {}

  /** False after a 422 to a re-INVITE or UPDATE whose interval is too short (RFC 4028 §9). */
  acceptsRefresh(tx: ServerTransaction, dialog: CoreDialog): boolean {
    const { request } = tx;
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return true;
    const asked = sessionExpires(request);
    if (asked && asked.intervalSec < MIN_SESSION_SEC) {
      const response = createResponse(request, 422, undefined, dialog.dialog.localTag);
      tx.respond(response.append('Min-SE', String(MIN_SESSION_SEC)));
      return false;
    }
    if (dialog.dialog.state === 'confirmed') dialog.session?.restart();
    return true;
  }

  /** Puts Session-Expires into our 2xx to an INVITE when the peer asked for it with a refresher (RFC 4028 §9). */
  complete2xx(request: SipRequest, response: SipResponse): void {
    const asked = sessionExpires(request);
    if (response.has('session-expires') || asked?.refresher === undefined) return;
    const intervalSec = Math.max(MIN_SESSION_SEC, asked.intervalSec);
    response.append('Session-Expires', `${intervalSec};refresher=${asked.refresher}`);
    const peerKnows = request.list('supported').some((tag) => tag.toLowerCase() === 'timer');
    if (asked.refresher === 'uac' && peerKnows) response.append('Require', 'timer');
  }

  /** Our 2xx to an INVITE has left. */
  onAnswered(dialog: CoreDialog, response: SipResponse): void {
    const agreed = sessionExpires(response);
    dialog.rememberSdp(response);
    this.arm(dialog, agreed, agreed?.refresher === 'uas');
  }

  /** A 2xx to an INVITE of ours came (RFC 4028 §7.2: without a refresher it is us). */
  onAccepted(dialog: CoreDialog, response: SipResponse): void {
    const agreed = sessionExpires(response);
    this.arm(dialog, agreed, agreed?.refresher !== 'uas');
  }

  private arm(dialog: CoreDialog, agreed: SessionExpires | undefined, isRefresherUs: boolean): void {
    dialog.session?.stop();
    dialog.session = undefined;
    if (!agreed || dialog.dialog.state === 'terminated') return;
    const intervalSec = Math.max(MIN_SESSION_SEC, agreed.intervalSec);
    dialog.session = new SessionTimer(this.ctx, intervalSec, isRefresherUs, {
      onRefreshDue: () => this.refresh(dialog, intervalSec),
      onExpired: () => this.ender.sendUnsolicitedBye(dialog, EXPIRED),
    });
  }

  /** A re-INVITE of the engine's own, with the session description last sent (RFC 4028 §7.4). */
  private refresh(dialog: CoreDialog, intervalSec: number): void {
    if (dialog.ownInvite || dialog.peerInvite || dialog.answered || dialog.ownRefresh) {
      this.retry(dialog, intervalSec);
      return;
    }
    const invite = dialog.dialog.createRequest('INVITE');
    invite.append('Contact', dialog.contact).append('Supported', 'timer');
    invite
      .append('Session-Expires', `${intervalSec};refresher=uac`)
      .append('Min-SE', String(MIN_SESSION_SEC));
    if (dialog.localSdp) invite.append('Content-Type', 'application/sdp').body = dialog.localSdp;
    const hop = dialog.nextHop(this.ctx);
    if (hop === undefined) return;
    dialog.ownRefresh = true;
    Promise.resolve(hop)
      .then((found) => this.ctx.createClient(invite, found, this.refreshUser(dialog, invite, intervalSec)))
      .catch(() => this.ender.sendUnsolicitedBye(dialog, EXPIRED));
  }

  private refreshUser(dialog: CoreDialog, invite: SipRequest, intervalSec: number): ClientTransactionUser {
    let ack: { resend(): void } | undefined;
    const onFinal = (response: SipResponse, source: Source): void => {
      dialog.ownRefresh = false;
      if (dialog.dialog.state === 'terminated') return;
      if (response.statusCode === 491) this.retry(dialog, intervalSec);
      else if (response.statusCode >= 300) this.ender.sendUnsolicitedBye(dialog, EXPIRED);
      else {
        dialog.dialog.refreshTarget(response);
        this.onAccepted(dialog, response);
        const request = dialog.dialog.createRequest('ACK', invite.cseq?.seq ?? 0);
        const { protocol, address, port } = source;
        Promise.resolve(dialog.nextHop(this.ctx) ?? { protocol, address, port })
          .then((hop) => {
            ack = this.ctx.sendStateless(request, hop);
          })
          .catch(() => this.ender.sendUnsolicitedBye(dialog, EXPIRED));
      }
    };
    return {
      onResponse: (_tx, response, source) => {
        if (ack) ack.resend();
        else if (response.statusCode >= 200) onFinal(response, source);
      },
      onFailure: () => {
        dialog.ownRefresh = false;
        if (dialog.dialog.state !== 'terminated') this.ender.sendUnsolicitedBye(dialog, EXPIRED);
      },
      onTerminated: () => {},
    };
  }

  private retry(dialog: CoreDialog, intervalSec: number): void {
    dialog.session?.stop();
    dialog.session = new SessionTimer(this.ctx, intervalSec, true, {
      onRefreshDue: () => this.refresh(dialog, intervalSec),
      onExpired: () => {},
    });
    dialog.session.refreshAfter(GLARE_DELAY_SEC);
  }
}

function sessionExpires(message: SipRequest | SipResponse): SessionExpires | undefined {
  const value = message.get('session-expires');
  return value === undefined ? undefined : parseSessionExpires(value);
}
