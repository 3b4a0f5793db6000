import type { Clock, TimerHandle } from '../platform/clock.js';
import { uriHost } from '../signalling/hostport.js';
import { cseqNumber, header } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import { wireHeaders } from '../signalling/respond.js';
import type {
  SrfAck,
  SrfEngine,
  SrfRequest,
  SrfRequestOptions,
  SrfResponse,
} from '../signalling/srf-types.js';
import { NoResponseError } from './errors.js';

/** How long the engine may take to say that it has sent a request. */
const SENT_TIMEOUT_MS = 5000;
/** How long after a CANCEL the final response may take: 64*T1 (RFC 3261 §9.1) and a margin for the engine's own. */
const CANCEL_TIMEOUT_MS = 40_000;

/** Challenges that one request answers: a first, and one that says that its nonce was too old. */
const MAX_CHALLENGES = 2;

/** What becomes of a request of ours. After `onFinal` or `onFailure` nothing more is called. */
export interface ClientRequestUser {
  /** The engine has put the request on the wire. */
  onSent?(sent: SrfRequest): void;
  onProvisional?(res: SrfResponse, ack: SrfAck): void;
  /** A 401 or 407; the request is sent again with credentials. */
  onChallenge?(res: SrfResponse): void;
  onFinal(res: SrfResponse, ack: SrfAck): void;
  onFailure(error: NoResponseError): void;
  /** UPDATE of the peer while this request is open: srf hands it to the request that it finds by Call-ID. */
  onUpdate?(req: SrfRequest, res: SrfResponse): void;
}

export interface OutgoingRequest {
  readonly method: string;
  /** Request-URI; absent inside a dialog, where the engine puts the remote target. */
  readonly uri?: string;
  /** Next hop outside a dialog. */
  readonly proxy?: string;
  /** The dialog to send it in. */
  readonly dialogId?: string;
  readonly headers?: OutgoingHeaders;
  readonly body?: string;
  /** Credentials for a 401 or 407 (RFC 3261 §22); without them it is the final response. `isAgain` after a first answer. */
  answerChallenge?(
    res: SrfResponse,
    method: string,
    uri: string,
    isAgain: boolean,
  ): OutgoingHeaders | undefined;
  /** Longest wait for the final response once sent, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * A request of ours with a sure end: exactly one of `onFinal` and `onFailure`, whatever becomes of the engine. Works by
 * callbacks, since a promise's continuation runs after the next frames of the same chunk, which may hold the BYE.
 */
export class ClientRequest {
  private sent: SrfRequest | undefined;
  private timer: TimerHandle | undefined;
  private isOver = false;
  private pendingCancel: OutgoingHeaders | undefined;
  private isCancelled = false;
  private challenges = 0;

  constructor(
    private readonly engine: Pick<SrfEngine, 'request'>,
    private readonly clock: Clock,
    private readonly request: OutgoingRequest,
    private readonly user: ClientRequestUser,
  ) {
    this.send(request);
  }

  private send(request: OutgoingRequest): void {
    const { clock } = this;
    clock.clearTimeout(this.timer);
    this.timer = clock.setTimeout(() => this.fail('the engine did not send it in time'), SENT_TIMEOUT_MS);
    try {
      this.engine.request(toOptions(request), (error, sent) => this.onEcho(error, sent));
    } catch (error) {
      // Never from inside the constructor: the owner has no reference yet.
      queueMicrotask(() => this.fail('the engine is not connected', error));
    }
  }

  /** Sends CANCEL, as soon as the INVITE is on the wire (RFC 3261 §9.1). The final response follows as usual. */
  cancel(headers: OutgoingHeaders = {}): void {
    if (this.isOver || this.isCancelled) return;
    if (!this.sent) {
      this.pendingCancel = headers;
      return;
    }
    this.isCancelled = true;
    this.arm(CANCEL_TIMEOUT_MS);
    try {
      this.sent.cancel({ headers: wireHeaders(headers) });
    } catch (error) {
      this.fail('CANCEL could not be sent', error);
    }
  }

  private onEcho(error: Error | null, sent: SrfRequest | undefined): void {
    if (error || !sent) {
      this.fail('the engine refused it', error);
      return;
    }
    this.sent = sent;
    // Given up already: a request that reached the wire late is taken back.
    if (this.isOver) {
      sent.on('response', () => undefined);
      if (sent.method === 'INVITE') sent.cancel({});
      return;
    }
    sent.on('response', (res, ack) => this.onResponse(res, ack));
    sent.on('update', (req, res) => this.user.onUpdate?.(req, res));
    this.arm(this.request.timeoutMs);
    this.user.onSent?.(sent);
    if (this.pendingCancel) this.cancel(this.pendingCancel);
  }

  private onResponse(res: SrfResponse, ack: SrfAck): void {
    if (this.isOver) return;
    if (res.status < 200) {
      this.user.onProvisional?.(res, ack);
      return;
    }
    if ((res.status === 401 || res.status === 407) && this.sendAgain(res)) return;
    this.finish();
    this.user.onFinal(res, ack);
  }

  /** RFC 3261 §22.2: the same request with credentials; same Call-ID, To and From, next CSeq (RFC 3261 §8.1.3.5). */
  private sendAgain(res: SrfResponse): boolean {
    const { request, sent } = this;
    if (!sent || this.isCancelled || this.challenges >= MAX_CHALLENGES) return false;
    const isAgain = this.challenges > 0;
    const credentials = request.answerChallenge?.(res, request.method, sent.uri, isAgain);
    if (!credentials) return false;
    this.challenges++;
    this.user.onChallenge?.(res);
    const headers = { ...request.headers, ...credentials };
    const { source_address: address, source_port: port, protocol } = res;
    // The next one behind a name need not know the nonce.
    const proxy = request.proxy ?? `sip:${uriHost(address)}:${port};transport=${protocol}`;
    this.sent = undefined;
    if (request.dialogId !== undefined) this.send({ ...request, headers });
    else {
      const callId = header(sent, 'call-id');
      const cseq = `${cseqNumber(sent) + 1} ${request.method}`;
      const identity = { From: header(sent, 'from'), 'Call-ID': callId, CSeq: cseq };
      this.send({ ...request, proxy, headers: { ...headers, ...identity } });
    }
    return true;
  }

  private arm(timeoutMs: number): void {
    this.clock.clearTimeout(this.timer);
    this.timer = this.clock.setTimeout(() => this.fail('no final response in time'), timeoutMs);
  }

  private fail(why: string, cause?: unknown): void {
    if (this.isOver) return;
    this.finish();
    this.user.onFailure(new NoResponseError(`${this.request.method}: ${why}`, cause));
  }

  private finish(): void {
    this.isOver = true;
    this.clock.clearTimeout(this.timer);
  }
}

function toOptions(request: OutgoingRequest): SrfRequestOptions {
  return {
    method: request.method,
    // The engine replaces the placeholder by the remote target.
    uri: request.uri ?? 'sip:placeholder',
    headers: wireHeaders(request.headers ?? {}),
    ...(request.body && { body: request.body }),
    ...(request.proxy !== undefined && { proxy: request.proxy }),
    ...(request.dialogId !== undefined && { stackDialogId: request.dialogId }),
  };
}
