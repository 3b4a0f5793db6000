import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage } from '../../platform/errors.js';
import type { Logger } from '../../platform/logger.js';
import { MAX_OPLOG_FILE_BYTES, MAX_OPLOG_FILES } from '../limits.js';
import {
  CHAIN_START,
  ChainCheck,
  type ChainHead,
  type ChainReport,
  chainLine,
  parseChained,
} from './operation-chain.js';

/** One line of the operation log: who did what, from where, with what result. Secrets are masked before they get here. */
export interface OperationEntry {
  /** Wall milliseconds. */
  readonly at: number;
  readonly operator: string;
  readonly role: string;
  readonly address: string;
  readonly session: number;
  readonly command: string;
  readonly retcode: number;
  readonly durationMs: number;
  /** Its number in the log; set when it is written. */
  readonly n?: number;
}

export interface OperationQuery {
  readonly from?: number;
  readonly to?: number;
  readonly operator?: string;
  /** Case-insensitive part of the command. */
  readonly keyword?: string;
  /** Newest first, at most this many. */
  readonly limit: number;
}

/** Entries that wait for a slow disk; beyond it the oldest waiting are dropped and counted. */
const MAX_WAITING = 10_000;

/**
 * The operation log on disk: JSON lines in `oplog.jsonl`, rotated by size to `oplog.1.jsonl` and so on, each line with the
 * hash of the one before. Writing never makes a command wait or fail; a disk that refuses is logged once until it works
 * again, and the log then says how many entries it lost.
 */
export class OperationLog {
  private waiting: OperationEntry[] = [];
  private work: Promise<void> = Promise.resolve();
  private sizeBytes: number | undefined;
  private failing = false;
  private scheduled = false;
  private dropped = 0;
  /** Undefined until the newest entry on disk was read. */
  private head: ChainHead | undefined;

  constructor(
    private readonly directory: string,
    private readonly log: Logger,
    private readonly maxFileBytes = MAX_OPLOG_FILE_BYTES,
  ) {}

  append(entry: OperationEntry): void {
    if (this.waiting.length >= MAX_WAITING) {
      this.waiting.shift();
      this.dropped++;
    }
    this.waiting.push(entry);
    if (this.scheduled) return;
    this.scheduled = true;
    this.work = this.work.then(() => this.writeWaiting());
  }

  /** Entries that match, newest first, those just written included. */
  async query(query: OperationQuery): Promise<OperationEntry[]> {
    await this.flush();
    const found: OperationEntry[] = [];
    for (let index = 0; index < MAX_OPLOG_FILES && found.length < query.limit; index++) {
      const lines = await this.readLines(index);
      for (let i = lines.length - 1; i >= 0 && found.length < query.limit; i--) {
        const entry = parseEntry(lines[i]!);
        if (entry && matches(entry, query)) found.push(entry);
      }
    }
    return found;
  }

  /** Checks that no entry was changed or taken out since it was written; `noted` is a head of an earlier check. */
  async check(noted?: ChainHead): Promise<ChainReport> {
    await this.flush();
    const check = new ChainCheck(noted);
    for (let index = MAX_OPLOG_FILES - 1; index >= 0; index--) {
      const lines = await this.readLines(index);
      for (const [i, line] of lines.entries())
        if (line !== '') check.take(basename(this.path(index)), i + 1, line);
    }
    return check.report();
  }

  /** Writes what waits, and the head of the chain into the server's log: there it can be compared with later. */
  async close(): Promise<void> {
    await this.flush();
    this.logHead();
  }

  private logHead(): void {
    if (this.head)
      this.log.info({ n: this.head.n, hash: this.head.hash }, 'newest entry of the operation log');
  }

  /** Resolves when everything appended so far is on disk or has failed. */
  async flush(): Promise<void> {
    await this.work;
  }

  private path(index: number): string {
    return join(this.directory, index === 0 ? 'oplog.jsonl' : `oplog.${index}.jsonl`);
  }

  private async writeWaiting(): Promise<void> {
    this.scheduled = false;
    const entries = this.waiting;
    this.waiting = [];
    try {
      await this.rotateIfFull();
      let head = this.head ?? (await this.readHead());
      const lost = this.dropped === 0 ? [] : [lostEntry(this.dropped, entries[0]!.at)];
      let lines = '';
      for (const entry of [...lost, ...entries]) {
        const next = chainLine(head, entry);
        lines += next.line;
        head = next.head;
      }
      await appendFile(this.path(0), lines, { mode: 0o600 });
      this.head = head;
      this.sizeBytes = (this.sizeBytes ?? 0) + Buffer.byteLength(lines);
      if (this.failing) this.log.warn({ dropped: this.dropped }, 'operation log is written again');
      this.failing = false;
      this.dropped = 0;
    } catch (error) {
      this.dropped += entries.length;
      // Some of it may be on disk: the file says what it ends with.
      this.head = undefined;
      this.sizeBytes = undefined;
      if (!this.failing) this.log.error({ err: errorMessage(error) }, 'operation log cannot be written');
      this.failing = true;
    }
  }

  private async rotateIfFull(): Promise<void> {
    if (this.sizeBytes === undefined) {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
      this.sizeBytes = await stat(this.path(0)).then(
        (found) => found.size,
        () => 0,
      );
    }
    if (this.sizeBytes < this.maxFileBytes) return;
    this.logHead();
    for (let index = MAX_OPLOG_FILES - 2; index >= 0; index--) {
      await rename(this.path(index), this.path(index + 1)).catch(ignoreMissing);
    }
    this.sizeBytes = 0;
  }

  /** The newest entry on disk; a line that a crash has cut is ended, so that the next one begins anew. */
  private async readHead(): Promise<ChainHead> {
    for (let index = 0; index < MAX_OPLOG_FILES; index++) {
      const lines = await this.readLines(index);
      if (index === 0 && lines.at(-1) !== '') await appendFile(this.path(0), '\n', { mode: 0o600 });
      const last = lines.findLast((line) => parseChained(line));
      if (last !== undefined) return parseChained(last)!;
    }
    return CHAIN_START;
  }

  private async readLines(index: number): Promise<string[]> {
    const content = await readFile(this.path(index), 'utf8').catch((error: unknown) => {
      ignoreMissing(error);
      return '';
    });
    return content.split('\n');
  }
}

const lostEntry = (count: number, at: number): OperationEntry => ({
  at,
  operator: '-',
  role: '',
  address: '-',
  session: 0,
  command: `(${count} entries lost)`,
  retcode: 5002,
  durationMs: 0,
});

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** A line cut by a crash is skipped. */
function parseEntry(line: string): OperationEntry | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as OperationEntry;
  } catch {
    return undefined;
  }
}

function matches(entry: OperationEntry, query: OperationQuery): boolean {
  return (
    (query.from === undefined || entry.at >= query.from) &&
    (query.to === undefined || entry.at < query.to) &&
    (query.operator === undefined || entry.operator === query.operator) &&
    (query.keyword === undefined || entry.command.toLowerCase().includes(query.keyword.toLowerCase()))
  );
}
