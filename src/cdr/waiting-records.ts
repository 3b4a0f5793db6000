import type { RecordEntry } from '../store/types.js';
import type { Location } from './journal/segment-file.js';
import { toEntry } from './record-entry.js';
import type { CallRecord } from './types.js';

/** Closed records kept in memory at once; those beyond are read back from the journal. */
const MAX_IN_MEMORY = 10_000;
/** Records that are in memory alone, because the journal's disk takes nothing; beyond, the oldest is lost and counted. */
const MAX_UNSAVED = 20_000;

/** What a record is found by. */
export type RecordHead = Omit<RecordEntry, 'body'>;

/** The head of a record. */
export function toHead(record: CallRecord): RecordHead {
  const { body: _, ...head } = toEntry(record);
  return head;
}

/** A record on its way to the Store: in memory, on disk, or both. */
export interface WaitingRecord {
  readonly head: RecordHead;
  record?: CallRecord | undefined;
  location?: Location;
}

/** Closed records that the Store does not have yet, in the order they were closed. */
export class WaitingRecords {
  private readonly byId = new Map<string, WaitingRecord>();
  private inMemory = 0;
  private lostCount = 0;

  get size(): number {
    return this.byId.size;
  }

  /** Records lost because neither the journal nor the Store took them for too long. */
  get lost(): number {
    return this.lostCount;
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  get(id: string): WaitingRecord | undefined {
    return this.byId.get(id);
  }

  all(): Iterable<WaitingRecord> {
    return this.byId.values();
  }

  /** The first `count` in order. */
  first(count: number): WaitingRecord[] {
    const found: WaitingRecord[] = [];
    for (const waiting of this.byId.values()) {
      if (found.length === count) break;
      found.push(waiting);
    }
    return found;
  }

  /** Adds one that is in memory. */
  add(record: CallRecord): void {
    this.byId.set(record.id, { head: toHead(record), record });
    this.inMemory++;
    if (this.inMemory > MAX_UNSAVED) this.loseOldestUnsaved();
  }

  /** Adds one that is in the journal. */
  addStored(head: RecordHead, location: Location): void {
    this.byId.set(head.id, { head, location });
  }

  /** Notes that the journal has it; with many waiting, the copy in memory goes. */
  saved(id: string, location: Location): void {
    const waiting = this.byId.get(id);
    if (!waiting) return;
    waiting.location = location;
    if (this.inMemory > MAX_IN_MEMORY) this.unload(waiting);
  }

  remove(id: string): void {
    const waiting = this.byId.get(id);
    if (!waiting) return;
    this.unload(waiting);
    this.byId.delete(id);
  }

  private unload(waiting: WaitingRecord): void {
    if (waiting.record) this.inMemory--;
    waiting.record = undefined;
  }

  private loseOldestUnsaved(): void {
    for (const waiting of this.byId.values()) {
      if (waiting.location) continue;
      this.remove(waiting.head.id);
      this.lostCount++;
      return;
    }
  }
}
