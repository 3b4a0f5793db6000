import type { TimerHandle } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import { header } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfResponse } from '../signalling/srf-types.js';
import { BLeg, type BLegDeps } from './b-leg.js';
import type { Call, CallDeps } from './call.js';
import { isBadDescription } from './call-media.js';
import { type Cause, type CauseName, calleeFailure, causeOf } from './causes.js';
import { Fork, type ForkUser } from './fork.js';
import type { CalleeTarget, LegFailure } from './fork-outcome.js';
import { answerHeaders, provisionalHeaders } from './header-policy.js';

/** What the INVITE to a phone may take beyond the no-answer timer, which ends it in all but a fault of ours. */
const INVITE_TIMEOUT_MARGIN_MS = 5000;
/** Provisionals that say more than that it rings, and go on to the caller even after that (RFC 3261 §21.1). */
const TELLING_PROVISIONALS = [181, 182];

/** From the first INVITE to a phone until the caller has its 200 and, in a late-offer call, the phone its answer. */
export class Ringing implements ForkUser {
  readonly fork = new Fork(this);
  private noAnswerTimer: TimerHandle | undefined;
  private hasRung = false;
  /** Provisionals and the answer of the phones, one after the other: each may wait for the relay. */
  private inOrder: Promise<void> = Promise.resolve();

  constructor(
    private readonly call: Call,
    private readonly deps: CallDeps,
  ) {}

  /** Rings the phones. Without `offer` they are asked for theirs (late offer). */
  dial(targets: readonly CalleeTarget[], headers: OutgoingHeaders, offer: string | undefined): void {
    const { engine, clock, noAnswerMs } = this.deps;
    const { call, fork } = this;
    const { trail } = call;
    const deps: BLegDeps = {
      engine,
      clock,
      trail,
      onRequest: (leg, req, res) => call.onRequest(leg, req, res),
    };
    fork.legs.push(...targets.map((target, i) => new BLeg(`b${i + 1}`, target, deps, fork)));
    this.noAnswerTimer = clock.setTimeout(() => call.finish('callee-no-answer', 'SERVER'), noAnswerMs);
    for (const leg of fork.legs)
      if (!call.isEnding) leg.call(headers, offer, noAnswerMs + INVITE_TIMEOUT_MARGIN_MS);
  }

  /** No phone can win any more. */
  stop(): void {
    this.deps.clock.clearTimeout(this.noAnswerTimer);
    this.fork.close();
  }

  onSent(leg: BLeg): void {
    this.deps.registry.bind(leg.dialogId, this.call, leg);
  }

  onProvisional(leg: BLeg, res: SrfResponse): void {
    if (res.status === 199) return;
    // Without an offer of the caller there is nothing that an early description could answer.
    const sdp = this.call.isLateOffer ? undefined : res.body;
    this.queue(() => this.progress(leg, res, sdp));
  }

  onAnswer(leg: BLeg, res: SrfResponse): void {
    this.deps.clock.clearTimeout(this.noAnswerTimer);
    const { isLateOffer } = this.call;
    // RFC 3261 §13.3.1.4: without a Contact the dialog has no remote target.
    if (header(res, 'contact') === undefined) {
      this.fail('callee-failed');
      return;
    }
    if (!isLateOffer) leg.acknowledge();
    const sdp = res.body || (isLateOffer ? undefined : leg.earlySdp);
    if (sdp) this.queue(() => this.answer(leg, res, sdp));
    else this.fail('callee-description-bad');
  }

  onFailed(failure: LegFailure): void {
    const { cause, status } = failure.isLocal ? localFailure(failure.status) : calleeFailure(failure.status);
    const isPassedOn = status === failure.status && !failure.isLocal;
    this.call.conclude({
      cause,
      by: failure.isLocal ? 'SERVER' : 'CALLEE',
      status,
      ...(isPassedOn && { phrase: failure.reason }),
      sip: { status: failure.status, text: failure.reason },
      ...(failure.reasonHeader !== undefined && { reason: failure.reasonHeader }),
    });
  }

  /** Late offer: the caller's answer comes in its ACK and goes on in ours (RFC 3261 §13.2.1). */
  async answerLate(leg: BLeg, sdp: string | undefined): Promise<void> {
    const { call } = this;
    if (!sdp) {
      call.finish('ack-without-answer', 'CALLER');
      return;
    }
    try {
      leg.acknowledge(await call.media.answer('a', sdp, call.a.peer));
    } catch (error) {
      call.log.warn({ err: error }, 'the answer in the ACK cannot be relayed');
      call.finish('media-failed', isBadDescription(error) ? 'CALLER' : 'SERVER');
    }
  }

  /** What a phone says before it answers. With several phones the caller hears the early media of the last one. */
  private async progress(leg: BLeg, res: SrfResponse, sdp: string | undefined): Promise<void> {
    const { call } = this;
    const { status } = res;
    if (!call.a.isTrying || call.isEnding) return;
    const isNews = !this.hasRung || !!sdp || TELLING_PROVISIONALS.includes(status);
    if (status === 180) {
      this.hasRung = true;
      call.rings();
      call.trail.add({ kind: 'ringing', leg: leg.name, status });
    }
    if (!isNews) return;
    const body = sdp ? await this.earlyMedia(leg, sdp) : undefined;
    if (!call.isEnding) call.a.progress(status, provisionalHeaders(res), body);
  }

  /** Early media that cannot be relayed is left out: whether there is a call is decided at the answer. */
  private async earlyMedia(leg: BLeg, sdp: string): Promise<string | undefined> {
    try {
      return await this.call.media.earlyAnswer('b', sdp, leg.peer);
    } catch (error) {
      this.call.log.info({ reason: errorMessage(error) }, 'early media cannot be relayed');
      return undefined;
    }
  }

  /** The winner's description goes to the caller. No media, no call: then the caller hears 503 and nothing is billed. */
  private async answer(leg: BLeg, res: SrfResponse, sdp: string): Promise<void> {
    const { call } = this;
    if (call.isEnding) return;
    let body: string;
    try {
      body = await (call.isLateOffer
        ? call.media.offer('b', sdp, leg.peer)
        : call.media.answer('b', sdp, leg.peer));
    } catch (error) {
      this.fail(isBadDescription(error) ? 'callee-description-bad' : 'media-unavailable', error);
      return;
    }
    if (call.isEnding) return;
    try {
      await call.a.answer(answerHeaders(res, call.allow), body);
    } catch (error) {
      this.notAnswered(error);
      return;
    }
    call.connected(leg);
  }

  /** The engine did not send our 200: the caller's CANCEL came first, or its transport is gone. */
  private notAnswered(error: unknown): void {
    const { call } = this;
    // The caller's ACK or BYE has shown otherwise.
    if (call.answerTime !== undefined) return;
    call.log.info({ reason: errorMessage(error) }, 'the answer did not reach the caller');
    call.a.ended();
    if (call.a.isCancelled) call.finish('caller-cancelled', 'CALLER');
    else call.finish('answer-not-delivered', 'SERVER');
  }

  private fail(name: CauseName, error?: unknown): void {
    this.call.log.warn({ err: error, reason: name }, 'the call cannot be answered');
    this.call.finish(name, name === 'media-unavailable' ? 'SERVER' : 'CALLEE');
  }

  private queue(task: () => Promise<void>): void {
    this.inOrder = this.inOrder.then(task).catch((error: unknown) => this.call.crash(error));
  }
}

/** No phone could be reached, or none answered at all. */
function localFailure(status: number): { cause: Cause; status: number } {
  const cause = causeOf(status === 408 ? 'callee-timeout' : 'callee-unreachable');
  return { cause, status: cause.status };
}
