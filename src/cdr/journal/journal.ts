import { mkdir, rm } from 'node:fs/promises';
import type { Clock, TimerHandle } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import { ulid } from '../../platform/ids.js';
import type { Logger } from '../../platform/logger.js';
import { JournalError } from '../errors.js';
import { encodeLine, JOURNAL_VERSION, type JournalEntry } from './journal-line.js';
import { lockJournal } from './journal-lock.js';
import { type RecoveredJournal, recoverJournal, type Segment } from './recover-journal.js';
import { type Location, readLine } from './segment-file.js';
import { SegmentWriter } from './segment-writer.js';

/** Bounds of the journal; every one has a default. */
export interface JournalLimits {
  /** Entries are written and synced together after this time, milliseconds. Default 20. */
  readonly syncIntervalMs: number;
  /** Or as soon as this many wait. Default 256. */
  readonly syncEntries: number;
  /** A segment that has grown to this is followed by a new one. Default 8 MiB. */
  readonly segmentBytes: number;
  /** With more segments than this, records still open are carried over from the oldest. Default 16. */
  readonly maxSegments: number;
  /** All segments together; beyond, entries are refused as on a full disk. Default 1 GiB. */
  readonly maxBytes: number;
  /** Entries waiting for a disk that takes nothing; beyond, new ones are dropped and counted. Default 16 MiB. */
  readonly maxBufferedBytes: number;
}

export const DEFAULT_JOURNAL_LIMITS: JournalLimits = {
  syncIntervalMs: 20,
  syncEntries: 256,
  segmentBytes: 8 * 1024 * 1024,
  maxSegments: 16,
  maxBytes: 1024 ** 3,
  maxBufferedBytes: 16 * 1024 * 1024,
};

/** A failed write is tried again after this, milliseconds. */
const RETRY_MS = 1000;

/** What the journal asks of whoever owns the records. */
export interface JournalOwner {
  /** Whether something on disk is still needed for this record: it is open, or the Store does not have it. */
  isPending(id: string): boolean;
  /** An open record, whole; undefined when it is not open. */
  snapshot(id: string): JournalEntry | undefined;
}

export interface JournalOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly owner: JournalOwner;
  readonly limits?: Partial<JournalLimits>;
}

interface Buffered {
  readonly bytes: Buffer;
  readonly id?: string;
  readonly onWritten?: (location: Location) => void;
}

/**
 * An append-only journal in segments, synced in groups. Entries are never refused: while the disk takes nothing they
 * wait in a bounded buffer, `failures` counts, and `sync` rejects with JournalError (JOURNAL_WRITE_FAILED).
 */
export class Journal {
  private buffer: Buffered[] = [];
  private bufferedBytes = 0;
  private timer: TimerHandle | undefined;
  private writing: Promise<void> | undefined;
  private writer: SegmentWriter | undefined;
  private nextNumber: number;
  private readonly run: string;
  /** Segment whose open records were carried over last; once is enough. */
  private carriedOver: Segment | undefined;
  private isFailing = false;
  private isClosed = false;
  private readonly limits: JournalLimits;
  /** Writes that failed, and entries dropped because the buffer was full. */
  readonly counters = { failures: 0, dropped: 0 };

  private constructor(
    private readonly options: JournalOptions,
    private readonly segments: Segment[],
    private readonly unlock: () => void,
  ) {
    this.limits = { ...DEFAULT_JOURNAL_LIMITS, ...options.limits };
    this.nextNumber = (segments.at(-1)?.number ?? 0) + 1;
    this.run = ulid(options.clock.now());
  }

  /**
   * Locks the directory (made when missing), reads what an earlier run left, and begins a new segment at the first
   * entry. Rejects with JournalError: JOURNAL_LOCKED, JOURNAL_UNREADABLE.
   */
  static async open(options: JournalOptions): Promise<{ journal: Journal; recovered: RecoveredJournal }> {
    const { directory } = options;
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new JournalError('JOURNAL_UNREADABLE', `${directory} cannot be made`, error);
    }
    const unlock = lockJournal(directory);
    try {
      const recovered = await recoverJournal(directory);
      return { journal: new Journal(options, [...recovered.segments], unlock), recovered };
    } catch (error) {
      unlock();
      throw new JournalError('JOURNAL_UNREADABLE', `${directory} cannot be read`, error);
    }
  }

  /** Whether the last write went through. */
  get healthy(): boolean {
    return !this.isFailing;
  }

  /** Takes an entry. `id` names the record that it keeps alive on disk; `onWritten` hears where it stands. */
  append(entry: JournalEntry, id?: string, onWritten?: (location: Location) => void): void {
    if (this.isClosed) return;
    const bytes = encodeLine(entry);
    if (this.bufferedBytes + bytes.length > this.limits.maxBufferedBytes) {
      this.counters.dropped++;
      return;
    }
    this.buffer.push({ bytes, ...(id !== undefined && { id }), ...(onWritten && { onWritten }) });
    this.bufferedBytes += bytes.length;
    this.schedule();
  }

  /** Resolves when all taken so far is on disk; rejects with JournalError when it could not be written. */
  async sync(): Promise<void> {
    // What is being written was taken earlier; all the rest goes with the write after it.
    if (this.writing) await this.writing.catch(() => undefined);
    await this.write();
  }

  /** Reads back the line at a place. */
  read(location: Location): Promise<JournalEntry | undefined> {
    return readLine(location);
  }

  /** Removes segments, oldest first, that nothing is needed of; carries open records over when there are many. */
  async trim(): Promise<void> {
    for (let oldest = this.segments[0]; oldest; oldest = this.segments[0]) {
      for (const id of oldest.ids) if (!this.options.owner.isPending(id)) oldest.ids.delete(id);
      if (oldest === this.writer?.segment) return;
      if (oldest.ids.size > 0) {
        if (this.segments.length > this.limits.maxSegments && this.carriedOver !== oldest)
          this.carryOver(oldest);
        return;
      }
      await rm(oldest.path, { force: true });
      if (this.segments[0] === oldest) this.segments.shift();
    }
  }

  /** Writes what waits, removes segments that nothing is needed of, and lets go of the directory. Never rejects. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    await this.sync().catch(() => undefined);
    this.isClosed = true;
    this.options.clock.clearTimeout(this.timer);
    await this.writer?.close().catch(() => undefined);
    this.writer = undefined;
    await this.trim().catch((error) => this.options.log.warn({ err: error }, 'journal not trimmed'));
    this.unlock();
  }

  private schedule(): void {
    if (this.writing || this.isFailing) return;
    if (this.buffer.length >= this.limits.syncEntries) this.write().catch(() => undefined);
    else this.timer ??= this.after(this.limits.syncIntervalMs);
  }

  private after(delayMs: number): TimerHandle {
    return this.options.clock.setTimeout(() => {
      this.timer = undefined;
      this.write().catch(() => undefined);
    }, delayMs);
  }

  /** One group commit at a time; the next begins when more came in the meantime. */
  private write(): Promise<void> {
    this.writing ??= this.writeBatch().finally(() => {
      this.writing = undefined;
      if (this.buffer.length > 0 && !this.isClosed) this.schedule();
    });
    return this.writing;
  }

  private async writeBatch(): Promise<void> {
    this.options.clock.clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.buffer;
    this.buffer = [];
    if (batch.length === 0) return;
    try {
      const writer = await this.currentWriter();
      const start = writer.segment.bytes;
      await writer.append(Buffer.concat(batch.map(({ bytes }) => bytes)));
      this.noteWritten(batch, writer.segment, start);
    } catch (error) {
      this.buffer = batch.concat(this.buffer);
      await this.leaveSegment();
      throw this.noteFailure(error);
    }
  }

  /** What one file refuses another may take; one that nothing was written to yet is tried again. */
  private async leaveSegment(): Promise<void> {
    if (!this.writer || this.writer.segment.ids.size === 0) return;
    const writer = this.writer;
    this.writer = undefined;
    await writer.close().catch(() => undefined);
  }

  private noteWritten(batch: readonly Buffered[], segment: Segment, start: number): void {
    let offset = start;
    for (const { bytes, id, onWritten } of batch) {
      if (id !== undefined && this.options.owner.isPending(id)) segment.ids.add(id);
      onWritten?.({ path: segment.path, offset, length: bytes.length });
      offset += bytes.length;
      this.bufferedBytes -= bytes.length;
    }
    if (this.isFailing) this.options.log.info('journal is written again');
    this.isFailing = false;
  }

  private noteFailure(error: unknown): JournalError {
    this.counters.failures++;
    if (!this.isFailing) this.options.log.error({ fault: errorMessage(error) }, 'journal cannot be written');
    this.isFailing = true;
    this.timer ??= this.after(RETRY_MS);
    return new JournalError('JOURNAL_WRITE_FAILED', `${this.options.directory} cannot be written`, error);
  }

  private async currentWriter(): Promise<SegmentWriter> {
    const total = this.segments.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total >= this.limits.maxBytes)
      throw new Error(`the journal has reached its bound of ${this.limits.maxBytes} bytes`);
    if (this.writer && this.writer.segment.bytes < this.limits.segmentBytes) return this.writer;
    const { clock, directory } = this.options;
    const instant = { at: clock.now(), mono: clock.monotonic() };
    const header = encodeLine({ k: 'segment', version: JOURNAL_VERSION, run: this.run, ...instant });
    const next = await SegmentWriter.create(directory, this.nextNumber, header);
    await this.writer?.close();
    this.nextNumber++;
    this.writer = next;
    this.segments.push(next.segment);
    return next;
  }

  /** Writes the open records of an old segment anew, so that one long call does not keep all segments since. */
  private carryOver(oldest: Segment): void {
    this.carriedOver = oldest;
    for (const id of oldest.ids) {
      const snapshot = this.options.owner.snapshot(id);
      if (snapshot) this.append(snapshot, id, () => oldest.ids.delete(id));
    }
  }
}
