import type { Clock } from '../platform/clock.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfAck, SrfEngine, SrfHandler, SrfResponse } from '../signalling/srf-types.js';
import { ClientRequest, type ClientRequestUser, type OutgoingRequest } from './client-request.js';
import { NoResponseError } from './errors.js';
import type { Trail } from './trail.js';

/** A non-INVITE transaction lasts 64*T1 = 32 s (RFC 3261 §17.1.2.2); the engine answers 408 then, this is in case it does not. */
const NON_INVITE_TIMEOUT_MS = 40_000;
/** How long a re-INVITE may take: someone may be asked whether to accept video. */
const REINVITE_TIMEOUT_MS = 70_000;

/** The engine's name for a dialog: Call-ID and the From tag of the INVITE that made it. */
export function dialogIdOf(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** One SIP dialog of a call, as far as call control sends requests in it (RFC 3261 §12.2.1). */
export class LegDialog {
  constructor(
    readonly id: string,
    /** Who made its Call-ID: our side, or the phone. */
    readonly madeBy: 'us' | 'phone',
    /** Name of the leg in the timeline. */
    private readonly leg: string,
    private readonly engine: Pick<SrfEngine, 'request'>,
    private readonly clock: Clock,
    private readonly trail: Trail,
    /** Takes an UPDATE that srf brings up on a request of ours. */
    private readonly onUpdate: SrfHandler,
    /** Credentials for peers that ask for them. */
    private readonly answerChallenge?: OutgoingRequest['answerChallenge'],
  ) {}

  /** Sends a request; resolves its final response, rejects with NoResponseError. Not for INVITE. */
  request(method: string, headers: OutgoingHeaders, body?: string): Promise<SrfResponse> {
    this.trail.request(this.leg, true, method, body);
    return new Promise((resolve, reject) => {
      this.send(method, headers, body, NON_INVITE_TIMEOUT_MS, {
        onUpdate: this.onUpdate,
        onFinal: (res) => {
          this.received(res, method);
          resolve(res);
        },
        onFailure: reject,
      });
    });
  }

  /** Sends a re-INVITE, without `body` one that asks for an offer. The user must ACK a 2xx with `ack`. */
  reinvite(headers: OutgoingHeaders, body: string | undefined, user: ReinviteUser): ClientRequest {
    this.trail.request(this.leg, true, 'INVITE', body);
    return this.send('INVITE', headers, body, REINVITE_TIMEOUT_MS, {
      onUpdate: this.onUpdate,
      onProvisional: (_res, ack) => ack(),
      onFinal: (res, ack) => {
        this.received(res, 'INVITE');
        user.onFinal(res, (options) => {
          this.trail.request(this.leg, true, 'ACK', options?.body);
          ack(options);
        });
      },
      onFailure: (error) => user.onFailure(error),
    });
  }

  /** Sends BYE; resolves when it is answered or given up, and says whether the phone answered. Never rejects. */
  async bye(headers: OutgoingHeaders): Promise<boolean> {
    try {
      await this.request('BYE', headers);
      return true;
    } catch (error) {
      if (error instanceof NoResponseError) return false;
      throw error;
    }
  }

  /**
   * Asks the phone whether the dialog is still there for it, which is not written down. `unreached` when nothing could be
   * sent to it. Never rejects.
   */
  probe(): Promise<'alive' | 'gone' | 'unreached'> {
    return new Promise((resolve) => {
      this.send('OPTIONS', { Accept: 'application/sdp' }, undefined, NON_INVITE_TIMEOUT_MS, {
        onUpdate: this.onUpdate,
        onFinal: ({ status, source_address: from }) => {
          if (status === 481 || status === 408) resolve('gone');
          else resolve(status === 503 && from === '' ? 'unreached' : 'alive');
        },
        onFailure: (error) => resolve(error.isDialogGone ? 'gone' : 'unreached'),
      });
    });
  }

  private send(
    method: string,
    headers: OutgoingHeaders,
    body: string | undefined,
    timeoutMs: number,
    user: ClientRequestUser,
  ): ClientRequest {
    const { id: dialogId, answerChallenge } = this;
    const request = { method, dialogId, headers, timeoutMs, ...(body && { body }) };
    if (answerChallenge) Object.assign(request, { answerChallenge });
    return new ClientRequest(this.engine, this.clock, request, user);
  }

  private received(res: SrfResponse, method: string): void {
    this.trail.response(this.leg, false, res.status, res.reason, method, res.body);
  }
}

/** Who sent a re-INVITE. Exactly one of the two is called. */
export interface ReinviteUser {
  onFinal(res: SrfResponse, ack: SrfAck): void;
  onFailure(error: NoResponseError): void;
}
