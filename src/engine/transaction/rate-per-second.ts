import type { Clock } from '../../platform/clock.js';

/** Counts what is done in each second and says when it is enough. */
export class RatePerSecond {
  private sinceMs = 0;
  private count = 0;

  constructor(
    private readonly max: number,
    private readonly clock: Clock,
  ) {}

  /** Counts one more; false when this second has had its share. */
  admits(): boolean {
    const nowMs = this.clock.monotonic();
    if (nowMs - this.sinceMs >= 1000) {
      this.sinceMs = nowMs;
      this.count = 0;
    }
    return ++this.count <= this.max;
  }
}
