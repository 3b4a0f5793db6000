import type { TimerHandle } from '../../platform/clock.js';
import type { HeaderField, SipRequest, SipResponse } from '../../sip/message.js';
import type { CoreContext } from '../core/core-context.js';
import { findHop } from '../core/hop-finder.js';
import { keepAlternatives } from '../resolve/next-hops.js';
import type { ClientTransaction, ClientTransactionUser, FailureReason, Hop, Source } from '../types.js';
import type { Outcome } from './best-response.js';
import { hopOf } from './hops.js';
import type { Target } from './types.js';

/** What a branch needs of the context that it belongs to, and tells it. */
export interface BranchOwner {
  readonly ctx: CoreContext;
  /** May throw TransportError: nothing listens there. */
  createRequest(branch: Branch, hop: Hop): SipRequest;
  /** Ends our branches' names (RFC 3261 §16.6 item 8). */
  readonly branchTail: string;
  readonly provisionalTimeoutMs: number | undefined;
  readonly finalTimeoutMs: number | undefined;
  onSent(branch: Branch, request: SipRequest): void;
  /** 101 to 199. */
  onProvisional(branch: Branch, response: SipResponse): void;
  /** Each 2xx; of an INVITE there may be several, `isRepeated` from the second on (RFC 6026 §7.2). */
  onSuccess(branch: Branch, response: SipResponse, source: Source, isRepeated: boolean): void;
  /** A final response other than 2xx, before `onEnd`; also of a branch that was given up. */
  onRejection(branch: Branch, response: SipResponse, source: Source): void;
  /** `outcome` or a success is there; once. Not told from within `start`. */
  onEnd(branch: Branch): void;
  /** The next target may be tried, though this branch has no outcome yet. */
  onPassed(branch: Branch): void;
}

/** One of the next hops that a request is tried at (RFC 3261 §16.6): its client transaction, its time-outs, its outcome. */
export class Branch implements ClientTransactionUser {
  readonly wantsRepetitions = true;
  /** How it ended without success. */
  outcome: Outcome | undefined;
  hasSucceeded = false;
  /** Nobody waits for it any more but for the end. */
  isPassed = false;
  /** Others are tried in its place (RFC 3261 §16.7 item 4). */
  isReplaced = false;
  /** How near to this machine its hop is (see CoreContext.nearness). */
  nearness = 0;
  /** False when no hop to send it to could be used at all. */
  wasSendable = true;
  private tx: ClientTransaction | undefined;
  private isProceeding = false;
  /** Set when the branch is to be cancelled and how it counts then. */
  private givenUp: { readonly headers: readonly HeaderField[]; readonly statusCode: number } | undefined;
  private provisionalTimer: TimerHandle | undefined;
  private finalTimer: TimerHandle | undefined;
  private isStarting = false;

  constructor(
    private readonly owner: BranchOwner,
    readonly target: Target,
    /** Part of Max-Breadth (RFC 5393 §5). */
    public breadth: number,
  ) {}

  get isOver(): boolean {
    return this.outcome !== undefined || this.hasSucceeded;
  }

  start(): void {
    const { ctx } = this.owner;
    this.isStarting = true;
    findHop(ctx, () => hopOf(ctx, this.target), {
      found: (hop) => this.send(hop),
      // RFC 3261 §16.9
      unresolved: () => this.end(503),
      refused: () => {
        this.wasSendable = false;
        this.end(503);
      },
    });
    this.isStarting = false;
  }

  /**
   * Gives the branch up (RFC 3261 §16.10, §16.7 item 10): an INVITE is cancelled. Without any sign of life, and for other
   * methods, it counts as over with that status at once; else its final response is awaited.
   */
  giveUp(statusCode: number, headers: readonly HeaderField[] = []): void {
    if (this.isOver || this.givenUp) return;
    this.givenUp = { headers, statusCode };
    this.isPassed = true;
    this.stopTimers();
    this.tx?.cancel(headers);
    if (!this.isProceeding) this.end(statusCode);
  }

  /** Lets go of the response that it ended with. */
  shrink(): void {
    if (this.outcome) this.outcome = { statusCode: this.outcome.statusCode, response: undefined };
  }

  /** For the end of the engine. */
  stop(): void {
    this.stopTimers();
  }

  onProceeding(): void {
    this.isProceeding = true;
    this.owner.ctx.clock.clearTimeout(this.provisionalTimer);
  }

  onResponse(_tx: ClientTransaction, response: SipResponse, source: Source): void {
    const { statusCode } = response;
    if (statusCode < 200) {
      if (!this.isPassed) this.owner.onProvisional(this, response);
    } else if (statusCode < 300) {
      const isRepeated = this.hasSucceeded;
      this.hasSucceeded = true;
      this.stopTimers();
      this.owner.onSuccess(this, response, source, isRepeated);
    } else {
      this.owner.onRejection(this, response, source);
      this.end(statusCode, response);
    }
  }

  onFailure(_tx: ClientTransaction, reason: FailureReason): void {
    // RFC 3261 §16.8, §16.9
    if (reason === 'timeout') this.end(this.givenUp?.statusCode ?? 408);
    // RFC 5626 §5.3.1
    else this.end(reason === 'flow' ? 430 : 503);
  }

  onTerminated(): void {}

  private send(hop: Hop): void {
    const { owner } = this;
    const { ctx } = owner;
    if (this.givenUp) {
      this.end(this.givenUp.statusCode);
      return;
    }
    const { nearest } = this.target;
    this.nearness = Math.max(
      ...[hop, ...(hop.alternatives ?? [])].map(({ address }) => ctx.nearness(address)),
    );
    if (nearest !== undefined && this.nearness > nearest) {
      ctx.counters.hopsRefused++;
      this.end(403);
      return;
    }
    const request = owner.createRequest(this, hop);
    const isAllowed = ({ address }: Hop): boolean =>
      nearest === undefined || ctx.nearness(address) <= nearest;
    this.tx = ctx.createClient(request, keepAlternatives(hop, isAllowed), this, owner.branchTail);
    if (request.method === 'INVITE') this.startTimers();
    owner.onSent(this, request);
  }

  private startTimers(): void {
    const { ctx, provisionalTimeoutMs, finalTimeoutMs } = this.owner;
    const passAfter = (delayMs: number | undefined): TimerHandle | undefined =>
      delayMs === undefined ? undefined : ctx.clock.setTimeout(() => this.pass(), delayMs);
    this.provisionalTimer = passAfter(provisionalTimeoutMs);
    this.finalTimer = passAfter(finalTimeoutMs);
  }

  private stopTimers(): void {
    const { clock } = this.owner.ctx;
    clock.clearTimeout(this.provisionalTimer);
    clock.clearTimeout(this.finalTimer);
  }

  /** It took too long for the application. */
  private pass(): void {
    this.giveUp(408);
    if (!this.isOver) this.owner.onPassed(this);
  }

  private end(statusCode: number, response?: SipResponse): void {
    if (this.isOver) return;
    this.stopTimers();
    this.outcome = { statusCode, response };
    if (!this.isStarting) this.owner.onEnd(this);
  }
}
