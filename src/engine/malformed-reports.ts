import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';

/** Who sent what is no SIP, since the report before. */
export interface MalformedReport {
  readonly address: string;
  /** Whether the address is proven: a connection has shown it, a datagram may lie. */
  readonly isProven: boolean;
  readonly count: number;
}

/** Reports go at most so often. Milliseconds. */
const INTERVAL_MS = 1000;
/** Sources in one report; of further ones nothing is told. */
const MAX_SOURCES = 500;

/** Gathers who sends what is no SIP and tells of it now and then, so that a flood of it costs whoever listens little. */
export class MalformedReports implements Closeable {
  private counts = new Map<string, { address: string; isProven: boolean; count: number }>();
  private timer: TimerHandle | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (reports: readonly MalformedReport[]) => void,
  ) {}

  note(address: string, isProven: boolean): void {
    const key = `${isProven ? '' : '?'}${address}`;
    const known = this.counts.get(key);
    if (known) known.count++;
    else if (this.counts.size < MAX_SOURCES) this.counts.set(key, { address, isProven, count: 1 });
    this.timer ??= this.clock.setTimeout(() => this.flush(), INTERVAL_MS);
  }

  close(): Promise<void> {
    this.clock.clearTimeout(this.timer);
    return Promise.resolve();
  }

  private flush(): void {
    this.timer = undefined;
    const reports = [...this.counts.values()];
    this.counts = new Map();
    this.tell(reports);
  }
}
