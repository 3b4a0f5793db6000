import { randomToken } from '../platform/ids.js';
import type {
  SrfAck,
  SrfEngine,
  SrfHandler,
  SrfHeaders,
  SrfMessage,
  SrfRequest,
  SrfRequestOptions,
  SrfResponse,
  SrfSendOptions,
} from '../signalling/srf-types.js';
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
  readonly req: SrfRequest;
  readonly res: SrfResponse;
  /** In place of the engine, for requests in the dialog that there is none of. */
  readonly engine: Pick<SrfEngine, 'request'>;
  private body: string | undefined;

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
    const meta = {
      source: 'application',
      source_address: facts.address,
      source_port: facts.port,
      protocol: facts.transport || 'udp',
      stackTxnId: '',
      stackDialogId: undefined,
    } as const;
    const describe = (): string | undefined => this.body;
    this.res = {
      ...meta,
      ...message(headers, undefined),
      send: (
        status: number,
        reason: string | undefined,
        options: SrfSendOptions,
        done?: (error: unknown, sent?: SrfMessage) => void,
      ) => this.onResponse(status, reason ?? reasonPhrase(status), options.body, done),
    } as unknown as SrfResponse;
    this.req = {
      ...meta,
      ...message(headers, undefined),
      method: 'INVITE',
      uri: facts.dialledUri,
      res: this.res,
      receivedOn: undefined,
      get body() {
        return describe();
      },
      on: () => this.req,
      removeAllListeners: () => this.req,
      cancel: () => undefined,
    } as unknown as SrfRequest;
    this.engine = { request: (options, callback) => this.onRequest(options, callback) };
  }

  /** The caller's description is known from now on. */
  describe(sdp: string): void {
    this.body = sdp;
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
        () => done?.(undefined, this.res),
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
    { method, body: offer }: SrfRequestOptions,
    callback: (error: Error | null, req?: SrfRequest) => void,
  ): void {
    const { status, body } = method === 'INVITE' ? this.answerTo(offer) : { status: 200, body: undefined };
    let answer: ((res: SrfResponse, ack: SrfAck) => void) | undefined;
    const sent = {
      ...message({}, undefined),
      method,
      on: (event: string, listener: SrfHandler & typeof answer) => {
        if (event === 'response') answer = listener;
        return sent;
      },
      cancel: () => undefined,
    } as unknown as SrfRequest;
    if (method === 'BYE') this.standIn.ended();
    queueMicrotask(() => {
      callback(null, sent);
      const res = {
        ...message({}, body),
        status,
        reason: reasonPhrase(status),
        source_address: 'local',
      };
      answer?.(res as unknown as SrfResponse, () => undefined);
    });
  }
}

function message(headers: SrfHeaders, body: string | undefined): SrfMessage {
  return {
    headers,
    body,
    raw: '',
    get: (name) => headers[name.toLowerCase()],
    has: (name) => name in headers,
  };
}
