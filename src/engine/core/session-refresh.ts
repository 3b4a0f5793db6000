import type { SipRequest, SipResponse } from '../../sip/message.js';
import { parseSessionExpires } from '../../sip/session-expires.js';
import type { ClientTransaction, ClientTransactionUser, Source } from '../types.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import { Gate } from './gate.js';

/** What a refresh came to; one of the four is called, once. None is when the dialog ended meanwhile. */
export interface SessionRefreshUser {
  onRefreshed(response: SipResponse): void;
  /** 491: the peer has a re-INVITE of its own under way (RFC 3261 §14.1). */
  onGlare(): void;
  /** 422: the peer wants no shorter interval than this, seconds (RFC 4028 §7.3). */
  onTooBrief(minSec: number): void;
  /** Any other failure, or no answer. */
  onFailed(): void;
}

/** One re-INVITE of the engine's own that refreshes a session, with the session description last sent (RFC 4028 §7.4). */
export class SessionRefresh extends Gate implements ClientTransactionUser {
  private readonly invite: SipRequest;
  private ack: { resend(): void } | undefined;
  private isAcknowledging = false;

  constructor(
    private readonly ctx: CoreContext,
    private readonly dialog: CoreDialog,
    private readonly intervalSec: number,
    minSec: number,
    private readonly user: SessionRefreshUser,
  ) {
    super();
    const invite = dialog.dialog.createRequest('INVITE');
    invite.append('Contact', dialog.contact).append('Supported', 'timer');
    invite.append('Session-Expires', `${intervalSec};refresher=uac`).append('Min-SE', String(minSec));
    if (dialog.localSdp) invite.append('Content-Type', 'application/sdp').bodyText = dialog.localSdp;
    this.invite = invite;
  }

  start(): void {
    const hop = this.dialog.nextHop(this.ctx);
    if (hop === undefined) return;
    this.dialog.ownRefresh = this;
    Promise.resolve(hop)
      .then((found) => this.ctx.createClient(this.invite, found, this))
      .catch(() => this.end(() => this.user.onFailed()));
  }

  onResponse(_tx: ClientTransaction, response: SipResponse, source: Source): void {
    if (this.ack) this.ack.resend();
    else if (response.statusCode >= 200) this.end(() => this.takeFinal(response, source));
  }

  onFailure(): void {
    this.end(() => this.user.onFailed());
  }

  onTerminated(): void {}

  private end(report: () => void): void {
    this.dialog.ownRefresh = undefined;
    if (this.dialog.dialog.state !== 'terminated') report();
    if (!this.isAcknowledging) this.release();
  }

  private takeFinal(response: SipResponse, source: Source): void {
    const { statusCode } = response;
    const minSec = parseSessionExpires(response.get('min-se') ?? '')?.intervalSec ?? 0;
    if (statusCode === 491) this.user.onGlare();
    else if (statusCode === 422 && minSec > this.intervalSec) this.user.onTooBrief(minSec);
    else if (statusCode >= 300) this.user.onFailed();
    else {
      this.dialog.dialog.refreshTarget(response);
      this.user.onRefreshed(response);
      this.acknowledge(source);
    }
  }

  private acknowledge({ protocol, address, port }: Source): void {
    this.isAcknowledging = true;
    const ack = this.dialog.dialog.createRequest('ACK', this.invite.cseq?.seq ?? 0);
    Promise.resolve(this.dialog.nextHop(this.ctx) ?? { protocol, address, port })
      .then((hop) => {
        this.ack = this.ctx.sendStateless(ack, hop);
        this.release();
      })
      .catch(() => {
        this.isAcknowledging = false;
        this.end(() => this.user.onFailed());
      });
  }
}
