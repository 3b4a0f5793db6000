import type { TrunkPlace } from '../call/trunk-port.js';
import type { Clock } from '../platform/clock.js';
import type { PayerFacts } from '../routing/outside-types.js';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Calls of one subscriber and day that are counted, and subscribers remembered; beyond, the oldest is forgotten. */
const MAX_BEGUN = 20_000;
const MAX_PAYERS = 50_000;

/** What a trunk may have; 0 for any number. */
export interface UsageLimits {
  readonly maxCalls: number;
  readonly maxRate: number;
}

/** What a subscriber may have; Infinity for any number. */
export type PayerLimits = Pick<PayerFacts, 'username' | 'maxCalls' | 'maxHour' | 'maxDay'>;

interface Load {
  in: number;
  out: number;
  refused: number;
  /** Monotonic milliseconds of the calls begun in the last second. */
  begun: number[];
}

/** Who has how many calls beyond trunks, and began how many. Kept in memory: each server counts for itself, from its start. */
export class TrunkUsage {
  private readonly loads = new Map<string, Load>();
  private readonly live = new Map<string, number>();
  private readonly begun = new Map<string, number[]>();

  constructor(private readonly clock: Clock) {}

  /** A place for one more call; undefined, and counted, when the trunk has as many as it may. */
  take(trunk: string, direction: 'in' | 'out', { maxCalls, maxRate }: UsageLimits): TrunkPlace | undefined {
    const load = this.load(trunk);
    const isFull = maxCalls > 0 && load.in + load.out >= maxCalls;
    if (isFull || (maxRate > 0 && this.rateOf(trunk) >= maxRate)) {
      load.refused++;
      return undefined;
    }
    load[direction]++;
    load.begun.push(this.clock.monotonic());
    return placeOf(() => {
      load[direction]--;
    });
  }

  /** A subscriber begins a call to the outside; undefined when it has as many as it may. */
  begin({ username, maxCalls, maxHour, maxDay }: PayerLimits): TrunkPlace | undefined {
    const times = this.timesOf(username, DAY_MS);
    const { hour, day } = this.begunBy(username);
    const calls = this.callsOf(username);
    if (calls >= maxCalls || hour >= maxHour || day >= maxDay) return undefined;
    times.push(this.clock.monotonic());
    if (times.length > MAX_BEGUN) times.shift();
    this.begun.delete(username);
    this.begun.set(username, times);
    if (this.begun.size > MAX_PAYERS) this.begun.delete(this.begun.keys().next().value!);
    this.live.set(username, calls + 1);
    return placeOf(() => {
      const left = this.callsOf(username) - 1;
      if (left > 0) this.live.set(username, left);
      else this.live.delete(username);
    });
  }

  of(trunk: string): Readonly<Omit<Load, 'begun'>> & { readonly rate: number } {
    const { in: callsIn, out, refused } = this.load(trunk);
    return { in: callsIn, out, refused, rate: this.rateOf(trunk) };
  }

  callsOf(payer: string): number {
    return this.live.get(payer) ?? 0;
  }

  /** Outside calls that a subscriber began in the last hour and day. */
  begunBy(payer: string): { readonly hour: number; readonly day: number } {
    return { hour: this.timesOf(payer, HOUR_MS).length, day: this.timesOf(payer, DAY_MS).length };
  }

  private timesOf(payer: string, withinMs: number): number[] {
    const since = this.clock.monotonic() - withinMs;
    return (this.begun.get(payer) ?? []).filter((time) => time > since);
  }

  private rateOf(trunk: string): number {
    const load = this.load(trunk);
    const since = this.clock.monotonic() - SECOND_MS;
    load.begun = load.begun.filter((time) => time > since);
    return load.begun.length;
  }

  private load(trunk: string): Load {
    let load = this.loads.get(trunk);
    if (!load) {
      load = { in: 0, out: 0, refused: 0, begun: [] };
      this.loads.set(trunk, load);
    }
    return load;
  }
}

/** A place that is given back once, however often that is asked for. */
function placeOf(release: () => void): TrunkPlace {
  let isHeld = true;
  return {
    release: () => {
      if (isHeld) release();
      isHeld = false;
    },
  };
}
