import type { SipRequest } from '../../sip/message.js';
import type { CoreContext } from '../core/core-context.js';
import { findHop } from '../core/hop-finder.js';
import type { LocalEnd } from '../core/local-addressing.js';
import type { Hop, Source } from '../types.js';
import { createForwarded } from './forwarded-request.js';
import { RecordRoutes } from './record-route.js';
import { maxForwardsOf } from './request-check.js';
import type { ContextOptions } from './response-context.js';
import { copyRequest, nextHopUri, removeOwnRoutes, topRouteUri } from './route-processing.js';
import type { Target } from './types.js';

/** Our end of the way to a hop. Throws TransportError when nothing listens there. */
export function localEnd(ctx: CoreContext, hop: Hop): LocalEnd {
  return { sentBy: ctx.outlet(hop).sentBy, protocol: hop.protocol };
}

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
    return request.toTag !== undefined && this.nearestOf(request) !== undefined;
  }

  /** Whether a URI is a route that we wrote for the request's Call-ID. */
  isRecordRoute(uri: string, request: SipRequest): boolean {
    return this.nearestBy(uri, request) !== undefined;
  }

  /** Values of Record-Route, top first, for a request that came from `source` and goes to `hop`. */
  routesFor(request: SipRequest, source: Source, hop: Hop): string[] {
    const { protocol, address, port, flow } = source;
    const back = flow === undefined ? { protocol, address, port } : { protocol, address, port, flow };
    const nearest = Math.max(this.ctx.nearness(address), this.ctx.nearness(hop.address));
    const isSecure = request.requestUri.startsWith('sips:');
    const ends = { from: localEnd(this.ctx, back), to: localEnd(this.ctx, hop) };
    return this.recordRoutes.entries(request.callId ?? '', isSecure, ends, nearest);
  }

  /** How a request of such a dialog goes on (RFC 3261 §16.4, §16.5, §16.6); `copy` is changed. */
  optionsFor(copy: SipRequest): Pick<ContextOptions, 'targets' | 'createRequest' | 'onFinal'> {
    const target = this.followRoutes(copy);
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
  passAck(ack: SipRequest): void {
    if (maxForwardsOf(ack) === 0) return;
    const copy = copyRequest(ack);
    const { uri, nearest = 0 } = this.followRoutes(copy);
    findHop(this.ctx, () => this.ctx.registeredFlows.find(uri) ?? this.ctx.resolve(uri), {
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
  private followRoutes(request: SipRequest): Target {
    const nearest = this.nearestOf(request);
    removeOwnRoutes(request, (uri) => this.isRecordRoute(uri, request));
    const uri = nextHopUri(request);
    return { uri, requestUri: request.requestUri, depth: 0, nearest };
  }

  private nearestOf(request: SipRequest): number | undefined {
    const top = topRouteUri(request);
    if (top === undefined) return undefined;
    return this.nearestBy(top, request) ?? this.nearestBy(request.requestUri, request);
  }

  /** The next engine on the way may have the same secret: the address has to be ours as well. */
  private nearestBy(uri: string, { callId = '' }: SipRequest): number | undefined {
    const nearest = this.recordRoutes.nearestOf(uri, callId);
    return nearest !== undefined && this.ctx.isOwnUri(uri) ? nearest : undefined;
  }
}
