import type { Clock, TimerHandle } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { Json } from '../../store/types.js';
import type { Call } from '../call.js';
import type { SavedCall } from './saved-call.js';

/** Changes of this time are kept together, milliseconds: a call that ends sooner is never written. */
const SAVE_AFTER_MS = 50;
/** A call that takes more is not kept: its descriptions are larger than any phone's. */
const MAX_CHARS = 65_536;

/** Keeps what answered calls need to go on after a restart, with their open records. */
export class CallSaver {
  private readonly changed = new Set<Call>();
  private timer: TimerHandle | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Something of the call that a restart must not lose is new. Cheap. */
  touch(call: Call): void {
    this.changed.add(call);
    this.timer ??= this.clock.setTimeout(() => this.flush(), SAVE_AFTER_MS);
  }

  /** Keeps all that changed. */
  flush(): void {
    this.clock.clearTimeout(this.timer);
    this.timer = undefined;
    const calls = [...this.changed];
    this.changed.clear();
    for (const call of calls) this.save(call);
  }

  /** Keeps it as it is now; false when it cannot go on after a restart. */
  save(call: Call): boolean {
    const saved: SavedCall | undefined = call.save();
    if (!saved) return false;
    const isSmall = JSON.stringify(saved).length <= MAX_CHARS;
    if (isSmall) call.trail.record.keep(saved as unknown as Json);
    else this.log.warn({ call: call.id }, 'a call is too large to be kept over a restart');
    return isSmall;
  }
}
