import { createHash } from 'node:crypto';
import type { Clock, TimerHandle } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import { errorMessage } from '../platform/errors.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import type { Json, Store } from '../store/types.js';
import { AlarmBook, type AlarmKeeping } from './alarm-book.js';
import { ALARMS } from './catalogue.js';
import { WRITE_DELAY_MS, WRITE_RETRY_MS } from './limits.js';
import type { Alarm } from './types.js';

/** How long the start waits for a slow Store, and the end for the last changes, milliseconds. */
const LOAD_WAIT_MS = 2000;
const LAST_WRITE_MS = 1000;
const PAGE = 1000;

export interface KeptAlarmsOptions {
  readonly store: Pick<Store, 'collection' | 'alive'>;
  /** Servers on one Store tell their alarms apart by it. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The book of alarms, joined to the Store. `close` writes what is not there yet. Never rejects: a Store that is away is told later. */
export async function openAlarms(options: KeptAlarmsOptions): Promise<AlarmBook> {
  const keeper = new AlarmKeeper(options);
  const book = new KeptAlarmBook(options, keeper);
  await keeper.start(book);
  return book;
}

/** Closes its keeper with it. */
class KeptAlarmBook extends AlarmBook {
  constructor(
    { clock, log }: KeptAlarmsOptions,
    private readonly keeper: AlarmKeeper,
  ) {
    super({ clock, log, keeping: keeper });
  }

  override async close(): Promise<void> {
    await super.close();
    await this.keeper.close();
  }
}

/** Writes alarms to the collection `alarms`, behind those who raise them: newest state of each, in the order of changes. */
class AlarmKeeper implements AlarmKeeping, Closeable {
  /** By key; undefined is to be removed. Bounded as the book is. */
  private readonly waiting = new Map<string, Alarm | undefined>();
  /** Keys that the Store may have. */
  private readonly written = new Set<string>();
  private readonly prefix: string;
  private timer: TimerHandle | undefined;
  private work: Promise<void> | undefined;
  private book: AlarmBook | undefined;
  private isClosed = false;

  constructor(private readonly options: KeptAlarmsOptions) {
    // Any name fits into a key of the Store, and none is the beginning of another.
    this.prefix = `${createHash('sha256').update(options.node).digest('hex').slice(0, 16)}:`;
  }

  /** Gives the book what the last run left, now or when the Store is back. */
  async start(book: AlarmBook): Promise<void> {
    this.book = book;
    await withDeadline(this.flush(), LOAD_WAIT_MS, 'reading alarms').catch(() => undefined);
  }

  put(alarm: Alarm): void {
    this.waiting.set(this.prefix + alarm.uid, alarm);
    this.schedule(WRITE_DELAY_MS);
  }

  forget({ uid }: Alarm): void {
    const key = this.prefix + uid;
    if (this.written.has(key)) this.waiting.set(key, undefined);
    else this.waiting.delete(key);
    this.schedule(WRITE_DELAY_MS);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.options.clock.clearTimeout(this.timer);
    await withDeadline(this.lastWrites(), LAST_WRITE_MS, 'writing alarms').catch(() => undefined);
  }

  private async lastWrites(): Promise<void> {
    await this.work;
    if (this.options.store.alive) await this.flush();
  }

  private schedule(delayMs: number): void {
    if (this.isClosed || this.timer !== undefined || this.work) return;
    this.timer = this.options.clock.setTimeout(() => {
      this.timer = undefined;
      void this.flush();
    }, delayMs);
  }

  /** Reads what is still to be read, then writes all that waits. Never rejects. */
  private flush(): Promise<void> {
    this.work ??= this.run().finally(() => {
      this.work = undefined;
      if (this.waiting.size > 0 || this.book) this.schedule(WRITE_RETRY_MS);
    });
    return this.work;
  }

  private async run(): Promise<void> {
    const { store, log } = this.options;
    const collection = store.collection('alarms');
    try {
      if (this.book) await this.load(this.book);
      for (const [key, alarm] of this.waiting) {
        if (alarm) {
          this.written.add(key);
          await collection.put(key, alarm as unknown as Json);
        } else {
          await collection.remove(key);
          this.written.delete(key);
        }
        if (this.waiting.get(key) === alarm) this.waiting.delete(key);
      }
    } catch (error) {
      log.debug({ reason: errorMessage(error), waiting: this.waiting.size }, 'alarms wait for the Store');
    }
  }

  private async load(book: AlarmBook): Promise<void> {
    const collection = this.options.store.collection('alarms');
    const kept: Alarm[] = [];
    for (let after = ''; ; ) {
      const page = await collection.list({ prefix: this.prefix, after, limit: PAGE });
      for (const { key, value } of page) {
        if (isAlarm(value)) kept.push(value);
        // Of a version with other alarms.
        else this.waiting.set(key, undefined);
        this.written.add(key);
      }
      if (page.length < PAGE) break;
      after = page.at(-1)!.key;
    }
    this.book = undefined;
    book.restore(kept);
  }
}

function isAlarm(value: unknown): value is Alarm {
  const alarm = value as Partial<Alarm> | null;
  const numbers = [alarm?.id, alarm?.firstAt, alarm?.lastAt, alarm?.count];
  return numbers.every((one) => typeof one === 'number') && Object.hasOwn(ALARMS, alarm?.name ?? '');
}
