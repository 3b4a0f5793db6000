import { isIP } from 'node:net';
import type { SipRequest } from '../../sip/message.js';
import { parseUri } from '../../sip/uri.js';
import type { CoreContext } from '../core/core-context.js';
import { findHop } from '../core/hop-finder.js';
import { contactUri } from '../dialog/dialog.js';
import type { Hop, Source } from '../types.js';
import { createForwarded } from './forwarded-request.js';
import { hopOf, localEnd } from './hops.js';
import { type OwnRoute, RecordRoutes } from './record-route.js';
import { maxForwardsOf } from './request-check.js';
import type { ContextOptions } from './response-context.js';
import { copyRequest, nextHopUri, removeOwnRoutes, topRouteUri } from './route-processing.js';
import type { Target } from './types.js';

/** Keeps us on the way of dialogs, and sends on what comes along: by its own routes, without asking anybody. */
export class DialogPassage {
  private readonly recordRoutes: RecordRoutes;

  /** `secret` makes the routes that we know as ours again. */
  constructor(
    private readonly ctx: CoreContext,
    secret: string,
  ) {
    this.recordRoutes = new RecordRoutes(secret);
  }

  /** Whether a request belongs to a dialog that we were told to stay in, whose user agents may both be elsewhere. */
  owns(request: SipRequest): boolean {
    return request.toTag !== undefined && this.ownRouteOf(request) !== undefined;
  }

  /** Whether a URI is a route that we wrote for the request's Call-ID. */
  isRecordRoute(uri: string, request: SipRequest): boolean {
    return this.ownRoute(uri, request) !== undefined;
  }

  /** Values of Record-Route, top first, for a request that came from `source` and goes to `hop`. */
  routesFor(request: SipRequest, source: Source, hop: Hop): string[] {
    const { protocol, address, port, flow } = source;
    const caller: Hop = flow === undefined ? { protocol, address, port } : { protocol, address, port, flow };
    return this.recordRoutes.entries({
      callId: request.callId ?? '',
      isSecure: request.requestUri.startsWith('sips:'),
      from: localEnd(this.ctx, caller),
      to: localEnd(this.ctx, hop),
      nearest: Math.max(this.ctx.nearness(address), this.ctx.nearness(hop.address)),
      back: this.needsWayBack(request, caller) ? caller : undefined,
      ahead: hop.flow === undefined ? undefined : hop,
    });
  }

  /** How a request of such a dialog goes on (RFC 3261 §16.4, §16.5, §16.6); `copy` is changed. */
  optionsFor(
    copy: SipRequest,
    source: Source,
  ): Pick<ContextOptions, 'targets' | 'createRequest' | 'onFinal'> {
    const target = this.followRoutes(copy, source);
    const { requestUri } = copy;
    return {
      targets: [target],
      createRequest: (_target, hop, maxBreadth) => {
        const local = localEnd(this.ctx, hop);
        return createForwarded(copy, { requestUri, routes: [], headers: [], maxBreadth, local });
      },
      onFinal: () => {},
    };
  }

  /** The ACK of a 2xx has no transaction (RFC 3261 §16.11): it is sent on, or lost. */
  passAck(ack: SipRequest, source: Source): void {
    if (maxForwardsOf(ack) === 0) return;
    const copy = copyRequest(ack);
    const target = this.followRoutes(copy, source);
    const { nearest = 0 } = target;
    findHop(this.ctx, () => hopOf(this.ctx, target), {
      found: (hop) => {
        if (this.ctx.nearness(hop.address) > nearest) this.ctx.counters.hopsRefused++;
        else {
          copy.set('Max-Forwards', String(maxForwardsOf(copy) - 1));
          this.ctx.sendStateless(copy, hop);
        }
      },
      unresolved: () => {},
      refused: () => {},
    });
  }

  /** Takes our routes off a request and finds the way that the others name; in place. */
  private followRoutes(request: SipRequest, source: Source): Target {
    const { nearest } = this.ownRouteOf(request) ?? { nearest: 0 };
    let last: OwnRoute | undefined;
    removeOwnRoutes(request, (uri) => {
      const own = this.ownRoute(uri, request);
      last = own ?? last;
      return own !== undefined;
    });
    const isLastHop = !request.has('route');
    const uri = nextHopUri(request);
    const target = { uri, requestUri: request.requestUri, depth: 0, nearest };
    const way = isLastHop ? (last as OwnRoute | undefined)?.way : undefined;
    return way && !isFrom(way, source) ? { ...target, hop: way } : target;
  }

  /** RFC 5626 §5.1: nobody but the caller can open its connection; nor does a private Contact lead through its NAT. */
  private needsWayBack(request: SipRequest, { protocol, address, port }: Hop): boolean {
    if (protocol !== 'udp') return true;
    const uri = parseUri(contactUri(request) ?? '');
    if (!this.ctx.detectNat || !uri || request.has('record-route')) return false;
    return isIP(uri.host) !== 0 && (uri.host !== address || (uri.port ?? 5060) !== port);
  }

  private ownRouteOf(request: SipRequest): OwnRoute | undefined {
    const top = topRouteUri(request);
    if (top === undefined) return undefined;
    return this.ownRoute(top, request) ?? this.ownRoute(request.requestUri, request);
  }

  /** The next engine on the way may have the same secret: the address has to be ours as well. */
  private ownRoute(uri: string, { callId = '' }: SipRequest): OwnRoute | undefined {
    const own = this.recordRoutes.read(uri, callId);
    return own && this.ctx.isOwnUri(uri) ? own : undefined;
  }
}

/** The way of one party is of use for the other's requests only. */
function isFrom(way: Hop, source: Source): boolean {
  if (way.flow !== undefined) return way.flow === source.flow;
  return way.address === source.address && way.port === source.port && way.protocol === source.protocol;
}
