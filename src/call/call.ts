import type { CallRecord, OpenRecord, ReleaseParty } from '../cdr/types.js';
import type { Logger } from '../platform/logger.js';
import type { SrfMessage, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import type { ALeg } from './a-leg.js';
import { Announcing } from './announcing.js';
import type { CallDeps, CallParties, Takeover } from './call-deps.js';
import { CallMedia } from './call-media.js';
import { CallWatches } from './call-watches.js';
import { type CauseName, causeOf } from './causes.js';
import type { Fork } from './fork.js';
import { cancelHeaders } from './header-policy.js';
import type { DialPlan } from './hunt.js';
import { InDialog } from './in-dialog.js';
import type { CalleeLeg, Leg } from './leg.js';
import { type CallEnd, endedEvent, endPhones, Release, toldBy } from './release.js';
import type { ReofferHost } from './reoffer.js';
import { Ringing } from './ringing.js';
import { SAVED_CALL_VERSION, type SavedCall } from './survival/saved-call.js';
import { Trail } from './trail.js';
import type { TrunkPlace } from './trunk-port.js';
import type { CallState } from './types.js';

/** Most phones that a call may have seen when it is transferred once more. */
const MAX_LEGS = 100;

/**
 * One call: the caller's leg, the callee's phones, one state, one timeline (RFC 7092 §3). `Ringing` carries it to the
 * answer, `InDialog` takes what comes after, and every way out leads through `end`.
 */
export class Call implements ReofferHost {
  readonly id: string;
  readonly trail: Trail;
  readonly media: CallMedia;
  readonly startTime: number;
  readonly allow: string;
  readonly log: Logger;
  /** The subscriber that calls; undefined until it has shown who it is. */
  caller: string | undefined;
  /** The trunk that the call came from. */
  trunkIn: string | undefined;
  /** The subscriber whose phones are rung, or will be in a moment. */
  routedTo: string | undefined;
  /** What a REFER or an INVITE with Replaces began and has not ended yet. */
  transfer: Takeover | undefined;
  /** Who sent the last REFER. */
  lastReferrer: Leg | undefined;
  /** Wall milliseconds at which the caller had its 200. */
  answerTime: number | undefined;

  private readonly places: TrunkPlace[] = [];
  private phase: 'routing' | 'ringing' | 'connected' | 'ending' = 'routing';
  private readonly held = new Set<Leg>();
  private readonly ringing: Ringing;
  private readonly inDialog: InDialog;
  private readonly watches: CallWatches;
  private readonly announcing: Announcing;
  private substitute: CalleeLeg | undefined;
  private release: Pick<Release, 'done'> | undefined;
  private waiting: ((record: Promise<CallRecord>) => void)[] | undefined;

  constructor(
    private readonly deps: CallDeps,
    private readonly record: OpenRecord,
    readonly a: ALeg,
    readonly parties: CallParties,
  ) {
    this.id = record.id;
    this.trail = new Trail(record, () => deps.registry.changed(this));
    this.allow = deps.allow;
    this.log = deps.log.child({ call: record.id, callId: a.callId });
    this.media = new CallMedia(() => deps.relay.open(record.id));
    this.startTime = record.timeline[0]?.at ?? deps.clock.now();
    this.ringing = new Ringing(this, deps);
    this.inDialog = new InDialog(this, this.ringing, deps);
    this.watches = new CallWatches(this, deps);
    this.announcing = new Announcing(this, deps.clock, deps.announcer);
    a.join(this.trail, (req, res) => this.onRequest(a, req, res));
  }

  get fork(): Fork {
    return this.ringing.fork;
  }

  get timeline(): OpenRecord['timeline'] {
    return this.record.timeline;
  }

  get state(): CallState {
    if (this.announcing.isOn) return 'announcing';
    return this.phase === 'connected' && this.held.size > 0 ? 'held' : this.phase;
  }

  isHeldBy(leg: Leg): boolean {
    return this.held.has(leg);
  }

  /** Nothing leads to an answer any more, though the caller may hear why. */
  get isEnding(): boolean {
    return this.phase === 'ending' || this.announcing.isOn;
  }

  get isConnected(): boolean {
    return this.phase === 'connected';
  }

  /** Answered and acknowledged: a new offer may be made. */
  get isStable(): boolean {
    return this.phase === 'connected' && this.a.isAcknowledged && !this.transfer;
  }

  /** A transfer may begin: nothing is open, and the call has not seen too many phones. */
  get mayTransfer(): boolean {
    return this.isStable && !this.inDialog.isBusy && this.fork.legs.length < MAX_LEGS;
  }

  /** Who talks on the caller's side: the caller, or whom a transfer put in its place. */
  get near(): ALeg | CalleeLeg {
    return this.substitute ?? this.a;
  }

  /** The subscriber whose phone it is; undefined for those that are none. */
  userOf(leg: Leg): string | undefined {
    return leg === this.a ? this.caller : this.fork.legs.find((one) => one === leg)?.target.username;
  }

  /** Who a party is to people: its subscriber, or its number beyond a trunk. */
  nameOf(leg: Leg): string {
    return this.userOf(leg) ?? (leg === this.near ? this.parties.caller : this.parties.callee);
  }

  /** The caller sent no description and wants to be offered one (RFC 3261 §13.2.1). */
  get isLateOffer(): boolean {
    return !this.a.req.body;
  }

  /** The caller and the phone that answered. */
  get legs(): readonly Leg[] {
    const { winner } = this.fork;
    return winner ? [this.near, winner] : [this.near];
  }

  /** Who is in this call: the caller, those that are rung or will be in a moment, or who answered. */
  get users(): ReadonlySet<string> {
    const { winner, ringing } = this.fork;
    const callees = winner ? [winner] : ringing;
    const names = [
      this.userOf(this.near),
      winner ? undefined : this.routedTo,
      ...callees.map(({ target }) => target.username),
    ];
    return new Set(names.filter((name) => name !== undefined));
  }

  /** Rings the phones, round after round. Without `offer` they are asked for theirs. */
  dial(plan: DialPlan, offer: string | undefined): void {
    this.ringing.dial(plan, offer);
  }

  /** A place among outside calls, which the call has until it ends. */
  keep(place: TrunkPlace): void {
    if (this.isEnding) place.release();
    else this.places.push(place);
  }

  private leavePlaces(): void {
    for (const place of this.places) place.release();
  }

  /** A request inside one of the call's dialogs, or the engine's own BYE. */
  onRequest(leg: Leg, req: SrfRequest, res: SrfResponse): void {
    this.inDialog.handle(leg, req, res);
  }

  /** The caller took its INVITE back; the engine has answered it 487. */
  onCancel(cancel?: SrfMessage): void {
    this.trail.request('a', false, 'CANCEL');
    this.a.isCancelled = true;
    // RFC 3326 §2: a Reason of the caller's goes on to the phones.
    const headers = cancel ? cancelHeaders(cancel) : {};
    if (!this.isConnected)
      this.conclude({ cause: causeOf('caller-cancelled'), by: 'CALLER', ...toldBy(headers) });
  }

  /** A phone rings. */
  rings(): void {
    if (this.phase === 'routing') this.phase = 'ringing';
  }

  /** At the first sign that the 200 is with the caller: its echo, its ACK, or a BYE. Once; later calls are ignored. */
  connected(leg: CalleeLeg): void {
    this.a.confirm();
    this.changed();
    if (this.answerTime !== undefined || this.isEnding) return;
    this.phase = 'connected';
    this.answerTime = this.deps.clock.now();
    this.watches.start();
    this.watches.take(leg.limits);
    const { name, userAgent, target } = leg;
    const { username } = target;
    if (username !== undefined) {
      this.parties.callee = username;
      this.deps.memory.hasAnswered(username);
    }
    this.trail.add({
      kind: 'answered',
      leg: name,
      ...(userAgent !== undefined && { userAgent }),
      ...(username !== undefined && { username }),
    });
  }

  /** Longest time from answer to end, seconds. */
  get maxDurationSec(): number {
    return this.watches.maxDurationSec;
  }

  set maxDurationSec(seconds: number) {
    this.watches.maxDurationSec = seconds;
  }

  /** Something is new that a restart must not lose. */
  changed(): void {
    this.deps.saver?.touch(this);
  }

  /** What it goes on with after a restart; undefined when it is not answered, or something is open that does not outlive one. */
  save(): SavedCall | undefined {
    const { a, near, fork, answerTime } = this;
    // What stands in for a caller ends with this process.
    if (near === a && a.req.source === 'application') return undefined;
    // So do conference rooms.
    if (this.legs.some((leg) => leg.isFocus)) return undefined;
    const winner = fork.winner?.save();
    const media = this.media.save();
    const isUp = this.isConnected && a.isAcknowledged && near.dialog && fork.winner?.dialog;
    if (!isUp || !winner || !media || answerTime === undefined) return undefined;
    return {
      v: SAVED_CALL_VERSION,
      a: a.save(),
      ...(near !== a && { near: near.save() }),
      winner,
      legCount: fork.legs.length,
      ...(this.caller !== undefined && { caller: this.caller }),
      ...(this.routedTo !== undefined && { routedTo: this.routedTo }),
      ...(this.trunkIn !== undefined && { trunkIn: this.trunkIn }),
      parties: { ...this.parties },
      answerTime,
      ...this.watches.save(),
      held: [...this.held].map(({ name }) => name),
      media,
    };
  }

  /** Takes up where `save` was called in an earlier process; its media follows. */
  revive(saved: SavedCall, winner: CalleeLeg, near: CalleeLeg | undefined): void {
    const { a, fork } = this;
    a.restore();
    this.phase = 'connected';
    this.answerTime = saved.answerTime;
    this.caller = saved.caller;
    this.routedTo = saved.routedTo;
    this.trunkIn = saved.trunkIn;
    // Those that lost or left count, so that phones to come get names of their own.
    while (fork.legs.length < saved.legCount - (near ? 2 : 1)) fork.legs.push(winner);
    fork.legs.push(...(near ? [near, winner] : [winner]));
    fork.winner = winner;
    if (near) {
      this.substitute = near;
      a.ended();
    }
    for (const leg of this.legs) if (saved.held.includes(leg.name)) this.held.add(leg);
    this.watches.restore(saved);
    this.changed();
  }

  /** This process ends and the call goes on in the next one: nothing is said to the phones but those that a transfer rings. */
  leave(): void {
    this.transfer?.stop(this);
    this.phase = 'ending';
    this.watches.stop();
  }

  /** Another phone takes the place of one that leaves; holds of before are over. */
  replace(leaving: Leg, leg: CalleeLeg, maxDurationSec: number): void {
    const { side, party, name } = leaving;
    for (const { party: by } of this.held) this.trail.add({ kind: 'resumed', by });
    this.held.clear();
    const username = leg.target.username;
    const isNear = leaving === this.near;
    const at = this.fork.legs.indexOf(leg);
    const newName = `b${at < 0 ? this.fork.legs.push(leg) : at + 1}`;
    leg.moveTo({
      name: newName,
      side,
      party,
      trail: this.trail,
      onRequest: (req, res) => this.onRequest(leg, req, res),
    });
    this.deps.registry.bind(leg.dialogId, this, leg);
    if (isNear) this.substitute = leg;
    else this.fork.winner = leg;
    const shown = username ?? leg.target.room;
    if (shown !== undefined) this.parties[isNear ? 'caller' : 'callee'] = shown;
    if (leg.target.room !== undefined) this.trail.add({ kind: 'conference', room: leg.target.room });
    this.log.debug({ left: name, came: newName }, 'transferred');
    this.watches.take({ maxDurationSec });
    this.watches.take(leg.limits);
    if (this.isConnected) this.watches.hearAnew();
    this.changed();
  }

  /** Phones ring and nobody has it yet. */
  get mayBePickedUp(): boolean {
    return this.phase !== 'ending' && !this.isLateOffer && this.fork.ringing.length > 0 && this.a.isTrying;
  }

  /** Its INVITE took another call: the record is closed, the leg lives on there. */
  handOver(reason: CauseName): ALeg {
    const { trail, record, deps } = this;
    this.phase = 'ending';
    this.leavePlaces();
    this.inDialog.abort();
    trail.add(endedEvent(causeOf(reason), 'SERVER'));
    this.release = { done: Promise.resolve(record.finish()) };
    deps.registry.remove(this);
    return this.a;
  }

  /** A phone takes the call in place of those that ring. */
  pickUp(leg: ALeg, username: string): void {
    const name = `b${this.fork.legs.length + 1}`;
    leg.becomeCallee(name, username, this.trail, (req, res) => this.onRequest(leg, req, res));
    this.deps.registry.bind(leg.dialogId, this, leg);
    const { uri: contact, address, port, transport } = leg.target;
    this.trail.add({ kind: 'attempt', leg: name, contact, address, port, transport, callId: leg.callId });
    this.trail.add({ kind: 'picked-up', leg: name, by: username });
    this.ringing.pickUp(leg);
  }

  /** Ends the call; later calls are ignored. Resolves the closed record. */
  end(end: CallEnd): Promise<CallRecord> {
    if (!this.release) {
      this.phase = 'ending';
      this.leavePlaces();
      this.ringing.stop();
      this.announcing.stop();
      this.watches.stop();
      this.inDialog.abort();
      this.transfer?.stop(this);
      this.release = new Release(this, this.record, this.deps.clock, end);
      for (const tell of this.waiting ?? []) tell(this.release.done);
      const { caller, dialled } = this.parties;
      this.log.debug({ caller, dialled, reason: end.cause.name, by: end.by }, 'call ends');
    }
    return this.release.done.finally(() => this.deps.registry.remove(this));
  }

  /** Resolves the closed record once the call is over. */
  closed(): Promise<CallRecord> {
    const { release } = this;
    if (release) return release.done;
    return new Promise((resolve) => {
      this.waiting ??= [];
      this.waiting.push(resolve);
    });
  }

  /** `end` for those who do not wait for the record; the caller may hear first why its call fails. */
  conclude(end: CallEnd): void {
    if (this.announcing.takes(end)) {
      this.ringing.stop();
      // Nobody is to answer, or to wait for its ACK, while the caller hears why.
      void Promise.allSettled(endPhones(this, end));
      return;
    }
    this.end(end).catch((error: unknown) => this.log.error({ err: error }, 'a call did not end cleanly'));
  }

  /** `conclude` with nothing to add to the cause. */
  finish(name: CauseName, by: ReleaseParty): void {
    this.conclude({ cause: causeOf(name), by });
  }

  /** Something of ours went wrong: this call ends, the others go on. */
  crash(error: unknown): void {
    this.log.error({ err: error }, 'a call failed inside');
    this.finish('server-error', 'SERVER');
  }

  other(leg: Leg): Leg | undefined {
    return leg === this.near ? this.fork.winner : this.near;
  }

  watchCancel(req: SrfRequest, cancelled: () => void): void {
    this.deps.registry.watchCancel(req, cancelled);
  }

  onDialogLost(leg: Leg): void {
    this.finish('dialog-lost', leg.party);
  }

  onSilence(by: ReleaseParty): void {
    this.finish('media-silent', by);
  }

  onMediaLost(): void {
    this.finish('media-failed', 'SERVER');
  }

  onAgreed(by: Leg, isHold: boolean): void {
    this.changed();
    if (isHold === this.held.has(by)) return;
    if (isHold) this.held.add(by);
    else this.held.delete(by);
    this.trail.add({ kind: isHold ? 'held' : 'resumed', by: by.party });
  }
}
