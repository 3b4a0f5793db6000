import type { LeftRecord, OpenRecord } from '../../cdr/types.js';
import { errorMessage } from '../../platform/errors.js';
import type { LegLimits } from '../../routing/leg-limits.js';
import { requestFromParts } from '../../signalling/restored-request.js';
import { ALeg } from '../a-leg.js';
import { BLeg } from '../b-leg.js';
import { Call } from '../call.js';
import type { CallDeps } from '../call-deps.js';
import { causeOf } from '../causes.js';
import { ClientRequest } from '../client-request.js';
import { reasonHeader } from '../header-policy.js';
import type { CalleeLeg, Leg } from '../leg.js';
import { endedEvent } from '../release.js';
import type { TrunkGateway } from '../trunk-port.js';
import { readSavedCall, type SavedCall, type SavedLeg } from './saved-call.js';

/** Calls whose media is made ready at once. */
const AT_ONCE = 50;
/** Phones that are asked a second whether their dialog is still there. */
const ASKED_PER_SEC = 200;
const BYE_TIMEOUT_MS = 40_000;

export interface CallRestorerOptions {
  readonly deps: CallDeps;
  /** Calls that were last known alive longer ago are over, milliseconds. */
  readonly maxAwayMs: number;
}

/** What there is so far of a call that is made again. */
interface Made {
  readonly legs: (ALeg | CalleeLeg)[];
  call?: Call;
}

/** Brings back the calls that were up when the last process ended. */
export class CallRestorer {
  constructor(private readonly options: CallRestorerOptions) {}

  /**
   * Makes a call of each record again, its media first; those that cannot go on are closed. Resolves when no dialog of theirs
   * is unknown any more. Never rejects.
   */
  async restore(left: readonly LeftRecord[]): Promise<void> {
    const { log } = this.options.deps;
    if (left.length === 0) return;
    const restored: Call[] = [];
    for (let at = 0; at < left.length; at += AT_ONCE)
      await Promise.all(
        left.slice(at, at + AT_ONCE).map(async (record) => {
          const call = await this.restoreOne(record);
          if (call) restored.push(call);
        }),
      );
    log.info({ calls: restored.length, lost: left.length - restored.length }, 'calls of the last run go on');
    this.ask(restored);
  }

  private async restoreOne(left: LeftRecord): Promise<Call | undefined> {
    const { deps, maxAwayMs } = this.options;
    const saved = readSavedCall(left.state);
    const awayMs = deps.clock.now() - left.lastKnownAt;
    const why = saved
      ? awayMs > maxAwayMs
        ? 'away for too long'
        : undefined
      : 'what was kept cannot be read';
    if (!saved || why !== undefined) {
      deps.log.warn({ call: left.id, why, awaySec: Math.round(awayMs / 1000) }, 'a call does not go on');
      left.giveUp();
      if (saved) this.hangUp(saved);
      return undefined;
    }
    const record = left.resume();
    const call = this.tryRevive(saved, record);
    if (!call) return undefined;
    try {
      await this.resumeMedia(call, saved);
    } catch (error) {
      deps.log.warn({ call: left.id, why: errorMessage(error) }, 'a call has lost its media');
      call.finish('media-failed', 'SERVER');
      return undefined;
    }
    return call.isEnding ? undefined : call;
  }

  /** One call that cannot be made again costs no other; its phones hear BYE. */
  private tryRevive(saved: SavedCall, record: OpenRecord): Call | undefined {
    const made: Made = { legs: [] };
    try {
      return this.revive(saved, record, made);
    } catch (error) {
      this.options.deps.log.error({ err: error, call: record.id }, 'a call cannot be made again');
      record.add(endedEvent(causeOf('server-error'), 'SERVER'));
      record.finish();
      this.discard(made);
      this.hangUp(saved);
      return undefined;
    }
  }

  /** Nothing is left of it, nor of its places at trunks. */
  private discard({ legs, call }: Made): void {
    call?.leave();
    for (const leg of legs) leg.ended();
  }

  /** Notes in `made` what there is, for when it fails half-way. */
  private revive(saved: SavedCall, record: OpenRecord, made: Made): Call {
    const { deps } = this.options;
    const a = this.uasLeg(saved.a);
    made.legs.push(a);
    const from = this.gateway(saved.trunkIn);
    if (from && !saved.near) {
      a.codecs = from.codecs;
      a.place = from.take();
    }
    const call = new Call(deps, record, a, { ...saved.parties });
    made.call = call;
    const place = (one: SavedLeg): CalleeLeg => {
      const leg = one.role === 'uac' ? this.uacLeg(one, call) : (this.uasLeg(one) as ALeg & CalleeLeg);
      made.legs.push(leg);
      const { name, side, party, target } = one;
      leg.moveTo({
        name,
        side,
        party,
        trail: call.trail,
        ...(target.username !== undefined && { username: target.username }),
        onRequest: (req, res) => call.onRequest(leg, req, res),
      });
      return leg;
    };
    const winner = place(saved.winner);
    const near = saved.near && place(saved.near);
    call.revive(saved, winner, near);
    // Last, so that nobody finds one that is made half only.
    deps.registry.add(call);
    for (const leg of near ? [winner, near] : [winner]) deps.registry.bind(leg.dialogId, call, leg);
    return call;
  }

  private uasLeg(saved: SavedLeg): ALeg {
    const { uri = saved.target.uri, headers = {} } = saved.invite ?? {};
    const { address, port, transport } = saved.target;
    const invite = requestFromParts('INVITE', uri, headers, { address, port, protocol: transport });
    return ALeg.restored(invite, (saved.limits ?? {}) as LegLimits, this.options.deps);
  }

  private uacLeg(saved: SavedLeg, call: Call): BLeg {
    const { engine, clock, session } = this.options.deps;
    const deps = { engine, clock, session, trail: call.trail, onRequest: () => undefined };
    return BLeg.restored(saved, deps, this.gateway(saved.trunk));
  }

  /** A trunk as it is now: its calls go on to count, its challenges are answered. */
  private gateway(trunk: string | undefined): TrunkGateway | undefined {
    if (trunk === undefined) return undefined;
    const nobody = { displayName: '', isAnonymous: false };
    const { trunks } = this.options.deps.router;
    return trunks?.gateway({ kind: 'trunk', trunk, called: '', caller: '' }, nobody);
  }

  private async resumeMedia(call: Call, { media }: SavedCall): Promise<void> {
    const { relay } = this.options.deps;
    if (!relay.resume) throw new Error('the media relay cannot go on with calls');
    call.media.resume(await relay.resume(call.id, media.session, media.agreed), media.agreed);
  }

  /** A request in each dialog makes us its application again, and shows whether the phone still has it (RFC 3261 §12.2.1.2). */
  private ask(calls: readonly Call[]): void {
    const { clock } = this.options.deps;
    calls.forEach((call, at) => {
      const askAll = (): void => {
        for (const leg of call.legs) this.lookAt(call, leg).catch((error: unknown) => call.crash(error));
      };
      clock.setTimeout(askAll, Math.floor(((2 * at) / ASKED_PER_SEC) * 1000));
    });
  }

  /** A phone that cannot be reached at all may be on its way back, by a connection of its own. */
  private async lookAt(call: Call, leg: Leg): Promise<void> {
    const found = await leg.dialog?.probe();
    if (found === 'gone' && !call.isEnding) call.onDialogLost(leg);
  }

  /** Its phones may still think that they are in it. */
  private hangUp(saved: SavedCall): void {
    const { engine, clock } = this.options.deps;
    const headers = { Reason: reasonHeader(causeOf('server-shutdown')) };
    for (const { dialogId } of [saved.near ?? saved.a, saved.winner])
      new ClientRequest(
        engine,
        clock,
        { method: 'BYE', dialogId, headers, timeoutMs: BYE_TIMEOUT_MS },
        { onFinal: () => undefined, onFailure: () => undefined },
      );
  }
}
