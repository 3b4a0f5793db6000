import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Leg } from './leg.js';

/** A phone that could not be reached at all gets a second chance after this long: it may be changing networks. */
const RETRY_MS = 10_000;

/** After a restart phones are asked this often at least: an engine may have told one of them that its call is gone. */
const RESTORED_INTERVAL_MS = 20_000;
/** So long after a restart a phone that cannot be reached may be on its way back, by a connection of its own. */
const PATIENCE_MS = 180_000;

/** Whose phones are asked. */
export interface WatchedCall {
  /** The two legs of the conversation. */
  readonly legs: readonly Leg[];
  /** A phone does not know the call any more, or is gone. */
  onDialogLost(leg: Leg): void;
}

/**
 * Asks both phones of a call now and then whether they are still in it, by OPTIONS in their dialogs (RFC 3261 §11, §12.2.1.2):
 * phones that lost power or network say no BYE, and without this their calls would stay for ever. Whatever they answer but
 * 481 and 408 shows that they are there.
 */
export class Liveness {
  private timer: TimerHandle | undefined;
  private readonly unreached = new Set<Leg>();
  private patientUntilMs = 0;

  /** `intervalMs` 0 means never. */
  constructor(
    private readonly call: WatchedCall,
    private readonly clock: Clock,
    private intervalMs: number,
  ) {}

  /** `restored`: the call is of an earlier process. */
  start(life: 'new' | 'restored' = 'new'): void {
    if (life === 'restored') {
      this.intervalMs = Math.min(this.intervalMs, RESTORED_INTERVAL_MS);
      this.patientUntilMs = this.clock.monotonic() + PATIENCE_MS;
    }
    if (this.intervalMs > 0) this.schedule(this.intervalMs);
  }

  stop(): void {
    this.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private schedule(delayMs: number): void {
    this.timer = this.clock.setTimeout(() => {
      void this.round();
    }, delayMs);
  }

  private async round(): Promise<void> {
    const { timer } = this;
    const found = await Promise.all(this.call.legs.map((leg) => this.look(leg)));
    // Ended meanwhile.
    if (this.timer !== timer) return;
    const lost = this.call.legs.find((_, i) => found[i] === 'gone');
    if (lost) this.call.onDialogLost(lost);
    else this.schedule(this.unreached.size > 0 ? Math.min(RETRY_MS, this.intervalMs) : this.intervalMs);
  }

  private async look(leg: Leg): Promise<'alive' | 'gone' | 'unreached'> {
    const found = (await leg.dialog?.probe()) ?? 'alive';
    const wasUnreached = this.unreached.delete(leg);
    if (found !== 'unreached') return found;
    if (this.clock.monotonic() < this.patientUntilMs) return 'unreached';
    if (wasUnreached) return 'gone';
    this.unreached.add(leg);
    return found;
  }
}
