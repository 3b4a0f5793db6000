import { type Clock, systemClock } from '../platform/clock.js';

/** Why a source is not let in. */
export type AdmissionVerdict = 'admitted' | 'banned' | 'too-many';

export interface AdmissionOptions {
  /** Requests that one source may send within a second outside dialogs; 0 is no limit. Default 0. */
  readonly perSecond?: number;
  /** Sources that are never limited: trunks, monitoring. */
  readonly isExempt?: (address: string) => boolean;
  /** Banned sources. Default none. */
  readonly isBanned?: (address: string) => boolean;
  readonly clock?: Clock;
}

/** Sources counted at once; the one seen first goes first. */
const MAX_SOURCES = 20_000;
const WINDOW_MS = 1000;

interface SourceCount {
  requests: number;
  /** Monotonic milliseconds. */
  windowEndsAt: number;
}

/** Decides by source whether a request is looked at, before anything is spent on it. */
export class Admission {
  private readonly clock: Clock;
  private readonly sources = new Map<string, SourceCount>();
  readonly counters: Record<AdmissionVerdict, number> = { admitted: 0, banned: 0, 'too-many': 0 };

  constructor(private readonly options: AdmissionOptions = {}) {
    this.clock = options.clock ?? systemClock;
  }

  /** Judges one request from `address`, and counts it. */
  admit(address: string): AdmissionVerdict {
    const verdict = this.judge(address);
    this.counters[verdict]++;
    return verdict;
  }

  private judge(address: string): AdmissionVerdict {
    const { isBanned, isExempt, perSecond = 0 } = this.options;
    if (isBanned?.(address)) return 'banned';
    if (perSecond === 0 || isExempt?.(address)) return 'admitted';
    const count = this.countOf(address);
    count.requests++;
    return count.requests > perSecond ? 'too-many' : 'admitted';
  }

  private countOf(address: string): SourceCount {
    const now = this.clock.monotonic();
    const known = this.sources.get(address);
    if (known && known.windowEndsAt > now) return known;
    this.sources.delete(address);
    if (this.sources.size >= MAX_SOURCES) {
      const first = this.sources.keys().next();
      if (!first.done) this.sources.delete(first.value);
    }
    const count = { requests: 0, windowEndsAt: now + WINDOW_MS };
    this.sources.set(address, count);
    return count;
  }
}
