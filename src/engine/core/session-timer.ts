import type { TimerHandle } from '../../platform/clock.js';
import type { CoreContext } from './core-context.js';

/** RFC 4028 §4: no session interval is shorter. */
export const MIN_SESSION_SEC = 90;

/** What to do when the time has come. */
export interface SessionTimerUser {
  /** Half of the interval is over and refreshing is ours (RFC 4028 §10). */
  onRefreshDue(): void;
  /** The peer has not refreshed the session in time (RFC 4028 §10). */
  onExpired(): void;
}

/** The session timer of one dialog (RFC 4028): who refreshes, and when. */
export class SessionTimer {
  private timer: TimerHandle | undefined;

  /** Starts at once. */
  constructor(
    private readonly ctx: CoreContext,
    readonly intervalSec: number,
    readonly isRefresherUs: boolean,
    private readonly user: SessionTimerUser,
  ) {
    this.restart();
  }

  /** The session was refreshed. */
  restart(): void {
    this.stop();
    const { intervalSec } = this;
    if (this.isRefresherUs) this.after(intervalSec / 2, () => this.user.onRefreshDue());
    else this.after(intervalSec - Math.min(32, intervalSec / 3), () => this.user.onExpired());
  }

  /** Puts our refresh off to `delaySec` seconds from now. */
  refreshAfter(delaySec: number): void {
    this.stop();
    this.after(delaySec, () => this.user.onRefreshDue());
  }

  stop(): void {
    this.ctx.clock.clearTimeout(this.timer);
  }

  private after(delaySec: number, action: () => void): void {
    this.timer = this.ctx.clock.setTimeout(action, delaySec * 1000);
  }
}
