import type { SipRequest, SipResponse } from '../../sip/message.js';
import type { Application } from '../core/application.js';
import type { CoreContext } from '../core/core-context.js';
import { findHop } from '../core/hop-finder.js';
import type { LocalEnd } from '../core/local-addressing.js';
import { reply } from '../core/own-replies.js';
import type { UaCore } from '../core/ua-core.js';
import type { Hop, ServerTransaction, Source, TransactionLayerUser } from '../types.js';
import { ChallengeMemory } from './challenge-memory.js';
import { createForwarded } from './forwarded-request.js';
import { LoopDetector } from './loop-detector.js';
import { RecordRoutes } from './record-route.js';
import { findFault, maxForwardsOf } from './request-check.js';
import { type ContextOptions, ResponseContext } from './response-context.js';
import { copyRequest, nextHopUri, removeOwnRoutes, topRouteUri } from './route-processing.js';
import type { ProxyOrder, ProxyReport, Target } from './types.js';

const NOBODY: ProxyReport = { onFinal: () => {}, onDone: () => {}, onRefused: () => {} };

/**
 * The proxy (RFC 3261 §16): sends on what applications say, and, without asking anybody, the later requests of calls that
 * it was told to stay in. All else is the user agent core's.
 */
export class ProxyCore implements TransactionLayerUser {
  /** By the name of the server transaction. */
  private readonly contexts = new Map<string, ResponseContext>();
  private readonly loops = new LoopDetector();
  private readonly recordRoutes: RecordRoutes;
  private readonly challenges: ChallengeMemory;

  /** `secret` makes the routes that we know as ours again. */
  constructor(
    private readonly ctx: CoreContext,
    private readonly core: UaCore,
    secret: string,
  ) {
    this.recordRoutes = new RecordRoutes(secret);
    this.challenges = new ChallengeMemory(ctx.clock);
  }

  /** Requests that are being proxied, those included that only absorb repetitions any more. */
  get size(): number {
    return this.contexts.size;
  }

  onRequest(tx: ServerTransaction): void {
    const { request, cancels } = tx;
    const context = cancels && this.contexts.get(cancels.id);
    if (context) this.onCancel(tx, context);
    else if (this.isPassing(request)) this.pass(tx);
    else this.core.onRequest(tx);
  }

  onAck(ack: SipRequest, source: Source): void {
    if (this.isPassing(ack)) this.passAck(ack);
    else this.core.onAck(ack, source);
  }

  /** RFC 6026 §8.9: without its transaction a response goes no further. */
  onStrayResponse(response: SipResponse, source: Source): void {
    this.core.onStrayResponse(response, source);
  }

  hasDialogOf(request: SipRequest): boolean {
    return this.core.hasDialogOf(request) || this.isPassing(request);
  }

  /** Sends on the request that waits for `app` as `txnId`. */
  proxy(app: Application, txnId: string, order: ProxyOrder, report: ProxyReport): void {
    const tx = this.core.release(app, txnId);
    if (tx) this.forward(tx, order, report);
    else report.onRefused(`Unknown transaction id: ${txnId}`);
  }

  /** Sends on a request that nobody else has; its transaction has no user from then on but us. */
  forward(tx: ServerTransaction, order: ProxyOrder, report: ProxyReport): void {
    const { method } = tx.request;
    const branchTail = this.loops.branchTail(tx.request);
    const fault = findFault(tx.request, () => this.loops.isLoop(tx.request, branchTail));
    const isCall = method === 'INVITE' && tx.request.toTag === undefined;
    if (fault) {
      tx.respond(fault.response);
      if (isCall) this.ctx.callEvents.final('application', 'proxy-uas', fault.response);
      report.onRefused(fault.reason);
      return;
    }
    const request = copyRequest(tx.request);
    const isRecordRoute = (uri: string): boolean => this.isRecordRoute(uri, request);
    removeOwnRoutes(request, isRecordRoute, (uri) => isRecordRoute(uri) || this.ctx.isOwnUri(uri));
    const context = new ResponseContext(
      this.ctx,
      tx,
      request,
      {
        ...this.common(tx, branchTail),
        targets: this.targetsOf(request, order),
        simultaneous: order.simultaneous,
        followRedirects: order.followRedirects,
        provisionalTimeoutMs: order.provisionalTimeoutMs,
        finalTimeoutMs: order.finalTimeoutMs,
        isCall,
        createRequest: (target, hop, maxBreadth) => {
          const local = this.endTo(hop);
          return createForwarded(request, {
            requestUri: target.requestUri,
            routes: order.recordRoute ? this.routesFor(request, tx.source, hop, local) : [],
            headers: order.headers,
            maxBreadth,
            local,
          });
        },
        onFinal: (response, target) => this.onFinal(tx, request, response, target),
      },
      report,
    );
    this.contexts.set(tx.id, context);
    context.start();
  }

  close(): void {
    for (const context of this.contexts.values()) context.stop();
    this.contexts.clear();
  }

  private common(tx: ServerTransaction, branchTail: string): Pick<ContextOptions, 'branchTail' | 'onOver'> {
    return { branchTail, onOver: () => this.contexts.delete(tx.id) };
  }

  /** RFC 3261 §16.5: a Request-URI that is not ours to change is kept, and the destination is but the next hop. */
  private targetsOf(request: SipRequest, order: ProxyOrder): Target[] {
    const isOurs = this.ctx.isOwnUri(request.requestUri);
    const challenger = this.challenges.destinationOf(request);
    const destinations = challenger === undefined ? order.destinations : [challenger];
    return destinations.map((uri) => {
      const requestUri = isOurs ? uri.replace(/\?.*$/, '') : request.requestUri;
      return { uri, requestUri, depth: 0, nearest: undefined };
    });
  }

  private onFinal(
    tx: ServerTransaction,
    request: SipRequest,
    response: SipResponse,
    target: Target | undefined,
  ): void {
    const { statusCode } = response;
    if (target && (statusCode === 401 || statusCode === 407)) this.challenges.learn(response, target.uri);
    if (request.method === 'REGISTER') this.ctx.registeredFlows.learn(request, tx.source, response);
  }

  /** RFC 3261 §16.10: the caller of a proxied INVITE gives up. */
  private onCancel(tx: ServerTransaction, context: ResponseContext): void {
    // RFC 3326 §2
    const reasons = tx.request.headers.filter(({ key }) => key === 'reason');
    reply(tx, 200);
    context.cancel(reasons);
  }

  /** Whether a request belongs to a dialog that we were told to stay in. */
  private isPassing(request: SipRequest): boolean {
    return (
      request.toTag !== undefined && this.nearestOf(request) !== undefined && !this.core.hasDialogOf(request)
    );
  }

  private isRecordRoute(uri: string, { callId = '' }: SipRequest): boolean {
    return this.recordRoutes.nearestOf(uri, callId) !== undefined;
  }

  private nearestOf(request: SipRequest): number | undefined {
    const { callId = '', requestUri } = request;
    const top = topRouteUri(request);
    if (top === undefined) return undefined;
    return this.recordRoutes.nearestOf(top, callId) ?? this.recordRoutes.nearestOf(requestUri, callId);
  }

  /** A later request of such a dialog: by its own routes to where they lead (RFC 3261 §16.4 to §16.6). */
  private pass(tx: ServerTransaction): void {
    const { request } = tx;
    if (request.method === 'INVITE') reply(tx, 100);
    const branchTail = this.loops.branchTail(request);
    const fault = findFault(request, () => this.loops.isLoop(request, branchTail));
    if (fault) {
      tx.respond(fault.response);
      return;
    }
    const copy = copyRequest(request);
    const target = this.followRoutes(copy);
    if (request.method === 'BYE') this.ctx.callEvents.stop('network', 'normal-release', request);
    const context = new ResponseContext(
      this.ctx,
      tx,
      copy,
      {
        ...this.common(tx, branchTail),
        targets: [target],
        simultaneous: false,
        followRedirects: false,
        provisionalTimeoutMs: undefined,
        finalTimeoutMs: undefined,
        isCall: false,
        createRequest: (_target, hop, maxBreadth) => {
          const { requestUri } = copy;
          const local = this.endTo(hop);
          const sent = createForwarded(copy, { requestUri, routes: [], headers: [], maxBreadth, local });
          if (sent.method === 'BYE') this.ctx.callEvents.stop('application', 'normal-release', sent);
          return sent;
        },
        onFinal: () => {},
      },
      NOBODY,
    );
    this.contexts.set(tx.id, context);
    context.start();
  }

  /** The ACK of a 2xx has no transaction (RFC 3261 §16.11): it is sent on, or lost. */
  private passAck(ack: SipRequest): void {
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

  private routesFor(request: SipRequest, source: Source, hop: Hop, to: LocalEnd): string[] {
    const { protocol, address, port, flow } = source;
    const back = flow === undefined ? { protocol, address, port } : { protocol, address, port, flow };
    const nearest = Math.max(this.ctx.nearness(address), this.ctx.nearness(hop.address));
    const isSecure = request.requestUri.startsWith('sips:');
    const ends = { from: this.endTo(back), to };
    return this.recordRoutes.entries(request.callId ?? '', isSecure, ends, nearest);
  }

  private endTo(hop: Hop): LocalEnd {
    return { sentBy: this.ctx.outlet(hop).sentBy, protocol: hop.protocol };
  }
}
