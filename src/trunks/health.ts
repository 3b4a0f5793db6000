import type { AlarmStates } from '../alarms/types.js';
import { ClientRequest } from '../call/client-request.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import { reasonPhrase } from '../sip/reason-phrases.js';

/** How long an OPTIONS may stay unanswered, milliseconds. */
const ANSWER_TIMEOUT_MS = 5000;
/** The first look comes soon, spread so that many trunks do not ask at once. */
const FIRST_MS = 200;
const SPREAD_MS = 1000;

export interface HealthOptions {
  readonly trunk: string;
  readonly uri: string;
  readonly headers: OutgoingHeaders;
  readonly intervalMs: number;
  readonly downAfter: number;
  readonly upAfter: number;
}

/** The count behind up and down: pure, so that thresholds can be seen at a glance. */
export class HealthCount {
  isUp = true;
  private run = 0;

  constructor(
    private readonly downAfter: number,
    private readonly upAfter: number,
  ) {}

  /** Takes one result; true when the state changed by it. */
  take(isAlive: boolean): boolean {
    if (isAlive === this.isUp) {
      this.run = 0;
      return false;
    }
    this.run++;
    if (this.run < (this.isUp ? this.downAfter : this.upAfter)) return false;
    this.isUp = isAlive;
    this.run = 0;
    return true;
  }
}

/** 503 says that the trunk takes no calls, 408 and silence that nobody is there; whoever refuses otherwise is alive (RFC 3261 §11). */
export function isAlive(status: number): boolean {
  return status !== 503 && status !== 408;
}

/**
 * Asks a trunk by OPTIONS whether it is there (RFC 3261 §11). It counts as up until it has failed `downAfter` times running, and
 * as down until it has answered `upAfter` times running; while its state is in doubt it is asked four times as often.
 */
export class TrunkHealth {
  reason = 'not asked yet';
  /** Wall milliseconds of the last change. */
  since: number | undefined;
  private readonly count: HealthCount;
  private timer: TimerHandle | undefined;
  private isStopped = false;

  constructor(
    private readonly options: HealthOptions,
    private readonly engine: SrfEngine,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly alarms: AlarmStates,
  ) {
    this.count = new HealthCount(options.downAfter, options.upAfter);
    const spread = Math.min(SPREAD_MS, options.intervalMs);
    this.schedule(FIRST_MS + Math.random() * spread);
  }

  get isUp(): boolean {
    return this.count.isUp;
  }

  stop(): void {
    this.isStopped = true;
    this.clock.clearTimeout(this.timer);
  }

  private schedule(delayMs: number): void {
    if (this.isStopped) return;
    this.timer = this.clock.setTimeout(() => this.ask(), delayMs);
  }

  private ask(): void {
    const { uri, headers, intervalMs } = this.options;
    const timeoutMs = Math.min(ANSWER_TIMEOUT_MS, intervalMs);
    new ClientRequest(
      this.engine,
      this.clock,
      { method: 'OPTIONS', uri, headers, timeoutMs },
      {
        onFinal: ({ status, reason, source_address: from }) =>
          this.take(isAlive(status) && from !== '', `${status} ${reason || reasonPhrase(status)}`),
        onFailure: () => this.take(false, 'no answer'),
      },
    );
  }

  private take(alive: boolean, reason: string): void {
    if (this.isStopped) return;
    const { trunk, intervalMs } = this.options;
    this.reason = reason;
    const wasUp = this.isUp;
    if (this.count.take(alive)) {
      this.since = this.clock.now();
      const text = this.isUp ? 'a trunk came up' : 'a trunk went down';
      if (this.isUp) this.log.info({ trunk, reason }, text);
      else this.log.warn({ trunk, reason }, text);
    }
    // Also when it did not change: it may have been down before a restart, or an operator has cleared the alarm.
    if (alive === this.isUp) this.alarms.state('TRUNK_DOWN', trunk, !alive, reason);
    const isInDoubt = alive !== wasUp && this.isUp === wasUp;
    this.schedule(isInDoubt ? Math.ceil(intervalMs / 4) : intervalMs);
  }
}
