import type { Clock, TimerHandle } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import type { RecordEntry, Store } from '../store/types.js';
import type { WaitingRecord, WaitingRecords } from './waiting-records.js';

/** Records given to the Store at once. */
const BATCH = 100;
/** A record waits this long for others to go with it: one transaction costs the same for many. Milliseconds. */
const GATHER_MS = 50;
/** Back-off between attempts while the Store is away: doubles from the first to the last. Milliseconds. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;

export interface DeliveryOptions {
  readonly store: Store;
  readonly waiting: WaitingRecords;
  readonly clock: Clock;
  readonly log: Logger;
  /** Reads a waiting record; undefined when its journal line is damaged. */
  readonly load: (waiting: WaitingRecord) => Promise<RecordEntry | undefined>;
  /** Resolves when what waits is on disk, or could not be written. */
  readonly synced: () => Promise<void>;
  /** Hears what the Store has taken, or refused for good. */
  readonly delivered: (ids: readonly string[]) => void;
}

/** Brings waiting records to the Store, oldest first, one batch at a time, for as long as it takes. */
export class StoreDelivery {
  private running: Promise<void> | undefined;
  private timer: TimerHandle | undefined;
  private attempts = 0;
  private alive = true;
  private isClosed = false;
  private readonly unsubscribe: () => void;
  /** Records that the Store will never take: logged, counted, passed over. */
  refused = 0;

  constructor(private readonly options: DeliveryOptions) {
    this.alive = options.store.alive;
    this.unsubscribe = options.store.onAvailability((alive) => {
      if (alive) this.kick();
    });
  }

  /** Whether the Store took the last batch. */
  get storeAlive(): boolean {
    return this.alive && this.options.store.alive;
  }

  /** Begins when there is something to do and nothing under way; a back-off that runs is cut short. */
  kick(): void {
    if (this.isClosed || this.running) return;
    this.options.clock.clearTimeout(this.timer);
    this.timer = undefined;
    this.running = this.run().finally(() => {
      this.running = undefined;
      if (this.options.waiting.size > 0) this.notice();
    });
  }

  /** A record has come: it goes with the next batch, at once when that is full; never before a retry that is set. */
  notice(): void {
    if (this.timer !== undefined || this.running || this.isClosed) return;
    if (this.options.waiting.size >= BATCH) this.kick();
    else this.timer = this.options.clock.setTimeout(() => this.fire(), GATHER_MS);
  }

  /** Resolves when nothing of what waits now still waits, or the Store did not take it. */
  async attempt(): Promise<void> {
    // What is under way may have begun before the last record came.
    await this.running;
    this.kick();
    await this.running;
  }

  /** Ends attempts; what the Store is taking now is waited for. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.unsubscribe();
    this.options.clock.clearTimeout(this.timer);
    await this.running;
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    try {
      let batch: WaitingRecord[];
      do {
        batch = this.options.waiting.first(BATCH);
        // Journal first, then Store.
        if (batch.some(({ location }) => location === undefined)) await this.options.synced();
        if (batch.length === 0) return;
        await this.deliver(batch);
        this.setAlive(true);
      } while (batch.length === BATCH && !this.isClosed);
    } catch (error) {
      this.setAlive(false, error);
      const delayMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.attempts++, 10));
      if (!this.isClosed) this.timer = this.options.clock.setTimeout(() => this.fire(), delayMs);
    }
  }

  private fire(): void {
    this.timer = undefined;
    this.kick();
  }

  private async deliver(batch: readonly WaitingRecord[]): Promise<void> {
    const loaded = await Promise.all(batch.map((waiting) => this.options.load(waiting)));
    const entries = loaded.filter((entry) => entry !== undefined);
    const damaged = batch.filter((_, i) => loaded[i] === undefined);
    for (const { head } of damaged) this.refuse(head.id, 'its line in the journal is damaged');
    try {
      await this.options.store.records.append(entries);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.deliverSingly(entries);
    }
    this.options.delivered(batch.map(({ head }) => head.id));
  }

  /** One bad record must not hold up the others. */
  private async deliverSingly(entries: readonly RecordEntry[]): Promise<void> {
    for (const entry of entries) {
      try {
        await this.options.store.records.append([entry]);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.refuse(entry.id, errorMessage(error));
      }
    }
  }

  private refuse(id: string, fault: string): void {
    this.refused++;
    this.options.log.error({ recordId: id, fault }, 'record cannot be stored');
  }

  private setAlive(alive: boolean, error?: unknown): void {
    if (alive) this.attempts = 0;
    if (alive === this.alive) return;
    this.alive = alive;
    const facts = { waiting: this.options.waiting.size };
    if (alive) this.options.log.info(facts, 'store takes records again');
    else this.options.log.warn({ ...facts, fault: errorMessage(error) }, 'store does not take records');
  }
}

function isRefusal(error: unknown): boolean {
  return (error as { code?: string }).code === 'STORE_ARGUMENT_INVALID';
}
