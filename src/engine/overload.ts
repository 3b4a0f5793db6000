import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';

/** When the engine counts as overloaded. 0 turns a reason off. */
export interface OverloadSettings {
  /** Mean delay of the engine's event loop; milliseconds. */
  readonly loopDelayMs: number;
  /** Requests of peers that applications have not answered at all; ringing ones do not count. */
  readonly waitingRequests: number;
  /** Bytes written to applications that they have not read. */
  readonly backlogBytes: number;
}

/** Phones send again after 500 ms (T1): at half of that the engine begins to make its own load. */
export const DEFAULT_OVERLOAD: OverloadSettings = {
  loopDelayMs: 250,
  waitingRequests: 3000,
  backlogBytes: 8 * 1024 * 1024,
};

/** Between two looks; also the time a mean delay is taken over. Milliseconds. */
const LOOK_MS = 500;
/** Looks that must agree before the state changes: one long pause is no overload. */
const LOOKS_TO_ENTER = 2;
const LOOKS_TO_LEAVE = 4;
/** It is over when every reason is below this share of its limit. */
const LEAVE_SHARE = 0.5;
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** What the monitor looks at. */
export interface OverloadSigns {
  readonly loopDelayMs: number;
  readonly waitingRequests: number;
  readonly backlogBytes: number;
}

/** What is told of it in EngineStats. */
export interface OverloadStats extends OverloadSigns {
  /** 1 while new requests are refused. */
  readonly active: number;
  /** How often it began. */
  readonly entered: number;
}

/**
 * Watches whether the engine and its applications keep up. While they do not, the transaction layer refuses requests
 * outside dialogs, so that the calls that are up go on (RFC 3261 §21.5.4).
 */
export class OverloadMonitor implements Closeable {
  /** True while new requests are to be refused. A plain field: it is read for each of them. */
  isOverloaded = false;
  private entered = 0;
  private agreeing = 0;
  private lastSigns: OverloadSigns = { loopDelayMs: 0, waitingRequests: 0, backlogBytes: 0 };
  private timer: TimerHandle | undefined;

  constructor(
    private readonly settings: OverloadSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly signs: () => OverloadSigns,
  ) {
    this.schedule();
  }

  stats(): OverloadStats {
    return { active: this.isOverloaded ? 1 : 0, entered: this.entered, ...this.lastSigns };
  }

  close(): Promise<void> {
    this.clock.clearTimeout(this.timer);
    return Promise.resolve();
  }

  private schedule(): void {
    this.timer = this.clock.setTimeout(() => {
      this.look();
      this.schedule();
    }, LOOK_MS);
  }

  private look(): void {
    this.lastSigns = this.signs();
    const wouldChange = this.isOverloaded ? !this.isAbove(LEAVE_SHARE) : this.isAbove(1);
    this.agreeing = wouldChange ? this.agreeing + 1 : 0;
    if (this.agreeing < (this.isOverloaded ? LOOKS_TO_LEAVE : LOOKS_TO_ENTER)) return;
    this.agreeing = 0;
    this.isOverloaded = !this.isOverloaded;
    if (this.isOverloaded) this.entered++;
    const text = this.isOverloaded ? 'overloaded, new requests get 503' : 'no longer overloaded';
    this.log.warn({ ...this.lastSigns }, text);
  }

  /** Whether any reason is at or above that share of its limit. */
  private isAbove(share: number): boolean {
    const { lastSigns, settings } = this;
    const isOver = (sign: number, limit: number): boolean => limit > 0 && sign >= limit * share;
    return (
      isOver(lastSigns.loopDelayMs, settings.loopDelayMs) ||
      isOver(lastSigns.waitingRequests, settings.waitingRequests) ||
      isOver(lastSigns.backlogBytes, settings.backlogBytes)
    );
  }
}

/** Mean delay of this thread's event loop since the last look. */
export class LoopDelay implements Closeable {
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private lastLookMs = performance.now();

  constructor() {
    this.histogram.enable();
  }

  /** Milliseconds beyond what an idle loop has. */
  look(): number {
    const { count, mean } = this.histogram;
    const nowMs = performance.now();
    // Without a sample the loop has stood still since the last look.
    const intervalMs = count > 0 ? mean / NS_PER_MS : nowMs - this.lastLookMs;
    this.histogram.reset();
    this.lastLookMs = nowMs;
    return Math.max(Math.round(intervalMs - RESOLUTION_MS), 0);
  }

  close(): Promise<void> {
    this.histogram.disable();
    return Promise.resolve();
  }
}
