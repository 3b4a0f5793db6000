import type { HeaderField, SipRequest, SipResponse } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import { networkFacts } from '../core/application.js';
import type { CoreContext } from '../core/core-context.js';
import { RefusedError } from '../core/errors.js';
import type { Hop, ServerTransaction, ServerTransactionUser, Source } from '../types.js';
import { bestOutcome, type Outcome, toUpstream } from './best-response.js';
import { Branch, type BranchOwner } from './branch.js';
import { Breadth } from './breadth.js';
import { MAX_TARGETS } from './limits.js';
import { redirectTargets } from './redirects.js';
import type { ProxyReport, Target } from './types.js';

/** How a request is to be sent on. */
export interface ContextOptions {
  readonly targets: readonly Target[];
  readonly simultaneous: boolean;
  readonly followRedirects: boolean;
  readonly provisionalTimeoutMs: number | undefined;
  readonly finalTimeoutMs: number | undefined;
  readonly branchTail: string;
  /** Applications hear of this call as one (see CallEvents). */
  readonly isCall: boolean;
  /** The copy for a target (RFC 3261 §16.6), without our Via. May throw TransportError. */
  readonly createRequest: (target: Target, hop: Hop, maxBreadth: number) => SipRequest;
  /** The final response that is about to go upstream, and the target it came from. */
  readonly onFinal: (response: SipResponse, target: Target | undefined) => void;
  readonly onOver: () => void;
}

/**
 * A request that is proxied (the response context of RFC 3261 §16): its server transaction, the branches it was sent on,
 * and the choice of what goes back.
 */
export class ResponseContext implements BranchOwner, ServerTransactionUser {
  readonly branchTail: string;
  readonly provisionalTimeoutMs: number | undefined;
  readonly finalTimeoutMs: number | undefined;
  private readonly branches: Branch[] = [];
  private waiting: Target[];
  private readonly breadth: Breadth;
  private isLaunching = false;
  private wasCancelled = false;
  private wasSent = false;
  /** A 2xx went upstream. */
  private isAnswered = false;
  /** The final response is settled: what goes upstream after that are further 2xx. */
  private isConcluded = false;
  private isReported = false;

  constructor(
    readonly ctx: CoreContext,
    private readonly tx: ServerTransaction,
    /** As it came in, but for our own routes. */
    private request: SipRequest,
    private options: ContextOptions,
    private readonly report: ProxyReport,
  ) {
    this.branchTail = options.branchTail;
    this.provisionalTimeoutMs = options.provisionalTimeoutMs;
    this.finalTimeoutMs = options.finalTimeoutMs;
    this.waiting = options.targets.slice(0, MAX_TARGETS);
    this.breadth = new Breadth(request);
    tx.user = this;
  }

  start(): void {
    this.launch();
  }

  /** The caller gives up (RFC 3261 §16.10). */
  cancel(headers: readonly HeaderField[]): void {
    if (this.isConcluded) return;
    this.wasCancelled = true;
    this.endSearch(487, headers);
    this.launch();
  }

  /** For the end of the engine. */
  stop(): void {
    for (const branch of this.branches) branch.stop();
  }

  onFailure(): void {}

  onTerminated(): void {
    this.isConcluded = true;
    this.endSearch(487, []);
    this.done();
    this.options.onOver();
  }

  createRequest(branch: Branch, hop: Hop): SipRequest {
    return this.options.createRequest(branch.target, hop, branch.breadth);
  }

  onSent(_branch: Branch, request: SipRequest): void {
    this.wasSent = true;
    this.ctx.counters.requestsSent++;
    if (this.options.isCall) this.ctx.callEvents.attempt('application', request);
  }

  onProvisional(_branch: Branch, response: SipResponse): void {
    // RFC 4320 §4.1: nobody waits for these.
    if (this.request.method !== 'INVITE') return;
    response.removeFirst('via');
    this.tx.respond(response);
  }

  onSuccess(branch: Branch, response: SipResponse, source: Source, isRepeated: boolean): void {
    const isFirst = !this.isAnswered;
    if (!isRepeated) this.reportFinal(response, source);
    this.isAnswered = true;
    if (!this.isConcluded) this.options.onFinal(response, branch.target);
    this.isConcluded = true;
    this.forwardSuccess(response, isFirst);
    this.endSearch(487, []);
    if (isFirst) this.done();
    this.shrink();
  }

  onRejection(_branch: Branch, response: SipResponse, source: Source): void {
    if (!this.isAnswered) this.reportFinal(response, source);
  }

  onPassed(branch: Branch): void {
    this.release(branch);
    this.launch();
  }

  onEnd(branch: Branch): void {
    this.release(branch);
    const { outcome } = branch;
    if (outcome) this.takeOutcome(branch, outcome);
    this.launch();
  }

  /** Its part of Max-Breadth is for others: it is over, or cancelled (RFC 5393 §5.3.3). */
  private release(branch: Branch): void {
    this.breadth.give(branch.breadth);
    branch.breadth = 0;
  }

  private takeOutcome(branch: Branch, outcome: Outcome): void {
    const { statusCode, response } = outcome;
    // RFC 3261 §16.7 item 5
    if (statusCode >= 600) this.endSearch(487, []);
    else if (response && statusCode < 400 && this.options.followRedirects) this.follow(branch, response);
    // Who is asked for credentials brings them to this target; another one could not use them.
    else if ((statusCode === 401 || statusCode === 407) && !this.options.simultaneous) this.waiting = [];
  }

  /** RFC 3261 §16.7 item 4. */
  private follow(branch: Branch, response: SipResponse): void {
    if (this.isConcluded || this.wasCancelled) return;
    const tried = [...this.branches.map(({ target }) => target), ...this.waiting];
    const nearest = Math.max(this.ctx.nearness(this.tx.source.address), branch.nearness);
    const targets = redirectTargets(response, branch.target, tried, nearest).slice(
      0,
      Math.max(0, MAX_TARGETS - tried.length),
    );
    if (targets.length > 0) branch.isReplaced = true;
    this.waiting.unshift(...targets);
  }

  /** Sends to the next targets as far as that is due, and chooses a response when none is left. */
  private launch(): void {
    if (this.isLaunching) return;
    this.isLaunching = true;
    while (this.waiting.length > 0 && (this.options.simultaneous || !this.isBusy())) {
      const part = this.breadth.take(this.options.simultaneous ? this.waiting.length : 1);
      if (part === 0) break;
      const branch = new Branch(this, this.waiting.shift()!, part);
      this.branches.push(branch);
      branch.start();
      if (branch.isOver) this.onEnd(branch);
    }
    this.isLaunching = false;
    if (this.waiting.length === 0 && this.branches.every((branch) => branch.isOver)) this.conclude();
  }

  private isBusy(): boolean {
    return this.branches.some((branch) => !branch.isOver && !branch.isPassed);
  }

  private endSearch(statusCode: number, headers: readonly HeaderField[]): void {
    this.waiting = [];
    const wasLaunching = this.isLaunching;
    this.isLaunching = true;
    for (const branch of this.branches) branch.giveUp(statusCode, headers);
    this.isLaunching = wasLaunching;
  }

  /** RFC 3261 §16.7 items 6 to 9. */
  private conclude(): void {
    if (this.isConcluded) return;
    this.isConcluded = true;
    if (!this.wasSent && this.branches.every((branch) => !branch.wasSendable)) {
      this.refuse();
      return;
    }
    const given = this.branches
      .filter(({ isReplaced, outcome }) => outcome && !isReplaced)
      .map(({ outcome }) => outcome!);
    const best = bestOutcome(given, this.wasCancelled);
    // RFC 4320 §4.2: a client that has waited so long has given up itself.
    if (best.statusCode !== 408 || this.request.method === 'INVITE') {
      const response = toUpstream(this.request, best, given);
      const from = this.branches.find(({ outcome }) => outcome === best);
      this.options.onFinal(response, from?.target);
      this.respondFinally(response);
    }
    this.done();
    this.shrink();
  }

  /** What is left only passes on further 2xx: up to 32 s long it needs neither the request nor the responses. */
  private shrink(): void {
    this.request = this.tx.request;
    this.options = { ...this.options, targets: [], createRequest: refuseToSend, onFinal: () => {} };
    for (const branch of this.branches) branch.shrink();
  }

  /** No next hop could be used. */
  private refuse(): void {
    this.respondFinally(toUpstream(this.request, { statusCode: 500, response: undefined }, []));
    if (this.isReported) return;
    this.isReported = true;
    this.report.onRefused('error proxying request to ');
  }

  private respondFinally(response: SipResponse): void {
    this.tx.respond(response);
    if (this.options.isCall) this.ctx.callEvents.final('application', 'proxy-uas', response);
  }

  /** RFC 3261 §16.7 item 5: each 2xx to an INVITE, whatever went before; of others the first. */
  private forwardSuccess(response: SipResponse, isFirst: boolean): void {
    response.removeFirst('via');
    if (this.request.method !== 'INVITE') {
      if (isFirst) this.tx.respond(response);
    } else if (!this.tx.respond(response)) this.tx.passOn(response);
    if (isFirst && this.options.isCall) this.ctx.callEvents.final('application', 'proxy-uas', response);
  }

  private reportFinal(response: SipResponse, source: Source): void {
    if (this.options.isCall) this.ctx.callEvents.final('network', 'proxy-uac', response);
    if (this.isReported) return;
    this.report.onFinal(response.wireText ?? serializeText(response), networkFacts(response, source));
  }

  private done(): void {
    if (this.isReported) return;
    this.isReported = true;
    this.report.onDone();
  }
}

function refuseToSend(): never {
  throw new RefusedError('the search is over');
}
