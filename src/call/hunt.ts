import type { TimerHandle } from '../platform/clock.js';
import { failureKind } from '../routing/next-round.js';
import type { FailureKind, RoundKind } from '../routing/types.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import { BLeg, type BLegDeps } from './b-leg.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { calleeFailure, causeOf } from './causes.js';
import type { Fork } from './fork.js';
import { bestFailure, type CalleeTarget, type LegFailure } from './fork-outcome.js';
import { reasonHeader } from './header-policy.js';
import type { CallEnd } from './release.js';

/** What the INVITE to a phone may take beyond its round's time, which ends it in all but a fault of ours. */
const INVITE_TIMEOUT_MARGIN_MS = 5000;
/** Most phones that one call rings, all rounds and forwardings together. */
const MAX_LEGS = 100;
const NO_ANSWER_CANCEL = { Reason: reasonHeader(causeOf('callee-no-answer')) };

/** Phones that ring together, and for how long. */
export interface DialRound {
  readonly kind: RoundKind;
  readonly targets: readonly CalleeTarget[];
  readonly ringMs: number;
  /** How long they may say nothing at all, milliseconds. */
  readonly tryMs?: number;
}

/** A route plan made ready to be dialled. */
export interface DialPlan {
  readonly callee: string;
  readonly headers: OutgoingHeaders;
  readonly rounds: readonly DialRound[];
  /** Longest call, answer to end, seconds; Infinity for no limit. */
  readonly maxDurationSec: number;
  /** Where to go on after all rounds failed that way; undefined when the call fails then. Never rejects. */
  divert?(failure: FailureKind | { readonly deflectTo: string }): Promise<NextPlan> | undefined;
}

/** What follows a plan that failed: another one, or the end of the call. */
export type NextPlan = { readonly plan: DialPlan } | { readonly end: CallEnd };

/** Whose search it is. */
export type HuntHost = Pick<
  Call,
  'isEnding' | 'maxDurationSec' | 'trail' | 'onRequest' | 'conclude' | 'finish' | 'crash'
>;

/** The search for somebody who answers: the rounds of a plan one after the other, then those of the number it is forwarded to. */
export class Hunt {
  private plan: DialPlan | undefined;
  private next = 0;
  private offer: string | undefined;
  private roundTimer: TimerHandle | undefined;
  private silenceTimer: TimerHandle | undefined;
  private totalTimer: TimerHandle | undefined;
  private failures: LegFailure[] = [];
  private hasTimedOut = false;
  /** A phone said something, so there is one. */
  private hasHeard = false;
  private isStopped = false;

  constructor(
    private readonly call: HuntHost,
    private readonly deps: CallDeps,
    private readonly fork: Fork,
  ) {}

  /** Begins. Without `offer` the phones are asked for theirs (late offer). */
  start(plan: DialPlan, offer: string | undefined): void {
    this.offer = offer;
    const { clock, searchMs } = this.deps;
    this.totalTimer = clock.setTimeout(() => this.call.finish('callee-no-answer', 'SERVER'), searchMs);
    this.begin(plan);
  }

  /** The caller's offer as the phones get it; undefined in a late-offer call. */
  get description(): string | undefined {
    return this.offer;
  }

  /** Somebody answered, or the call is over: nobody else is rung. */
  stop(): void {
    this.isStopped = true;
    this.endRound();
    this.deps.clock.clearTimeout(this.totalTimer);
  }

  /** A phone of the round said something: it is there, though nobody takes the call yet. */
  heard(): void {
    this.hasHeard = true;
    this.deps.clock.clearTimeout(this.silenceTimer);
  }

  /** The phones of the round failed. `isFinal`: one of them spoke for the callee. */
  onRoundOver(failures: readonly LegFailure[], isFinal: boolean): void {
    this.endRound();
    this.failures.push(...failures);
    if (isFinal) this.exhausted();
    else this.nextRound();
  }

  private begin(plan: DialPlan): void {
    this.plan = plan;
    this.call.maxDurationSec = plan.maxDurationSec;
    this.next = 0;
    this.failures = [];
    this.hasTimedOut = false;
    this.hasHeard = false;
    this.nextRound();
  }

  private nextRound(): void {
    const round = this.plan?.rounds[this.next++];
    const { call, fork } = this;
    if (this.isStopped || call.isEnding) return;
    const room = MAX_LEGS - fork.legs.length;
    if (!round || room <= 0) {
      this.exhausted();
      return;
    }
    const legs = round.targets.slice(0, room).map((target, i) => this.makeLeg(target, fork.legs.length + i));
    fork.begin(legs, round.kind);
    const { clock } = this.deps;
    this.roundTimer = clock.setTimeout(() => this.onTimeout(round.kind), round.ringMs);
    if (round.tryMs !== undefined) this.silenceTimer = clock.setTimeout(() => this.onSilence(), round.tryMs);
    const { headers = {} } = this.plan ?? {};
    for (const leg of legs)
      if (!call.isEnding) leg.call(headers, this.offer, round.ringMs + INVITE_TIMEOUT_MARGIN_MS);
  }

  private makeLeg(target: CalleeTarget, index: number): BLeg {
    const { call, deps, fork } = this;
    const { engine, clock, session } = deps;
    const legDeps: BLegDeps = {
      engine,
      clock,
      session,
      trail: call.trail,
      onRequest: (leg, req, res) => call.onRequest(leg, req, res),
    };
    return new BLeg(`b${index + 1}`, target, legDeps, fork);
  }

  /** Another trunk would ring the same phone: only a silent one is followed by the next. */
  private onTimeout(kind: RoundKind): void {
    this.endRound();
    this.hasTimedOut = true;
    this.failures.push(...this.fork.giveUp(NO_ANSWER_CANCEL));
    if (kind === 'trunk') this.exhausted();
    else this.nextRound();
  }

  /** A trunk said nothing in its time. */
  private onSilence(): void {
    this.endRound();
    this.failures.push(...this.fork.giveUp({}, SILENCE.status), SILENCE);
    this.nextRound();
  }

  private endRound(): void {
    this.deps.clock.clearTimeout(this.roundTimer);
    this.deps.clock.clearTimeout(this.silenceTimer);
  }

  /** All rounds are over: the call goes on where the callee wants it, or ends by the best of the failures. */
  private exhausted(): void {
    const { call, plan } = this;
    const failure = bestFailure(this.failures);
    // Rung in vain is what the caller saw, unless somebody said that he is not to be disturbed (6xx).
    const isNoAnswer = this.hasTimedOut && (failure?.status ?? 0) < 600;
    const end = isNoAnswer || !failure ? NO_ANSWER : endOf(failure);
    const deflectTo = this.failures.find((one) => one.deflectTo !== undefined)?.deflectTo;
    const diverted =
      deflectTo === undefined
        ? this.divertBy(isNoAnswer || !failure ? 'no-answer' : failureKind(failure))
        : plan?.divert?.({ deflectTo });
    if (!diverted) {
      call.conclude(end);
      return;
    }
    diverted
      .then((next) => {
        if (this.isStopped || call.isEnding) return;
        if ('plan' in next) this.begin(next.plan);
        else call.conclude(next.end);
      })
      .catch((error: unknown) => call.crash(error));
  }

  /** A phone that said nothing at all in its time is as good as gone. */
  private divertBy(kind: FailureKind | undefined): Promise<NextPlan> | undefined {
    const { plan } = this;
    if (kind === undefined) return undefined;
    const isSilent = kind === 'no-answer' && !this.hasHeard;
    return (isSilent ? plan?.divert?.('unreachable') : undefined) ?? plan?.divert?.(kind);
  }
}

/** What stands for a trunk that said nothing: as if its transaction had timed out (RFC 3261 §8.1.3.1). */
const SILENCE: LegFailure = {
  status: 408,
  reason: 'Trunk Is Silent',
  isLocal: true,
  reasonHeader: undefined,
};

const NO_ANSWER: CallEnd = { cause: causeOf('callee-no-answer'), by: 'SERVER' };

/** How a call ends by a phone's failure. */
function endOf(failure: LegFailure): CallEnd {
  if (failure.cause) return { cause: causeOf(failure.cause), by: 'SERVER' };
  const { cause, status } = failure.isLocal ? localFailure(failure.status) : calleeFailure(failure.status);
  const isPassedOn = status === failure.status && !failure.isLocal;
  return {
    cause,
    by: failure.isLocal ? 'SERVER' : 'CALLEE',
    status,
    ...(isPassedOn && { phrase: failure.reason }),
    sip: { status: failure.status, text: failure.reason },
    ...(failure.reasonHeader !== undefined && { reason: failure.reasonHeader }),
  };
}

/** No phone could be reached, or none answered at all. */
function localFailure(status: number): Pick<Required<CallEnd>, 'cause' | 'status'> {
  const cause = causeOf(status === 408 ? 'callee-timeout' : 'callee-unreachable');
  return { cause, status: cause.status };
}
