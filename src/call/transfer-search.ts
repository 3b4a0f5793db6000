import type { ReleaseParty } from '../cdr/types.js';
import { holdAnswer } from '../sdp/hold-answer.js';
import { header } from '../signalling/request.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import type { BLeg } from './b-leg.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { type CauseName, causeOf } from './causes.js';
import { Fork, type ForkUser } from './fork.js';
import type { LegFailure } from './fork-outcome.js';
import { type DialPlan, Hunt, type HuntHost } from './hunt.js';
import type { Leg } from './leg.js';
import type { CallEnd } from './release.js';
import type { Trail } from './trail.js';

/** How a search goes. One of `onFound` and `onFailed` ends it. */
export interface TransferSearchUser {
  onRinging(): void;
  /** A phone that has not answered sends media. */
  onEarlyMedia?(leg: BLeg, sdp: string): void;
  /** A phone answered and has its ACK. */
  onFound(leg: BLeg, sdp: string): void;
  onFailed(status: number, reason: string): void;
}

/**
 * Rings those to whom a call is transferred, while the call goes on, or those for whom the server begins one; their legs are legs
 * of the call.
 */
export class TransferSearch implements ForkUser, HuntHost {
  maxDurationSec = Number.POSITIVE_INFINITY;
  private readonly fork: Fork;
  private readonly hunt: Hunt;
  private isOver = false;
  private hasRung = false;
  private isLateOffer = false;

  constructor(
    private readonly call: Call,
    private readonly deps: CallDeps,
    private readonly user: TransferSearchUser,
  ) {
    this.fork = new Fork(this, call.fork.legs);
    this.hunt = new Hunt(this, deps, this.fork);
  }

  get isEnding(): boolean {
    return this.isOver || this.call.isEnding;
  }

  get trail(): Trail {
    return this.call.trail;
  }

  /** Without `offer` the phones are asked for theirs, and get silence as an answer (RFC 3725 §4.1). */
  start(plan: DialPlan, offer: string | undefined): void {
    this.isLateOffer = offer === undefined;
    this.hunt.start(plan, offer);
  }

  /** Nobody is wanted any more; who rings is cancelled, who answered gets BYE. */
  stop(): void {
    this.isOver = true;
    this.hunt.stop();
    this.fork.giveUp({});
    void this.fork.winner?.end({ status: 487, headers: {} });
  }

  onSent(leg: BLeg): void {
    this.deps.registry.bind(leg.dialogId, this.call, leg);
  }

  onProvisional(leg: BLeg, { status, body }: SrfResponse): void {
    this.hunt.heard();
    if (body) this.user.onEarlyMedia?.(leg, body);
    if (status !== 180 || this.hasRung) return;
    this.hasRung = true;
    this.trail.add({ kind: 'ringing', leg: leg.name, status });
    this.user.onRinging();
  }

  onAnswer(leg: BLeg, res: SrfResponse): void {
    this.hunt.stop();
    const sdp = res.body || (this.isLateOffer ? undefined : leg.earlySdp);
    const answer = this.isLateOffer && sdp ? holdAnswer(sdp) : undefined;
    const isUsable = sdp && (!this.isLateOffer || answer);
    // What cannot be answered by silence is refused at the end of the leg.
    if (!this.isLateOffer || answer) leg.acknowledge(answer);
    // RFC 3261 §13.3.1.4: without a Contact the dialog has no remote target.
    if (header(res, 'contact') === undefined || !isUsable) this.finish('callee-description-bad');
    else this.user.onFound(leg, sdp);
  }

  onRoundOver(failures: readonly LegFailure[], isFinal: boolean): void {
    this.hunt.onRoundOver(failures, isFinal);
  }

  onRequest(leg: Leg, req: SrfRequest, res: SrfResponse): void {
    this.call.onRequest(leg, req, res);
  }

  conclude({ status, cause, phrase }: CallEnd): void {
    if (this.isOver) return;
    const code = status ?? cause.status;
    this.user.onFailed(code, phrase ?? reasonPhrase(code));
  }

  finish(name: CauseName, by: ReleaseParty = 'CALLEE'): void {
    this.conclude({ cause: causeOf(name), by });
  }

  crash(error: unknown): void {
    this.call.log.error({ err: error }, 'a transfer failed inside');
    this.finish('server-error');
  }
}
