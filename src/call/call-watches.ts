import type { Clock, TimerHandle } from '../platform/clock.js';
import type { LegLimits } from '../routing/leg-limits.js';
import { Liveness, type WatchedCall } from './liveness.js';
import { type HeardCall, type SilencePolicy, SilenceWatch } from './silence.js';
import type { SavedCall } from './survival/saved-call.js';

/** A call that may have to end by itself. */
interface MortalCall extends WatchedCall, HeardCall {
  finish(name: 'duration-exceeded', by: 'SERVER'): void;
}

/** What ends a call that is up by itself: phones that vanished, media that stopped, the longest duration. */
export class CallWatches {
  /** Longest time from answer to end, seconds. */
  maxDurationSec = Number.POSITIVE_INFINITY;
  private readonly liveness: Liveness;
  private readonly silence: SilenceWatch;
  private readonly clock: Clock;
  private durationTimer: TimerHandle | undefined;
  /** Wall milliseconds at which the longest duration is over. */
  private endsAt: number | undefined;

  constructor(
    private readonly call: MortalCall,
    deps: { readonly clock: Clock; readonly checkMs: number; readonly silence: SilencePolicy },
  ) {
    this.clock = deps.clock;
    this.liveness = new Liveness(call, deps.clock, deps.checkMs);
    this.silence = new SilenceWatch(call, deps.clock, deps.silence);
  }

  /** The call is up. */
  start(): void {
    this.liveness.start();
    this.silence.start();
  }

  stop(): void {
    this.liveness.stop();
    this.silence.stop();
    this.clock.clearTimeout(this.durationTimer);
  }

  /** Another party may be silent for another time. */
  hearAnew(): void {
    this.silence.start();
  }

  /** The shortest of the limits that were taken counts, from now on. */
  take(limits: Pick<LegLimits, 'maxDurationSec'> | undefined): void {
    this.maxDurationSec = Math.min(this.maxDurationSec, limits?.maxDurationSec ?? Number.POSITIVE_INFINITY);
    this.endAt(this.clock.now() + this.maxDurationSec * 1000);
  }

  /** What a restart must not lose. */
  save(): Pick<SavedCall, 'maxDurationSec' | 'endsAt'> {
    const { maxDurationSec, endsAt } = this;
    return Number.isFinite(maxDurationSec) && endsAt !== undefined ? { maxDurationSec, endsAt } : {};
  }

  /** The call was up in an earlier process. */
  restore({ maxDurationSec = Number.POSITIVE_INFINITY, endsAt }: SavedCall): void {
    this.liveness.start('restored');
    this.silence.start();
    this.maxDurationSec = maxDurationSec;
    this.endAt(endsAt ?? Number.POSITIVE_INFINITY);
  }

  private endAt(endsAt: number): void {
    const { clock } = this;
    clock.clearTimeout(this.durationTimer);
    if (!Number.isFinite(endsAt)) return;
    this.endsAt = endsAt;
    const end = (): void => this.call.finish('duration-exceeded', 'SERVER');
    this.durationTimer = clock.setTimeout(end, Math.max(0, endsAt - clock.now()));
  }
}
