import type { SipRequest, SipResponse } from '../../sip/message.js';
import { retryAfterSec } from '../../sip/retry-after.js';
import { parseSessionExpires } from '../../sip/session-expires.js';
import type { ClientTransaction, ClientTransactionUser, Source } from '../types.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import { Gate } from './gate.js';

/** What a refresh came to; one of the five is called, once. None is when the dialog ended meanwhile. */
export interface SessionRefreshUser {
  onRefreshed(response: SipResponse): void;
  /**
   * 491, or 500 with Retry-After: the peer has an offer of its own under way (RFC 3261 §14.1, RFC 3311 §5.2). It is not to be asked
   * again before `leastSec` seconds.
   */
  onGlare(leastSec: number): void;
  /** 422: the peer wants no shorter interval than this, seconds (RFC 4028 §7.3). */
  onTooBrief(minSec: number): void;
  /** The peer takes no UPDATE after all. */
  onNoUpdate(): void;
  /** Any other failure, or no answer. */
  onFailed(): void;
}

/**
 * One refresh of a session that is the engine's own (RFC 4028 §7.4): an UPDATE without an offer when the peer takes that, else a
 * re-INVITE with the session description last sent.
 */
export class SessionRefresh extends Gate implements ClientTransactionUser {
  private readonly request: SipRequest;
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
    const request = dialog.dialog.createRequest(dialog.takesUpdate ? 'UPDATE' : 'INVITE');
    request.append('Contact', dialog.contact).append('Supported', 'timer');
    request.append('Session-Expires', `${intervalSec};refresher=uac`).append('Min-SE', String(minSec));
    if (dialog.localSdp && request.method === 'INVITE')
      request.append('Content-Type', 'application/sdp').bodyText = dialog.localSdp;
    this.request = request;
  }

  start(): void {
    const hop = this.dialog.nextHop(this.ctx);
    if (hop === undefined) return;
    this.dialog.ownRefresh = this;
    Promise.resolve(hop)
      .then((found) => this.ctx.createClient(this.request, found, this))
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
    const isUpdate = this.request.method === 'UPDATE';
    const retryAfter = retryAfterSec(response);
    if (statusCode === 491 || (statusCode === 500 && retryAfter !== undefined))
      this.user.onGlare(retryAfter ?? 0);
    else if (isUpdate && (statusCode === 405 || statusCode === 501)) this.user.onNoUpdate();
    else if (statusCode === 422 && minSec > this.intervalSec) this.user.onTooBrief(minSec);
    else if (statusCode >= 300) this.user.onFailed();
    else {
      this.dialog.dialog.refreshTarget(response);
      this.user.onRefreshed(response);
      if (!isUpdate) this.acknowledge(source);
    }
  }

  private acknowledge({ protocol, address, port }: Source): void {
    this.isAcknowledging = true;
    const ack = this.dialog.dialog.createRequest('ACK', this.request.cseq?.seq ?? 0);
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
