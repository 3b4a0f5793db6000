import { verdictOn } from '../routing/next-round.js';
import type { RoundKind } from '../routing/types.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfResponse } from '../signalling/srf-types.js';
import type { BLeg, BLegUser } from './b-leg.js';
import type { LegFailure } from './fork-outcome.js';
import { COMPLETED_ELSEWHERE } from './header-policy.js';
import type { CalleeLeg } from './leg.js';

/** What the phones together do. `onAnswer` and `onRoundOver` exclude each other; the latter comes once a round. */
export interface ForkUser {
  onSent(leg: BLeg): void;
  onProvisional(leg: BLeg, res: SrfResponse): void;
  onAnswer(leg: BLeg, res: SrfResponse): void;
  /** Every phone of the round failed, or one of them spoke for all: then `isFinal`. */
  onRoundOver(failures: readonly LegFailure[], isFinal: boolean): void;
}

/**
 * The phones of a call, round after round. Those of a round ring at once: the first to answer wins, the others are
 * cancelled (RFC 3261 §16.7, §13.2.2.4). Phones of former rounds cannot win any more.
 */
export class Fork implements BLegUser {
  /** The phone that answered first. */
  winner: CalleeLeg | undefined;
  private round: readonly BLeg[] = [];
  private kind: RoundKind = 'phones';
  private failures: LegFailure[] = [];
  private isOver = true;

  constructor(
    private readonly user: ForkUser,
    /** Of all rounds, in the order they were rung; a transfer's phones join those of their call. */
    readonly legs: CalleeLeg[] = [],
  ) {}

  /** The phones that ring now; none once somebody answered or the search is over. */
  get ringing(): readonly BLeg[] {
    return this.isOver ? [] : this.round;
  }

  /** The next round; what its phones say counts from now on. */
  begin(legs: readonly BLeg[], kind: RoundKind): void {
    this.legs.push(...legs);
    this.round = legs;
    this.kind = kind;
    this.failures = [];
    this.isOver = false;
  }

  /** Nobody answered in time: the phones of the round are cancelled, which the record has as `attemptStatus`. Tells how those failed that did already. */
  giveUp(headers: OutgoingHeaders, attemptStatus = 487): readonly LegFailure[] {
    this.isOver = true;
    this.dropOthers(undefined, headers, attemptStatus);
    return this.failures;
  }

  onSent(leg: BLeg): void {
    this.user.onSent(leg);
  }

  onProvisional(leg: BLeg, res: SrfResponse): void {
    if (!this.isOver) this.user.onProvisional(leg, res);
  }

  onAnswer(leg: BLeg, res: SrfResponse): void {
    if (this.isOver) {
      void leg.end({ status: 487, headers: { Reason: COMPLETED_ELSEWHERE } });
      return;
    }
    this.isOver = true;
    this.winner = leg;
    this.dropOthers(leg, { Reason: COMPLETED_ELSEWHERE });
    this.user.onAnswer(leg, res);
  }

  onFailure(leg: BLeg, failure: LegFailure): void {
    if (this.isOver) return;
    this.failures.push(failure);
    const isFinal = failure.deflectTo !== undefined || verdictOn(this.kind, failure) === 'search-over';
    if (!isFinal && this.failures.length < this.round.length) return;
    this.isOver = true;
    this.dropOthers(leg, {});
    this.user.onRoundOver(this.failures, isFinal);
  }

  /** No phone can win any more. */
  close(): void {
    this.isOver = true;
  }

  /** A phone that was not rung takes the call: those that ring are cancelled. */
  take(leg: CalleeLeg): void {
    this.isOver = true;
    this.legs.push(leg);
    this.winner = leg;
    this.dropOthers(undefined, { Reason: COMPLETED_ELSEWHERE });
  }

  private dropOthers(kept: BLeg | undefined, headers: OutgoingHeaders, attemptStatus = 487): void {
    for (const leg of this.round) if (leg !== kept) void leg.end({ status: 487, headers, attemptStatus });
  }
}
