import type { TimerHandle } from '../../platform/clock.js';
import type { CoreContext } from './core-context.js';

/** RFC 4028 §4: no session interval is shorter. */
export const MIN_SESSION_SEC = 90;

/** What to do when the time has come. */
export interface SessionTimerUser {
  /** Half of the interval is over and refreshing is ours (RFC 4028 §10). */
  onRefreshDue(): void;
  /** The session was not refreshed in time (RFC 4028 §10). */
  onExpired(): void;
}

/** The end may come so much later: it is waited for in lengths that many sessions share, and with them a queue of timers. */
const END_STEP_MS = 50;
/** The longest that one timer of a clock runs, milliseconds: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The session timer of one dialog (RFC 4028): who refreshes, and when. */
export class SessionTimer {
  private timer: TimerHandle | undefined;
  /** When the session is over unless it is refreshed, monotonic milliseconds. */
  private endsAtMs = 0;

  /** Starts at once. */
  constructor(
    private readonly ctx: Pick<CoreContext, 'clock'>,
    readonly intervalSec: number,
    readonly isRefresherUs: boolean,
    private readonly user: SessionTimerUser,
  ) {
    this.restart();
  }

  /** The session was refreshed. */
  restart(): void {
    const { intervalSec } = this;
    this.endsAtMs = this.ctx.clock.monotonic() + 1000 * (intervalSec - Math.min(32, intervalSec / 3));
    if (this.isRefresherUs) this.refreshAfter(intervalSec / 2, () => this.user.onRefreshDue());
    else this.awaitEnd();
  }

  /** Has `refresh` run in `delaySec` seconds, unless the session is over by then (RFC 4028 §10: whoever refreshes). */
  refreshAfter(delaySec: number, refresh: () => void): void {
    if (this.ctx.clock.monotonic() + 1000 * delaySec >= this.endsAtMs) this.awaitEnd();
    else
      this.after(1000 * delaySec, () => {
        this.awaitEnd();
        refresh();
      });
  }

  stop(): void {
    this.ctx.clock.clearTimeout(this.timer);
  }

  private awaitEnd(): void {
    const leftMs = this.endsAtMs - this.ctx.clock.monotonic();
    this.after(END_STEP_MS * Math.ceil(leftMs / END_STEP_MS), () => this.user.onExpired());
  }

  private after(delayMs: number, action: () => void): void {
    this.stop();
    const { clock } = this.ctx;
    if (delayMs > MAX_TIMER_MS)
      this.timer = clock.setTimeout(() => this.after(delayMs - MAX_TIMER_MS, action), MAX_TIMER_MS);
    else this.timer = clock.setTimeout(action, Math.max(delayMs, 0));
  }
}
