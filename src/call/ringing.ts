import { errorMessage } from '../platform/errors.js';
import { header } from '../signalling/request.js';
import type { SrfResponse } from '../signalling/srf-types.js';
import type { ALeg } from './a-leg.js';
import type { BLeg } from './b-leg.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { isBadDescription } from './call-media.js';
import type { CauseName } from './causes.js';
import { Fork, type ForkUser } from './fork.js';
import type { LegFailure } from './fork-outcome.js';
import { answerHeaders, focusContact, provisionalHeaders } from './header-policy.js';
import { type DialPlan, Hunt } from './hunt.js';
import type { CalleeLeg } from './leg.js';
import { offered } from './offered.js';
import { offerToPicker } from './pick-up.js';

/** Provisionals that say more than that it rings, and go on to the caller even after that (RFC 3261 §21.1). */
const TELLING_PROVISIONALS = [181, 182];

/** From the first INVITE to a phone until the caller has its 200 and, in a late-offer call, the phone its answer. */
export class Ringing implements ForkUser {
  readonly fork = new Fork(this);
  private readonly hunt: Hunt;
  private hasRung = false;
  /** Of a phone that picked the call up. */
  private stopOffer: (() => void) | undefined;
  /** Provisionals and the answer of the phones, one after the other: each may wait for the relay. */
  private inOrder: Promise<void> = Promise.resolve();

  constructor(
    private readonly call: Call,
    private readonly deps: CallDeps,
  ) {
    this.hunt = new Hunt(call, deps, this.fork);
  }

  /** Rings the phones, round after round. Without `offer` they are asked for theirs (late offer). */
  dial(plan: DialPlan, offer: string | undefined): void {
    this.hunt.start(plan, offer);
  }

  /** No phone can win any more. */
  stop(): void {
    this.hunt.stop();
    this.fork.close();
    this.stopOffer?.();
  }

  onSent(leg: BLeg): void {
    this.deps.registry.bind(leg.dialogId, this.call, leg);
  }

  onProvisional(leg: BLeg, res: SrfResponse): void {
    this.hunt.heard();
    if (res.status === 199) return;
    // Without an offer of the caller there is nothing that an early description could answer.
    const sdp = this.call.isLateOffer ? undefined : res.body;
    this.queue(() => this.progress(leg, res, sdp));
  }

  onAnswer(leg: CalleeLeg, res: SrfResponse): void {
    this.hunt.stop();
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

  onRoundOver(failures: readonly LegFailure[], isFinal: boolean): void {
    this.hunt.onRoundOver(failures, isFinal);
  }

  /** A phone that was not rung takes the call, and is offered what the caller offered. */
  pickUp(leg: ALeg): void {
    const { call, fork, hunt } = this;
    const offer = hunt.description;
    hunt.stop();
    const callee = leg as ALeg & CalleeLeg;
    fork.take(callee);
    if (offer === undefined) {
      call.finish('callee-description-bad', 'SERVER');
      return;
    }
    this.stopOffer = offerToPicker(leg, this.deps.clock, call.allow, offer, {
      onAnswer: (res, ack) => {
        leg.onAcknowledge = (body) => ack(body ? { body } : {});
        this.onAnswer(callee, res);
      },
      onFailure: () => this.fail('callee-failed'),
    });
  }

  /** Late offer: the caller's answer comes in its ACK and goes on in ours (RFC 3261 §13.2.1). */
  async answerLate(leg: CalleeLeg, sdp: string | undefined): Promise<void> {
    const { call } = this;
    if (!sdp) {
      call.finish('ack-without-answer', 'CALLER');
      return;
    }
    try {
      leg.acknowledge(await call.media.answer('a', sdp, call.a.peer));
      call.changed();
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
  private async answer(leg: CalleeLeg, res: SrfResponse, sdp: string): Promise<void> {
    const { call } = this;
    if (call.isEnding) return;
    let body: string;
    try {
      body = await (call.isLateOffer
        ? call.media.offer('b', sdp, leg.peer).then((offer) => offered(offer, leg, call.a))
        : call.media.answer('b', sdp, leg.peer));
    } catch (error) {
      this.fail(isBadDescription(error) ? 'callee-description-bad' : 'media-unavailable', error);
      return;
    }
    if (call.isEnding) return;
    try {
      const focus = leg.isFocus ? focusContact(call.a.req, call.parties.callee) : {};
      await call.a.answer({ ...answerHeaders(res, call.allow), ...focus }, body);
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
