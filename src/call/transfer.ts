import type { TimerHandle } from '../platform/clock.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfResponse } from '../signalling/srf-types.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { causeOf } from './causes.js';
import { CallRefusedError, NoResponseError } from './errors.js';
import { ownHeaders, reasonHeader } from './header-policy.js';
import type { DialPlan } from './hunt.js';
import type { CalleeLeg, Leg } from './leg.js';
import { offered } from './offered.js';
import { PersistentReinvite } from './persistent-reinvite.js';
import type { ReferSubscription } from './refer-subscription.js';
import { RingBack } from './ring-back.js';
import { TransferSearch } from './transfer-search.js';
import type { TrunkPlace } from './trunk-port.js';

/** How long the BYE to the one who transferred waits for the answer to the last NOTIFY. */
const NOTIFY_WAIT_MS = 2000;

/** The other call of an attended transfer. */
export interface Consulted {
  readonly call: Call;
  /** The same subscriber there. */
  readonly leaves: Leg;
  /** Whom it talks to there. */
  readonly leg: CalleeLeg;
  readonly username: string;
}

export interface TransferTask {
  readonly call: Call;
  readonly leaves: Leg;
  readonly stays: Leg;
  /** The subscriber that transfers, and the number or subscriber that it transfers to. */
  readonly by: string;
  readonly to: string;
  readonly told: ReferSubscription;
  readonly consulted?: Consulted;
  /** Throws CallRefusedError. `keep` gets a place among outside calls where the new call takes one. */
  route(keep: (place: TrunkPlace) => void): Promise<DialPlan>;
}

/**
 * One transfer that a REFER began (RFC 5589 §6.1, §7.3): the new phone is offered what the party that stays described last, its
 * answer is offered to that party, and the one who transferred gets BYE. Until the answer nothing is lost: a failure leaves
 * the calls as they were. While it lasts new offers in its calls are 491.
 */
export class Transfer {
  private isOver = false;
  private isBridged = false;
  /** Legs of the one who transfers that hung up while it went on. */
  private readonly gone = new Set<Leg>();
  private readonly search: TransferSearch;
  private reinvite: PersistentReinvite | undefined;
  private ringBack: RingBack | undefined;
  /** Of a call to the outside; the call has it once the new phone is in it. */
  private places: TrunkPlace[] = [];

  constructor(
    private readonly task: TransferTask,
    private readonly deps: CallDeps,
  ) {
    this.search = new TransferSearch(task.call, deps, {
      onRinging: () => {
        task.told.progress(180, reasonPhrase(180));
        this.ringBack?.ring();
      },
      onEarlyMedia: (leg, sdp) => this.ringBack?.early(leg, sdp),
      onFound: (leg, sdp) => this.bridge(leg, sdp),
      onFailed: (status, reason) => this.fail(status, reason),
    });
  }

  begin(): void {
    this.task.told.progress(100, reasonPhrase(100));
    this.dial().catch((error: unknown) => {
      if (!(error instanceof CallRefusedError)) this.task.call.log.warn({ err: error }, 'a transfer failed');
      this.fail(error instanceof CallRefusedError ? error.refusal.status : 500);
    });
  }

  /** Whether the leg's BYE leaves its call to the transfer. */
  outlives(leg: Leg): boolean {
    const { leaves, consulted } = this.task;
    if (this.isOver || this.isBridged || (leg !== leaves && leg !== consulted?.leaves)) return false;
    this.gone.add(leg);
    return true;
  }

  /** One of its calls ends. */
  stop(ended: Call): void {
    const { call, consulted, told } = this.task;
    if (this.isOver) return;
    if (ended === consulted?.call) {
      this.fail(487);
      return;
    }
    this.close();
    void told.final(487, reasonPhrase(487));
    call.transfer = undefined;
    if (consulted && !this.isBridged) this.release(consulted.call, consulted.leaves);
  }

  private async dial(): Promise<void> {
    const { call, leaves, stays, consulted, route } = this.task;
    const plan = consulted ? undefined : await route((place) => this.keep(place));
    if (this.isOver) return;
    const description = unheld(call.media.descriptionOf(stays.side));
    const rewritten = await call.media.offer(stays.side, description, stays.peer);
    if (this.isOver) return;
    const offer = offered(rewritten, stays, consulted?.leg);
    if (plan) {
      this.ringBack = new RingBack(call, leaves, rewritten, this.deps.announcer);
      this.search.start(plan, offer);
    } else if (consulted) this.inviteConsulted(consulted, offer);
  }

  private keep(place: TrunkPlace): void {
    if (this.isOver) place.release();
    else this.places.push(place);
  }

  private inviteConsulted({ call, leg }: Consulted, offer: string): void {
    const lost = (): void => {
      this.fail(480);
      call.onDialogLost(leg);
    };
    if (!leg.dialog) {
      this.fail(480);
      return;
    }
    this.reinvite = new PersistentReinvite(leg.dialog, this.deps.clock, this.headers, {
      offer: () => Promise.resolve(offer),
      onFinal: (res, ack) => {
        if (res.status < 300) ack({});
        if (res.status === 481 || res.status === 408) lost();
        else if (res.status >= 300) this.fail(res.status, res.reason);
        // Too late: it has left its old session for one that is gone.
        else if (this.isOver || !res.body) this.fallen(call);
        else this.bridge(leg, res.body);
      },
      onFailure: lost,
    });
  }

  private fallen(consulted: Call): void {
    this.fail(488);
    consulted.finish('media-failed', 'SERVER');
  }

  private bridge(leg: CalleeLeg, sdp: string): void {
    this.join(leg, sdp).catch((error: unknown) => {
      const { call, consulted } = this.task;
      call.log.warn({ err: error }, 'a transferred call cannot be relayed');
      if (this.isBridged) call.onMediaLost();
      else if (consulted) this.fallen(consulted.call);
      else this.fail(500);
    });
  }

  private async join(leg: CalleeLeg, sdp: string): Promise<void> {
    const { call, leaves, stays, by, to, consulted } = this.task;
    this.ringBack?.stop();
    await call.media.answer(leaves.side, sdp, leg.peer);
    if (this.isOver) {
      if (consulted) this.fallen(consulted.call);
      return;
    }
    if (!leg.dialog) return this.fail(480);
    this.isBridged = true;
    for (const place of this.places.splice(0)) call.keep(place);
    const stayed = call.nameOf(stays);
    consulted?.call.trail.add({ kind: 'transferred', by, to: stayed });
    call.replace(leaves, leg, this.search.maxDurationSec);
    call.trail.add({ kind: 'transferred', by, to: leg.target.username ?? to, leg: leg.name });
    if (consulted) {
      consulted.call.transfer = undefined;
      consulted.call.conclude({ cause: causeOf('call-transferred'), by: 'SERVER', keep: leg });
    }
    void this.dismiss();
    this.offerToStaying(leg, sdp);
  }

  /** The one who transferred hears of it, then its leg ends. */
  private async dismiss(): Promise<void> {
    const { leaves, told } = this.task;
    const { clock } = this.deps;
    let timer: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, NOTIFY_WAIT_MS);
    });
    await Promise.race([told.final(200, 'OK'), late]);
    clock.clearTimeout(timer);
    const headers = { Reason: reasonHeader(causeOf('call-transferred')) };
    await leaves.end({ status: 487, headers });
  }

  private offerToStaying(leg: Leg, sdp: string): void {
    const { call, stays } = this.task;
    if (!stays.dialog) return;
    this.reinvite = new PersistentReinvite(stays.dialog, this.deps.clock, this.headers, {
      offer: async () => offered(await call.media.offer(leg.side, sdp, leg.peer), leg, stays),
      onFinal: (res, ack) => {
        if (res.status < 300) ack({});
        if (!this.isOver) this.agree(res).catch(() => call.onMediaLost());
      },
      onFailure: (error) =>
        error instanceof NoResponseError ? call.onDialogLost(stays) : call.onMediaLost(),
    });
  }

  /** Refused or without a description: the party goes on with what it had (RFC 3261 §14.1). */
  private async agree({ status, body }: SrfResponse): Promise<void> {
    const { call, stays } = this.task;
    if (status === 481 || status === 408) return call.onDialogLost(stays);
    if (status < 300 && body) {
      const answered = call.media.answer(stays.side, body, stays.peer);
      // The party has its ACK and may make an offer at once: the relay is told of both in turn.
      this.over();
      await answered;
    } else {
      await call.media.restore();
      this.over();
    }
  }

  private over(): void {
    if (this.isOver) return;
    this.close();
    this.task.call.transfer = undefined;
  }

  private fail(status: number, reason = reasonPhrase(status)): void {
    if (this.isOver || this.isBridged) return;
    this.close();
    this.search.stop();
    const { call, leaves, consulted, told } = this.task;
    call.log.debug({ status }, 'a transfer came to nothing');
    if (consulted) this.release(consulted.call, consulted.leaves);
    // Whoever hears of it may go on with the old call at once.
    void call.media.restore().then(() => {
      call.transfer = undefined;
      void told.final(Math.max(status, 400), reason);
      this.release(call, leaves);
    });
  }

  /** A call that goes on without the transfer, or ends because its one side left already. */
  private release(call: Call, leaves: Leg): void {
    call.transfer = undefined;
    if (this.gone.has(leaves)) call.conclude({ cause: causeOf('normal-clearing'), by: leaves.party });
  }

  private close(): void {
    this.isOver = true;
    this.reinvite?.stop();
    this.ringBack?.stop();
    for (const place of this.places.splice(0)) place.release();
    if (!this.isBridged) this.search.stop();
  }

  private get headers(): OutgoingHeaders {
    return ownHeaders(this.task.call.allow, 'User-Agent');
  }
}

/** A description without its holds, as an offer to somebody new (RFC 3264 §5.1). */
function unheld(sdp = ''): string {
  return sdp.replace(/^a=(?:sendonly|recvonly|inactive)(\r?)$/gm, 'a=sendrecv$1');
}
