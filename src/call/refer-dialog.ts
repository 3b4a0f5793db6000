import type { Clock } from '../platform/clock.js';
import { routeUrlFor } from '../registrar/route-url.js';
import { header, type PeerAddress } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfEngine, SrfMessage, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { ClientRequest } from './client-request.js';
import { PRODUCT } from './header-policy.js';
import type { ReferDialogHolder } from './refer-subscription.js';
import type { Trail } from './trail.js';

/** A non-INVITE transaction lasts 64*T1 = 32 s (RFC 3261 §17.1.2.2); the engine answers 408 then, this is in case it does not. */
const NOTIFY_TIMEOUT_MS = 40_000;

/**
 * The dialog that a REFER outside calls makes (RFC 3515 §2.4.4). To the engine its NOTIFYs are requests of their own, since a REFER
 * makes no dialog there; they go back to where the REFER came from.
 */
export class ReferDialog implements ReferDialogHolder {
  readonly dialog = {
    request: (method: string, headers: OutgoingHeaders, body: string): Promise<SrfResponse> => {
      const send = (): Promise<SrfResponse> => this.send(method, headers, body);
      // One at a time: they would overtake each other.
      this.last = this.last.then(send, send);
      return this.last as Promise<SrfResponse>;
    },
  };
  /** Where its messages are written down. */
  trail: Trail | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private seq = 0;
  private readonly ends: Record<'From' | 'To' | 'Call-ID' | 'Contact', string>;

  /** `accepted` is the 202 as it left, with our tag. */
  constructor(
    private readonly engine: SrfEngine,
    private readonly clock: Clock,
    refer: SrfRequest,
    accepted: SrfMessage,
    private readonly target: string,
    private readonly peer: PeerAddress,
  ) {
    this.ends = {
      From: header(accepted, 'to') ?? '',
      To: header(refer, 'from') ?? '',
      'Call-ID': header(refer, 'call-id') ?? '',
      Contact: header(accepted, 'contact') ?? '',
    };
  }

  private send(method: string, headers: OutgoingHeaders, body: string): Promise<SrfResponse> {
    const { target: uri, peer, ends, trail } = this;
    trail?.request('a', true, method, body);
    return new Promise((resolve, reject) => {
      new ClientRequest(
        this.engine,
        this.clock,
        {
          method,
          uri,
          proxy: routeUrlFor(peer),
          headers: { ...ends, CSeq: `${++this.seq} ${method}`, 'User-Agent': PRODUCT, ...headers },
          body,
          timeoutMs: NOTIFY_TIMEOUT_MS,
        },
        {
          onFinal: (res) => {
            trail?.response('a', false, res.status, res.reason, method);
            resolve(res);
          },
          onFailure: reject,
        },
      );
    });
  }
}
