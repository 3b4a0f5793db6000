import { rejectOffer } from '../sdp/reject-offer.js';
import type { SrfAck, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import type { ALeg } from './a-leg.js';
import type { Call } from './call.js';
import type { CallDeps, Takeover } from './call-deps.js';
import { isBadDescription } from './call-media.js';
import { type CauseName, calleeFailure, causeOf } from './causes.js';
import { CallRefusedError, NoResponseError } from './errors.js';
import { ownHeaders, reasonHeader } from './header-policy.js';
import type { CalleeLeg, Leg } from './leg.js';
import { offered } from './offered.js';
import { PersistentReinvite } from './persistent-reinvite.js';

export interface ReplacementTask {
  /** The call that is taken over, and the party that goes. */
  readonly call: Call;
  readonly leaves: Leg;
  readonly stays: Leg;
  /** The call of the INVITE with Replaces, and whose phone sent it. */
  readonly own: Call;
  readonly username: string;
}

/**
 * A phone takes a party's place (RFC 3891 §3): its offer goes to the party that stays, whose answer is its 200, and who was
 * replaced gets BYE. Without an offer that party is asked for one. Until the 200 the old call is as it was: a failure is
 * the INVITE's alone.
 */
export class Replacement implements Takeover {
  /** Resolves when the phone has the call; rejects with CallRefusedError. */
  readonly done: Promise<void>;
  private isOver = false;
  private hasLeft = false;
  private reinvite: PersistentReinvite | undefined;
  private settle!: { resolve: () => void; reject: (error: Error) => void };
  /** Refuses the offer of the party that stays, which waits for the ACK of the phone. */
  private rejectLate: (() => void) | undefined;

  constructor(
    private readonly task: ReplacementTask,
    private readonly deps: CallDeps,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    task.call.transfer = this;
    this.ask();
  }

  outlives(leg: Leg): boolean {
    if (this.isOver || leg !== this.task.leaves) return false;
    this.hasLeft = true;
    return true;
  }

  stop(_ended: Call): void {
    this.rejectLate?.();
    this.fail('replaced-call-over');
  }

  private get leg(): ALeg {
    return this.task.own.a;
  }

  private ask(): void {
    const { call, leaves, stays } = this.task;
    const { dialog } = stays;
    if (!dialog) {
      this.fail('replaced-call-over');
      return;
    }
    this.reinvite = new PersistentReinvite(dialog, this.deps.clock, ownHeaders(call.allow, 'User-Agent'), {
      offer: async () => {
        const { body } = this.leg.req;
        const rewritten = body && (await call.media.offer(leaves.side, body, this.leg.peer));
        return rewritten ? offered(rewritten, this.leg, stays) : undefined;
      },
      mayRepeat: () => !this.isGivenUp,
      onFinal: (res, ack) => {
        if (res.status >= 300) this.onRefused(res);
        else this.onAccepted(res, ack).catch((error: unknown) => this.failBy(error));
      },
      onFailure: (error) => (error instanceof NoResponseError ? this.onLost() : this.failBy(error)),
    });
  }

  /** The phone has taken its INVITE back. */
  private get isGivenUp(): boolean {
    return this.isOver || this.task.own.isEnding;
  }

  private onRefused({ status }: SrfResponse): void {
    if (this.isOver) return;
    if (status === 481 || status === 408) this.onLost();
    // RFC 3261 §15.1.2: it hangs up.
    else if (status === 487) this.fail('replaced-call-over');
    else this.fail(calleeFailure(status).cause.name);
  }

  /** RFC 3261 §12.2.1.2: the party that stays is gone. */
  private onLost(): void {
    const { call, stays } = this.task;
    this.fail('replaced-call-over');
    call.onDialogLost(stays);
  }

  private async onAccepted(res: SrfResponse, ack: SrfAck): Promise<void> {
    const { call, stays } = this.task;
    const isLate = !this.leg.req.body;
    const rejection = isLate && res.body ? rejectOffer(res.body) : undefined;
    if (!rejection || this.isGivenUp) ack(rejection ? { body: rejection } : {});
    if (this.isGivenUp || !res.body) {
      if (!isLate) this.giveBack();
      return this.fail('callee-description-bad');
    }
    if (rejection) this.rejectLate = () => ack({ body: rejection });
    const { media } = call;
    const sdp = await (isLate
      ? media.offer(stays.side, res.body, stays.peer).then((offer) => offered(offer, stays, this.leg))
      : media.answer(stays.side, res.body, stays.peer));
    if (this.isOver) return;
    if (this.task.own.isEnding) {
      this.rejectLate?.();
      if (!isLate) {
        media.takeBack();
        this.giveBack();
      }
      return this.fail('callee-description-bad');
    }
    await this.take(sdp, isLate ? ack : undefined);
  }

  /** The phone is answered, then it has the place of the one that goes. */
  private async take(sdp: string, ack: SrfAck | undefined): Promise<void> {
    const { call, own, leaves, username } = this.task;
    const { leg } = this;
    const by = call.userOf(leaves) ?? '';
    leg.target = { ...leg.target, username };
    if (ack) leg.onAck = (request) => this.answerLate(leaves.side, request, ack);
    own.handOver('call-replaced');
    call.replace(leaves, leg as ALeg & CalleeLeg, Number.POSITIVE_INFINITY);
    call.trail.add({ kind: 'transferred', by, to: username, leg: leg.name });
    this.settle.resolve();
    if (!ack) this.over();
    try {
      await leg.answer(ownHeaders(call.allow, 'Server'), sdp);
    } catch {
      call.finish('answer-not-delivered', 'SERVER');
      return;
    }
    const headers = { Reason: reasonHeader(causeOf('call-replaced')) };
    if (!this.hasLeft) await leaves.end({ status: 487, headers });
  }

  /** The answer to the offer of the party that stays came in the phone's ACK (RFC 3261 §13.2.1). */
  private answerLate(side: 'a' | 'b', { body }: SrfRequest, ack: SrfAck): void {
    const { call } = this.task;
    const refuse = (): void => {
      this.rejectLate?.();
      this.rejectLate = undefined;
      call.onMediaLost();
    };
    const answered = body ? call.media.answer(side, body, this.leg.peer) : Promise.reject();
    answered
      .then((sdp) => {
        this.rejectLate = undefined;
        ack({ body: sdp });
        this.over();
      })
      .catch(refuse);
  }

  /** The party that stays has agreed to what nobody wants any more: it is asked to go on as before. */
  private giveBack(): void {
    const { call, stays } = this.task;
    const before = call.media.toldTo(stays.side);
    void call.media.restore();
    stays.dialog?.reinvite(ownHeaders(call.allow, 'User-Agent'), before, {
      onFinal: (res, ack) => {
        if (res.status < 300) ack({});
      },
      onFailure: () => call.onDialogLost(stays),
    });
  }

  private failBy(error: unknown): void {
    if (isBadDescription(error)) this.fail('offer-not-acceptable');
    else {
      this.task.call.log.warn({ err: error }, 'a call could not be taken over');
      this.fail('media-unavailable');
    }
  }

  private fail(name: CauseName): void {
    if (this.isOver) return;
    const { call, leaves } = this.task;
    this.over();
    this.reinvite?.stop();
    void call.media.restore();
    this.settle.reject(new CallRefusedError(name, 'the call could not be taken over'));
    if (this.hasLeft) call.conclude({ cause: causeOf('normal-clearing'), by: leaves.party });
  }

  private over(): void {
    this.isOver = true;
    if (this.task.call.transfer === this) this.task.call.transfer = undefined;
  }
}
