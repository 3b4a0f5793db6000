import type { Clock, TimerHandle } from '../platform/clock.js';
import { FRAME_MS } from './frame.js';

/** Frames made at once after the thread was held up; beyond, the rest is late for everybody rather than sent in a burst. */
const MAX_CATCH_UP = 10;

/**
 * One steady beat of 20 ms for all streams. Each beat is due at the start plus a whole number of frames, so that late
 * timers do not add up.
 */
export class FrameClock {
  private timer: TimerHandle | undefined;
  private dueMs = 0;
  private isRunning = false;

  constructor(
    private readonly clock: Pick<Clock, 'monotonic' | 'setTimeout' | 'clearTimeout'>,
    private readonly onFrame: () => void,
  ) {}

  /** Starts the beat; nothing when it runs. */
  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.dueMs = this.clock.monotonic() + FRAME_MS;
    this.arm();
  }

  stop(): void {
    this.isRunning = false;
    this.clock.clearTimeout(this.timer);
  }

  private arm(): void {
    this.timer = this.clock.setTimeout(() => this.beat(), Math.max(0, this.dueMs - this.clock.monotonic()));
  }

  private beat(): void {
    const now = this.clock.monotonic();
    for (let count = 0; this.isRunning && this.dueMs <= now && count < MAX_CATCH_UP; count++) {
      this.dueMs += FRAME_MS;
      this.onFrame();
    }
    if (this.dueMs <= now) this.dueMs = now + FRAME_MS;
    if (this.isRunning) this.arm();
  }
}
