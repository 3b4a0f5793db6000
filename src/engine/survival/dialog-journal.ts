import { type FileHandle, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, TimerHandle } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import { readSavedDialog, type SavedDialog } from './saved-dialog.js';

export interface DialogJournalOptions {
  /** Made when missing. One engine at a time. */
  readonly directory: string;
  /** Dialogs of an engine that has been away for longer are forgotten, milliseconds. */
  readonly maxAwayMs: number;
}

/** How long changes wait to be written together, milliseconds: what a crash may cost. */
const WRITE_AFTER_MS = 20;
/** After a failed write, milliseconds. */
const RETRY_MS = 1000;
/** The file is written anew when it has this many bytes more than twice what is needed. */
const SLACK_BYTES = 4 * 1024 * 1024;
/** Says that the engine is there, so that the time it was away can be told, milliseconds. */
const BEAT_MS = 10_000;
/** A file above this is not ours, or not sane: a dialog takes about a kilobyte. */
const MAX_BYTES = 1024 ** 3;
const FILE = 'dialogs.journal';

type Line = { readonly put: unknown } | { readonly end: string } | { readonly beat: number };

/** A dialog as the journal sees it. */
export interface JournalledDialog {
  readonly wireId: string;
  /** Undefined when it is not to be kept, or not any more. */
  save(): SavedDialog | undefined;
}

/**
 * The confirmed dialogs of an engine in a file, so that the next engine has them (docs/adr/0009). Changes of 20 ms are one
 * write; a dialog that came and went in that time is none. A file that cannot be written costs survival, not calls.
 */
export class DialogJournal implements Closeable {
  /** Changes that wait, by name; undefined stands for an end. */
  private waiting = new Map<string, JournalledDialog | undefined>();
  /** What the file holds, by name. */
  private readonly kept = new Map<string, JournalledDialog>();
  private file: FileHandle | undefined;
  private fileBytes = 0;
  private liveBytes = 0;
  private readonly bytesOf = new Map<string, number>();
  private timer: TimerHandle | undefined;
  private beatTimer: TimerHandle | undefined;
  private writing: Promise<void> | undefined;
  private isFailing = false;
  private hasBegun = false;
  private isClosed = false;
  readonly counters = { failures: 0, unreadable: 0 };

  private constructor(
    private readonly options: DialogJournalOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Reads what the last engine left; a file that cannot be read leaves nothing. Never rejects. */
  static async open(
    options: DialogJournalOptions,
    clock: Clock,
    log: Logger,
  ): Promise<{ journal: DialogJournal; left: SavedDialog[] }> {
    const journal = new DialogJournal(options, clock, log);
    let left: SavedDialog[] = [];
    try {
      await mkdir(options.directory, { recursive: true, mode: 0o700 });
      left = await journal.read();
    } catch (error) {
      log.error({ fault: errorMessage(error) }, 'dialogs of the last run cannot be read');
    }
    return { journal, left };
  }

  /** To be called once the dialogs that are taken over are known: the file is written anew with them. */
  begin(dialogs: Iterable<JournalledDialog>): void {
    this.hasBegun = true;
    for (const dialog of dialogs) this.kept.set(dialog.wireId, dialog);
    void this.write(() => this.rewrite());
    this.beat();
  }

  /** Something of a dialog that matters is new. */
  changed(dialog: JournalledDialog): void {
    if (this.isClosed) return;
    this.waiting.set(dialog.wireId, dialog);
    this.schedule(WRITE_AFTER_MS);
  }

  ended(dialog: JournalledDialog): void {
    if (this.isClosed || (!this.kept.has(dialog.wireId) && !this.waiting.has(dialog.wireId))) return;
    if (this.kept.has(dialog.wireId)) this.waiting.set(dialog.wireId, undefined);
    else this.waiting.delete(dialog.wireId);
    if (this.waiting.size > 0) this.schedule(WRITE_AFTER_MS);
  }

  /** Writes what waits without waiting for more. Never rejects. */
  flushNow(): Promise<void> {
    return this.write(() => this.flush());
  }

  /** Writes what waits; the dialogs stay for the next engine. One that never began was not there, and writes nothing. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.clock.clearTimeout(this.timer);
    this.clock.clearTimeout(this.beatTimer);
    await this.writing;
    if (this.hasBegun) await this.write(() => this.flush([{ beat: this.clock.now() }]));
    await this.file?.close().catch(() => undefined);
  }

  private get path(): string {
    return join(this.options.directory, FILE);
  }

  private async read(): Promise<SavedDialog[]> {
    const size = await stat(this.path).then(
      ({ size: bytes }) => bytes,
      () => 0,
    );
    if (size === 0) return [];
    if (size > MAX_BYTES) throw new Error(`${FILE} has ${size} bytes`);
    const found = new Map<string, SavedDialog>();
    let lastBeat = 0;
    for (const text of (await readFile(this.path, 'utf8')).split('\n')) {
      const line = text === '' ? undefined : parseLine(text);
      if (line && 'put' in line) {
        const dialog = readSavedDialog(line.put);
        if (dialog) found.set(dialog.id, dialog);
        else this.counters.unreadable++;
      } else if (line && 'end' in line) found.delete(line.end);
      else if (line) lastBeat = line.beat;
      else if (text !== '') this.counters.unreadable++;
    }
    const awayMs = this.clock.now() - lastBeat;
    const isTooOld = awayMs > this.options.maxAwayMs + BEAT_MS;
    if (this.counters.unreadable > 0 || (isTooOld && found.size > 0))
      this.log.warn(
        { ...this.counters, dialogs: found.size, awaySec: Math.round(awayMs / 1000), isTooOld },
        'not all dialogs of the last run are taken over',
      );
    return isTooOld ? [] : [...found.values()];
  }

  private beat(): void {
    this.beatTimer = this.clock.setTimeout(() => {
      void this.write(() => this.append([{ beat: this.clock.now() }]));
      this.beat();
    }, BEAT_MS);
  }

  private schedule(delayMs: number): void {
    if (this.isFailing && delayMs < RETRY_MS) return;
    this.timer ??= this.clock.setTimeout(() => {
      this.timer = undefined;
      void this.flushNow();
    }, delayMs);
  }

  /**
   * One after the other. A failure is counted, and the whole file tried anew a little later, or when there is something to write
   * before: what the failed write had is nowhere else.
   */
  private write(work: () => Promise<void>): Promise<void> {
    const next = (): Promise<void> => (this.isFailing ? this.rewrite() : work());
    const done = (this.writing ?? Promise.resolve()).then(next).then(
      () => {
        if (this.isFailing) this.log.info('dialogs are kept again');
        this.isFailing = false;
      },
      (error: unknown) => {
        this.counters.failures++;
        if (!this.isFailing) this.log.error({ fault: errorMessage(error) }, 'dialogs cannot be kept');
        this.isFailing = true;
        if (!this.isClosed) this.schedule(RETRY_MS);
      },
    );
    this.writing = done;
    return done;
  }

  private async flush(further: readonly Line[] = []): Promise<void> {
    const batch = this.waiting;
    this.waiting = new Map();
    const lines: Line[] = [];
    for (const [wireId, dialog] of batch) {
      const saved = dialog?.save();
      if (dialog && saved) {
        this.kept.set(wireId, dialog);
        lines.push({ put: saved });
      } else if (this.kept.delete(wireId)) lines.push({ end: wireId });
    }
    await this.append([...lines, ...further]);
    if (this.fileBytes > 2 * this.liveBytes + SLACK_BYTES) await this.rewrite();
  }

  private async append(lines: readonly Line[]): Promise<void> {
    if (lines.length === 0) return;
    this.file ??= await open(this.path, 'a', 0o600);
    await this.file.appendFile(lines.map((line) => this.encode(line)).join(''));
  }

  /** A new file with all that is kept takes the old one's place. */
  private async rewrite(): Promise<void> {
    for (const [wireId, dialog] of this.waiting)
      if (dialog) this.kept.set(wireId, dialog);
      else this.kept.delete(wireId);
    this.waiting.clear();
    this.bytesOf.clear();
    this.fileBytes = 0;
    this.liveBytes = 0;
    const lines: string[] = [this.encode({ beat: this.clock.now() })];
    for (const [wireId, dialog] of this.kept) {
      const saved = dialog.save();
      if (saved) lines.push(this.encode({ put: saved }));
      else this.kept.delete(wireId);
    }
    const next = await open(`${this.path}.new`, 'w', 0o600);
    try {
      await next.writeFile(lines.join(''));
    } finally {
      await next.close();
    }
    await rename(`${this.path}.new`, this.path);
    await this.file?.close().catch(() => undefined);
    this.file = undefined;
  }

  private encode(line: Line): string {
    const text = `${JSON.stringify(line)}\n`;
    this.fileBytes += text.length;
    if ('put' in line) this.account((line.put as SavedDialog).id, text.length);
    else if ('end' in line) this.account(line.end, 0);
    return text;
  }

  private account(id: string, bytes: number): void {
    this.liveBytes += bytes - (this.bytesOf.get(id) ?? 0);
    if (bytes > 0) this.bytesOf.set(id, bytes);
    else this.bytesOf.delete(id);
  }
}

/** A line as it was written; undefined for one that is torn or not ours. */
function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Record<string, unknown>;
    if ('put' in line) return { put: line['put'] };
    if (typeof line['end'] === 'string') return { end: line['end'] };
    if (typeof line['beat'] === 'number') return { beat: line['beat'] };
  } catch {
    // Torn by a crash, or damaged.
  }
  return undefined;
}
