import { randomToken } from '../platform/ids.js';
import { LocalRequest } from '../signalling/local-message.js';
import type { SrfEngine, SrfMessage, SrfRequest, SrfRequestOptions } from '../signalling/srf-types.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import type { Call } from './call.js';

/** What stands in the caller's place in a call that the server begins itself: phones that are rung first, or a recording. */
export interface CallerStandIn {
  /**
   * Resolves the caller's description, once it is there to talk (RFC 3264 §5). Rejects with CallRefusedError when it will not
   * be. The call may end meanwhile.
   */
  offer(call: Call): Promise<string>;
  /** What the callee's phones say before they answer. */
  progress(status: number, reason: string): void;
  /** The callee answered; `sdp` is the answer to `offer`, as the relay wrote it. A rejection ends the call. */
  answer(sdp: string): Promise<void>;
  /**
   * The callee made a new offer, hold for one; `sdp` is as the relay wrote it. Returns the answer, or throws when it cannot be taken.
   * Without it every new offer is refused, which leaves the session as it was (RFC 3261 §14.1).
   */
  answerOffer?(sdp: string): string;
  /** The call ended before it was answered. */
  refused(status: number, reason: string): void;
  /** The call ended after it was answered. */
  ended(): void;
}

/** Who begins a call, as its record and its routing are to know it. */
export interface StandInFacts {
  readonly method: string;
  readonly callId: string;
  readonly callerUri: string;
  readonly callerName?: string;
  readonly dialledUri: string;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
}

/** The INVITE that a caller's phone would have sent; what the call answers to it goes to the stand-in. */
export class StandInInvite {
  readonly req: LocalRequest;
  /** In place of the engine, for requests in the dialog that there is none of. */
  readonly engine: Pick<SrfEngine, 'request'>;

  constructor(
    facts: StandInFacts,
    private readonly standIn: CallerStandIn,
  ) {
    const name = facts.callerName ? `"${facts.callerName.replace(/["\\]/g, '')}" ` : '';
    const headers = {
      'call-id': facts.callId,
      cseq: '1 INVITE',
      from: `${name}<${facts.callerUri}>;tag=${randomToken(12)}`,
      to: `<${facts.dialledUri}>`,
      contact: `<${facts.callerUri}>`,
    };
    this.req = new LocalRequest({
      headers,
      method: 'INVITE',
      uri: facts.dialledUri,
      source_address: facts.address,
      source_port: facts.port,
      protocol: facts.transport || 'udp',
      send: (status, reason, { body }, done) =>
        this.onResponse(status, reason ?? reasonPhrase(status), body, done),
    });
    this.engine = { request: (options, callback) => this.onRequest(options, callback) };
  }

  /** The caller's description is known from now on. */
  describe(sdp: string): void {
    this.req.body = sdp;
  }

  private onResponse(
    status: number,
    reason: string,
    sdp: string | undefined,
    done: ((error: unknown, sent?: SrfMessage) => void) | undefined,
  ): void {
    if (status < 200) this.standIn.progress(status, reason);
    else if (status >= 300) this.standIn.refused(status, reason);
    else
      this.standIn.answer(sdp ?? '').then(
        () => done?.(undefined, this.req.res),
        (error: unknown) => done?.(error),
      );
  }

  private answerTo(offer: string | undefined): { status: number; body: string | undefined } {
    const { standIn } = this;
    try {
      const body = offer ? standIn.answerOffer?.(offer) : undefined;
      return { status: body === undefined ? 488 : 200, body };
    } catch {
      return { status: 488, body: undefined };
    }
  }

  /** BYE is the end, a new offer is for the stand-in; all else is well. */
  private onRequest(
    { method, uri, body: offer }: SrfRequestOptions,
    callback: (error: Error | null, req?: SrfRequest) => void,
  ): void {
    const { status, body } = method === 'INVITE' ? this.answerTo(offer) : { status: 200, body: undefined };
    const sent = new LocalRequest({ method, uri });
    if (method === 'BYE') this.standIn.ended();
    queueMicrotask(() => {
      callback(null, sent);
      sent.answer(status, { body, source_address: 'local' });
    });
  }
}
