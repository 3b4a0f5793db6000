import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import { ClosedError } from '../platform/errors.js';
import { ulid } from '../platform/ids.js';
import type { Logger } from '../platform/logger.js';
import type { RecordEntry, RecordPage, RecordQuery, Store } from '../store/types.js';
import { buildRecord, type Instant, type NodeFacts, type RecordFacts } from './build-record.js';
import { Journal, type JournalLimits } from './journal/journal.js';
import type { LostRecord, RecoveredJournal } from './journal/recover-journal.js';
import { LiveRecord } from './live-record.js';
import { mergePage } from './merge-page.js';
import { fromEntry, toEntry } from './record-entry.js';
import { StoreDelivery } from './store-delivery.js';
import type {
  CallRecord,
  LeftRecord,
  OpenRecord,
  RecordService,
  RecordType,
  TimelineEntry,
} from './types.js';
import { type WaitingRecord, WaitingRecords } from './waiting-records.js';

/** How often open records are marked as alive: how much of a lost call's length may be missing. Milliseconds. */
const HEARTBEAT_MS = 1000;
/** How long `flush` and `close` wait for a slow Store. Milliseconds. */
const DRAIN_TIMEOUT_MS = 3000;

export interface RecordsOptions {
  /** `DATA_DIR/journal`. One process at a time. */
  readonly journalDir: string;
  readonly store: Store;
  readonly log: Logger;
  readonly node: NodeFacts;
  /** Records of calls that may go on after a restart (`OpenRecord.keep`) stay open for it; default: all are closed. */
  readonly keepLeft?: boolean;
  readonly clock?: Clock;
  readonly limits?: Partial<JournalLimits> & { readonly heartbeatMs?: number };
}

/** What the service counts, for consoles and metrics. */
export interface RecordCounters {
  /** Writes of the journal that failed, and entries dropped because its buffer was full. */
  readonly journalFailures: number;
  readonly journalDropped: number;
  /** Records that neither journal nor Store took, and records that the Store refused for good. */
  readonly recordsLost: number;
  readonly recordsRefused: number;
  /** Found by the recovery at the start. */
  readonly recoveredLost: number;
  readonly corruptLines: number;
  readonly tornLines: number;
}

/**
 * Opens the journal, closes the records that a killed run left open (ABNORMAL), and goes on delivering to the Store.
 * Rejects with JournalError: JOURNAL_LOCKED, JOURNAL_UNREADABLE. The Store stays the caller's.
 */
export async function openRecords(options: RecordsOptions): Promise<JournalledRecords> {
  const records = new JournalledRecords(options);
  await records.start();
  return records;
}

/** Records in a journal first, in the Store next. */
export class JournalledRecords implements RecordService {
  private readonly live = new Map<string, LiveRecord>();
  /** Of calls of the last run that may go on. */
  private readonly leftOpen = new Map<string, LostRecord>();
  private readonly waiting = new WaitingRecords();
  private readonly clock: Clock;
  private readonly delivery: StoreDelivery;
  private journal!: Journal;
  private recovered: RecoveredJournal | undefined;
  private heartbeat: TimerHandle | undefined;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: RecordsOptions) {
    this.clock = options.clock ?? systemClock;
    this.delivery = new StoreDelivery({
      store: options.store,
      waiting: this.waiting,
      clock: this.clock,
      log: options.log,
      load: (waiting) => this.load(waiting),
      synced: () => this.journal.sync().catch(() => undefined),
      delivered: (ids) => this.settle(ids),
    });
  }

  /** Called by `openRecords`, once. */
  async start(): Promise<void> {
    const { journalDir: directory, log, limits } = this.options;
    const owner = {
      isPending: (id: string) => this.live.has(id) || this.waiting.has(id) || this.leftOpen.has(id),
      snapshot: (id: string) => this.snapshot(id),
    };
    const opened = await Journal.open({
      directory,
      clock: this.clock,
      log,
      owner,
      ...(limits && { limits }),
    });
    this.journal = opened.journal;
    await this.takeOver(opened.recovered);
    this.scheduleHeartbeat();
    this.delivery.kick();
  }

  begin(type: RecordType): OpenRecord {
    if (this.closing) throw new ClosedError('record service');
    const opened = { at: this.clock.now(), mono: this.clock.monotonic() };
    const facts = { ...this.options.node, id: ulid(opened.at), type, opened };
    const record = this.open(facts);
    this.journal.append({ k: 'open', facts }, facts.id);
    return record;
  }

  /** Records of calls that may go on, with `keepLeft`. What nobody asks for stays open until `close`, which leaves it once more. */
  left(): LeftRecord[] {
    return [...this.leftOpen.values()].map((lost) => ({
      id: lost.facts.id,
      state: lost.state!,
      lastKnownAt: lastKnownOf(lost).at,
      resume: () => this.resume(lost),
      giveUp: () => this.giveUp(lost),
    }));
  }

  private open(facts: RecordFacts, former?: readonly TimelineEntry[]): LiveRecord {
    const record = new LiveRecord(
      facts,
      this.clock,
      {
        added: (_, entry) => this.noteEvent(facts.id, entry),
        closed: (_, closed) => this.noteClosed(closed),
        kept: (_, state) => this.journal.append({ k: 'state', id: facts.id, state }, facts.id),
      },
      former,
    );
    this.live.set(facts.id, record);
    return record;
  }

  /** Intervals of the last run stay as they were measured there; the time between the runs is that of the wall clock. */
  private resume(lost: LostRecord): OpenRecord {
    this.leftOpen.delete(lost.facts.id);
    const [now, mono] = [this.clock.now(), this.clock.monotonic()];
    const last = lastKnownOf(lost);
    const awayMs = Math.max(0, now - last.at);
    const shift = mono - awayMs - last.mono;
    const rebase = <T extends Instant>(instant: T): T => ({ ...instant, mono: instant.mono + shift });
    const record = this.open({ ...lost.facts, opened: rebase(lost.facts.opened) }, lost.timeline.map(rebase));
    record.state = lost.state;
    this.journal.append(snapshotOf(record), lost.facts.id);
    record.add({ kind: 'restored', awayMs });
    return record;
  }

  private giveUp(lost: LostRecord): CallRecord {
    this.leftOpen.delete(lost.facts.id);
    const { facts, timeline, lastKnown } = lost;
    const end = { reason: 'server-crashed', ...(lastKnown && { lastKnown }) } as const;
    const record = buildRecord(facts, timeline, end);
    this.noteClosed(record);
    return record;
  }

  async query(query: RecordQuery): Promise<Omit<RecordPage, 'records'> & { records: CallRecord[] }> {
    // What waits is noted first: a record delivered in between is then seen twice, never not at all.
    const waiting = [...this.waiting.all()];
    const page = await this.options.store.records.query(query);
    return await mergePage(query, page, waiting, async (record) => {
      const entry = await this.load(record);
      return entry && fromEntry(entry);
    });
  }

  async get(id: string): Promise<CallRecord | undefined> {
    const waiting = this.waiting.get(id);
    const entry = (waiting && (await this.load(waiting))) ?? (await this.options.store.records.get(id));
    return entry && fromEntry(entry);
  }

  backlog(): { waiting: number; storeAlive: boolean; open: number } {
    return { waiting: this.waiting.size, storeAlive: this.delivery.storeAlive, open: this.live.size };
  }

  /** Whether the disk took the last entries of the journal. */
  get isJournalWritten(): boolean {
    return this.journal.healthy;
  }

  counters(): RecordCounters {
    return {
      journalFailures: this.journal.counters.failures,
      journalDropped: this.journal.counters.dropped,
      recordsLost: this.waiting.lost,
      recordsRefused: this.delivery.refused,
      recoveredLost: this.recovered?.lost.length ?? 0,
      corruptLines: this.recovered?.corruptLines ?? 0,
      tornLines: this.recovered?.tornLines ?? 0,
    };
  }

  /** Rejects with JournalError when neither the Store nor the disk takes what is closed. */
  async flush(): Promise<void> {
    const saved = await this.journal.sync().then(
      () => undefined,
      (error: unknown) => error,
    );
    await this.drain();
    if (saved !== undefined && this.waiting.size > 0) throw saved;
  }

  /** Closes what is still open as ABNORMAL, delivers what the Store takes within a bound, and ends. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.clock.clearTimeout(this.heartbeat);
    const lastKnown = { at: this.clock.now(), mono: this.clock.monotonic() };
    for (const record of [...this.live.values()])
      if (!this.options.keepLeft || record.state === undefined)
        record.finish({ reason: 'server-shutdown', lastKnown });
    if (this.live.size > 0) this.journal.append({ k: 'beat', ...lastKnown });
    await this.flush().catch(() => undefined);
    await this.delivery.close();
    await this.journal.close();
  }

  private async drain(): Promise<void> {
    if (!this.options.store.alive) return;
    await withDeadline(this.delivery.attempt(), DRAIN_TIMEOUT_MS, 'delivery').catch(() => undefined);
  }

  /** Makes what an earlier run left into waiting records; on disk before anything else happens. */
  private async takeOver(recovered: RecoveredJournal): Promise<void> {
    this.recovered = recovered;
    const { closed, lost, corruptLines, tornLines } = recovered;
    for (const { head, location } of closed) this.waiting.addStored(head, location);
    for (const record of lost) {
      if (record.state !== undefined && this.options.keepLeft) this.leftOpen.set(record.facts.id, record);
      else this.giveUp(record);
    }
    const left = this.leftOpen.size;
    const counts = { waiting: closed.length, lost: lost.length - left, left, corruptLines, tornLines };
    if (closed.length + lost.length + corruptLines + tornLines > 0)
      this.options.log.warn(counts, 'records recovered from the journal');
    await this.journal.sync().catch(() => undefined);
    await this.journal.trim();
  }

  private noteEvent(id: string, entry: TimelineEntry): void {
    if (entry.event.kind !== 'message') this.journal.append({ k: 'event', id, entry }, id);
  }

  private noteClosed(record: CallRecord): void {
    this.waiting.add(record);
    this.live.delete(record.id);
    this.journal.append({ k: 'close', record }, record.id, (location) =>
      this.waiting.saved(record.id, location),
    );
    this.delivery.notice();
  }

  /** The Store has these: the journal may forget them. */
  private settle(ids: readonly string[]): void {
    for (const id of ids) this.waiting.remove(id);
    this.journal.append({ k: 'stored', ids });
    this.journal.trim().catch((error) => this.options.log.warn({ err: error }, 'journal not trimmed'));
  }

  private snapshot(id: string) {
    const record = this.live.get(id);
    if (record) return snapshotOf(record);
    const left = this.leftOpen.get(id);
    return (
      left && ({ k: 'snapshot', facts: left.facts, timeline: left.timeline, state: left.state } as const)
    );
  }

  private async load(waiting: WaitingRecord): Promise<RecordEntry | undefined> {
    if (waiting.record) return toEntry(waiting.record);
    const line = waiting.location && (await this.journal.read(waiting.location));
    return line?.k === 'close' ? toEntry(line.record) : undefined;
  }

  private scheduleHeartbeat(): void {
    this.heartbeat = this.clock.setTimeout(() => {
      if (this.live.size > 0)
        this.journal.append({ k: 'beat', at: this.clock.now(), mono: this.clock.monotonic() });
      this.scheduleHeartbeat();
    }, this.options.limits?.heartbeatMs ?? HEARTBEAT_MS);
  }
}

function snapshotOf({ facts, timelineOfFacts: timeline, state }: LiveRecord) {
  return { k: 'snapshot', facts, timeline, ...(state !== undefined && { state }) } as const;
}

/** When a record of the last run was last known alive. */
function lastKnownOf({ facts, timeline, lastKnown }: LostRecord): Instant {
  return [facts.opened, ...timeline, ...(lastKnown ? [lastKnown] : [])].reduce((one, other) =>
    other.mono > one.mono ? other : one,
  );
}
