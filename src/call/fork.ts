import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfResponse } from '../signalling/srf-types.js';
import type { BLeg, BLegUser } from './b-leg.js';
import { bestFailure, type LegFailure } from './fork-outcome.js';
import { COMPLETED_ELSEWHERE } from './header-policy.js';

/** What the phones together do. `onAnswer` and `onFailed` exclude each other and come at most once. */
export interface ForkUser {
  onSent(leg: BLeg): void;
  onProvisional(leg: BLeg, res: SrfResponse): void;
  onAnswer(leg: BLeg, res: SrfResponse): void;
  onFailed(failure: LegFailure): void;
}

/** All phones of the callee rung at once: the first to answer wins, the others are cancelled (RFC 3261 §16.7, §13.2.2.4). */
export class Fork implements BLegUser {
  readonly legs: BLeg[] = [];
  /** The phone that answered first. */
  winner: BLeg | undefined;
  private readonly failures: LegFailure[] = [];
  private isOver = false;

  constructor(private readonly user: ForkUser) {}

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
    // RFC 3261 §16.7 step 5: a 6xx speaks for the user, so no other phone shall go on ringing.
    const isFinal = failure.status >= 600 || this.failures.length === this.legs.length;
    if (!isFinal) return;
    this.isOver = true;
    this.dropOthers(leg, {});
    this.user.onFailed(bestFailure(this.failures) ?? failure);
  }

  /** No phone can win any more. */
  close(): void {
    this.isOver = true;
  }

  private dropOthers(kept: BLeg, headers: OutgoingHeaders): void {
    for (const leg of this.legs) if (leg !== kept) void leg.end({ status: 487, headers });
  }
}
