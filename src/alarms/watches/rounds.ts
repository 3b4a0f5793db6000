import type { Clock, TimerHandle } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';

/** One thing that is looked at again and again. */
export interface Look {
  readonly name: string;
  /** Milliseconds from the end of one look to the next. */
  readonly everyMs: number;
  look(): void | Promise<void>;
}

/** Has each thing looked at in its own time, the first time at once. A look that fails is logged when it had not failed before. */
export class Rounds implements Closeable {
  private readonly timers = new Map<Look, TimerHandle>();
  private readonly failing = new Set<Look>();
  private isClosed = false;

  constructor(
    looks: readonly Look[],
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    for (const look of looks) void this.run(look);
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const timer of this.timers.values()) this.clock.clearTimeout(timer);
    return Promise.resolve();
  }

  private async run(look: Look): Promise<void> {
    try {
      await look.look();
      this.failing.delete(look);
    } catch (error) {
      const reason = errorMessage(error);
      if (!this.failing.has(look)) this.log.warn({ look: look.name, reason }, 'looking for alarms failed');
      this.failing.add(look);
    }
    if (this.isClosed) return;
    this.timers.set(
      look,
      this.clock.setTimeout(() => void this.run(look), look.everyMs),
    );
  }
}
