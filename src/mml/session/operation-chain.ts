import { createHash } from 'node:crypto';
import type { OperationEntry } from './operation-log.js';

/** Where the chain of the operation log stands: the number and the hash of its newest entry. */
export interface ChainHead {
  readonly n: number;
  readonly hash: string;
}

export const CHAIN_START: ChainHead = { n: 0, hash: '' };

/** A line of the operation log: each holds the hash of the one before, so that none can be changed or taken out unseen. */
export type ChainedEntry = OperationEntry & ChainHead & { readonly prev: string };

/** What is wrong at a line of the operation log. */
export interface ChainFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

export interface ChainReport {
  readonly entries: number;
  /** Number of the oldest entry that is kept. */
  readonly first: number;
  readonly head: ChainHead;
  readonly faults: readonly ChainFault[];
}

/** The line of an entry that follows `head`, and the new head. */
export function chainLine(head: ChainHead, entry: OperationEntry): { line: string; head: ChainHead } {
  const body = { ...entry, n: head.n + 1, prev: head.hash };
  const hash = hashOf(body);
  return { line: `${JSON.stringify({ ...body, hash })}\n`, head: { n: body.n, hash } };
}

/**
 * Checks lines from the oldest to the newest. What follows the newest entry cannot be missed by the lines alone: for that,
 * `noted` is a head that was written down elsewhere and must still be there.
 */
export class ChainCheck {
  private readonly faults: ChainFault[] = [];
  private last: ChainHead | undefined;
  private entries = 0;
  private first = 0;
  private isNotedSeen = false;

  constructor(private readonly noted?: ChainHead) {}

  take(file: string, line: number, raw: string): void {
    const fault = (why: string): void => void this.faults.push({ file, line, why });
    const entry = parseChained(raw);
    if (!entry) {
      fault('no entry: changed, or cut by a crash');
      return;
    }
    const { hash, ...body } = entry;
    if (hashOf(body) !== hash) fault(`entry ${entry.n} was changed`);
    else if (this.last && (entry.n !== this.last.n + 1 || entry.prev !== this.last.hash))
      fault(`entry ${entry.n} does not follow entry ${this.last.n}`);
    if (this.entries === 0) this.first = entry.n;
    if (this.noted?.n === entry.n && this.noted.hash === hash) this.isNotedSeen = true;
    this.last = { n: entry.n, hash };
    this.entries++;
  }

  report(): ChainReport {
    const { noted, faults, last = CHAIN_START } = this;
    const isMissed = noted && !this.isNotedSeen && noted.n >= this.first;
    const missed = isMissed ? [{ file: '-', line: 0, why: `entry ${noted.n} is gone or another one` }] : [];
    return { entries: this.entries, first: this.first, head: last, faults: [...faults, ...missed] };
  }
}

/** The entry of a line; undefined when it is none. */
export function parseChained(raw: string): ChainedEntry | undefined {
  try {
    const entry = JSON.parse(raw) as Partial<ChainedEntry> | null;
    const isWhole = typeof entry?.n === 'number' && typeof entry.hash === 'string';
    return isWhole && typeof entry.prev === 'string' ? (entry as ChainedEntry) : undefined;
  } catch {
    return undefined;
  }
}

/** Keys keep their order through JSON, so the same entry gives the same text. */
const hashOf = (body: object): string =>
  createHash('sha256').update(JSON.stringify(body)).digest('base64url');
