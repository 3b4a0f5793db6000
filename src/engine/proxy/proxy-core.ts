import type { SipRequest, SipResponse } from '../../sip/message.js';
import type { Application } from '../core/application.js';
import type { CoreContext } from '../core/core-context.js';
import { reply } from '../core/own-replies.js';
import type { UaCore } from '../core/ua-core.js';
import type { ProxyOrder } from '../core/way.js';
import type { ServerTransaction, Source, TransactionLayerUser } from '../types.js';
import { ChallengeMemory } from './challenge-memory.js';
import { DialogPassage } from './dialog-passage.js';
import { createForwarded } from './forwarded-request.js';
import { localEnd } from './hops.js';
import { LoopDetector } from './loop-detector.js';
import { findFault } from './request-check.js';
import { type ContextOptions, ResponseContext } from './response-context.js';
import { copyRequest, removeOwnRoutes } from './route-processing.js';
import type { ProxyReport, Target } from './types.js';

/** What nobody asked for otherwise. */
const ONE_BY_ONE = {
  simultaneous: false,
  followRedirects: false,
  provisionalTimeoutMs: undefined,
  finalTimeoutMs: undefined,
};
const NOBODY: ProxyReport = { onFinal: () => {}, onDone: () => {}, onRefused: () => {} };

/**
 * The proxy (RFC 3261 §16): sends on what applications say, and, without asking anybody, the later requests of calls that
 * it was told to stay in. All else is the user agent core's.
 */
export class ProxyCore implements TransactionLayerUser {
  /** By the name of the server transaction. */
  private readonly contexts = new Map<string, ResponseContext>();
  private readonly loops = new LoopDetector();
  private readonly passage: DialogPassage;
  private readonly challenges: ChallengeMemory;

  /** `secret` makes the routes that we know as ours again. */
  constructor(
    private readonly ctx: CoreContext,
    private readonly core: UaCore,
    secret: string,
  ) {
    this.passage = new DialogPassage(ctx, secret);
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
    if (this.isPassing(ack)) this.passage.passAck(ack, source);
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

  /** Sends on a request that no application has. */
  route(tx: ServerTransaction, order: ProxyOrder): boolean {
    this.core.surrender(tx);
    if (isNewCall(tx.request)) this.ctx.callEvents.attempt('network', tx.request);
    this.forward(tx, order, NOBODY);
    return true;
  }

  close(): void {
    for (const context of this.contexts.values()) context.stop();
    this.contexts.clear();
  }

  private forward(tx: ServerTransaction, order: ProxyOrder, report: ProxyReport): void {
    const branchTail = this.loops.branchTail(tx.request);
    const fault = findFault(tx.request, () => this.loops.isLoop(tx.request, branchTail));
    const isCall = isNewCall(tx.request);
    if (fault) {
      tx.respond(fault.response);
      if (isCall) this.ctx.callEvents.final('application', 'proxy-uas', fault.response);
      report.onRefused(fault.reason);
      return;
    }
    const request = copyRequest(tx.request);
    const isRecordRoute = (uri: string): boolean => this.passage.isRecordRoute(uri, request);
    removeOwnRoutes(request, isRecordRoute, (uri) => isRecordRoute(uri) || this.ctx.isOwnUri(uri));
    const options: ContextOptions = {
      ...this.common(tx, branchTail),
      targets: this.targetsOf(request, order),
      simultaneous: order.simultaneous,
      followRedirects: order.followRedirects,
      provisionalTimeoutMs: order.provisionalTimeoutMs,
      finalTimeoutMs: order.finalTimeoutMs,
      isCall,
      createRequest: (target, hop, maxBreadth) =>
        createForwarded(request, {
          requestUri: target.requestUri,
          routes: order.recordRoute ? this.passage.routesFor(request, tx.source, hop) : [],
          headers: order.headers,
          maxBreadth,
          local: localEnd(this.ctx, hop),
        }),
      onFinal: (response, target) => this.onFinal(tx, request, response, target),
    };
    this.open(tx, request, options, report);
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

  private isPassing(request: SipRequest): boolean {
    return this.passage.owns(request) && !this.core.hasDialogOf(request);
  }

  /** A later request of a dialog that we stay in. */
  private pass(tx: ServerTransaction): void {
    const { request } = tx;
    // RFC 3261 §16.2: a stateful proxy says 100.
    if (request.method === 'INVITE') reply(tx, 100);
    const branchTail = this.loops.branchTail(request);
    const fault = findFault(request, () => this.loops.isLoop(request, branchTail));
    if (fault) {
      tx.respond(fault.response);
      return;
    }
    const copy = copyRequest(request);
    const way = this.passage.optionsFor(copy, tx.source);
    const isBye = request.method === 'BYE';
    if (isBye) this.ctx.callEvents.stop('network', 'normal-release', request);
    const options = { ...this.common(tx, branchTail), ...ONE_BY_ONE, ...way, isCall: false };
    this.open(tx, copy, options, NOBODY);
    if (isBye) this.ctx.callEvents.stop('application', 'normal-release', request);
  }

  private open(
    tx: ServerTransaction,
    request: SipRequest,
    options: ContextOptions,
    report: ProxyReport,
  ): void {
    const context = new ResponseContext(this.ctx, tx, request, options, report);
    this.contexts.set(tx.id, context);
    context.start();
  }
}

function isNewCall(request: SipRequest): boolean {
  return request.method === 'INVITE' && request.toTag === undefined;
}
