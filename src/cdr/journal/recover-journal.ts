import { stat } from 'node:fs/promises';
import type { Json } from '../../store/types.js';
import type { Instant, RecordFacts } from '../build-record.js';
import type { TimelineEntry } from '../types.js';
import { type RecordHead, toHead } from '../waiting-records.js';
import type { JournalEntry } from './journal-line.js';
import { JOURNAL_VERSION } from './journal-line.js';
import { type Location, listSegments, type ReadLine, readSegment } from './segment-file.js';

/** A segment on disk and the records that something in it speaks of. */
export interface Segment {
  readonly path: string;
  readonly number: number;
  bytes: number;
  readonly ids: Set<string>;
}

/** A record that was open when its process ended. */
export interface LostRecord {
  readonly facts: RecordFacts;
  readonly timeline: TimelineEntry[];
  readonly lastKnown?: Instant;
  /** What its call was to go on with. */
  readonly state?: Json;
}

/** What a journal says after its server is gone. */
export interface RecoveredJournal {
  readonly segments: Segment[];
  /** Closed, not known to be in the Store; in the order they were closed. */
  readonly closed: { readonly head: RecordHead; readonly location: Location }[];
  /** Never closed. */
  readonly lost: LostRecord[];
  readonly corruptLines: number;
  readonly tornLines: number;
}

interface OpenState {
  readonly facts: RecordFacts;
  readonly timeline: TimelineEntry[];
  readonly run: Run;
  state?: Json | undefined;
}

/** One run of the server: its monotonic times belong together. */
interface Run {
  lastBeat?: Instant;
}

/** Reads all segments of a directory. Rejects when the directory cannot be read; damage within is counted. */
export async function recoverJournal(directory: string): Promise<RecoveredJournal> {
  const reader = new JournalReader();
  const segments: Segment[] = [];
  for (const { path, number } of await listSegments(directory)) {
    const segment = { path, number, bytes: (await stat(path)).size, ids: new Set<string>() };
    segments.push(segment);
    reader.beginSegment(segment);
    for await (const line of readSegment(path)) reader.take(line);
  }
  return { segments, ...reader.result() };
}

/** Follows lines in order and knows in the end what became of each record. */
class JournalReader {
  private readonly open = new Map<string, OpenState>();
  private readonly closed = new Map<string, { head: RecordHead; location: Location }>();
  private readonly stored = new Set<string>();
  private readonly runs = new Map<string, Run>();
  private run: Run = {};
  private segment: Segment | undefined;
  private corruptLines = 0;
  private tornLines = 0;

  beginSegment(segment: Segment): void {
    this.segment = segment;
    this.run = {};
  }

  take(line: ReadLine): void {
    if (line.fault === 'torn') this.tornLines++;
    else if (!line.entry || !this.apply(line.entry, line)) this.corruptLines++;
  }

  result(): Omit<RecoveredJournal, 'segments'> {
    const isSettled = (id: string) => this.stored.has(id) || this.closed.has(id);
    return {
      closed: [...this.closed.values()].filter(({ head }) => !this.stored.has(head.id)),
      lost: [...this.open.values()]
        .filter(({ facts }) => !isSettled(facts.id))
        .map(({ facts, timeline, run, state }) => ({
          facts,
          timeline,
          ...(run.lastBeat && { lastKnown: run.lastBeat }),
          ...(state !== undefined && { state }),
        })),
      corruptLines: this.corruptLines,
      tornLines: this.tornLines,
    };
  }

  /** Returns false for an entry that this version does not know. */
  private apply(entry: JournalEntry, location: Location): boolean {
    switch (entry.k) {
      case 'segment':
        return this.beginRun(entry.version, entry.run);
      case 'open':
        return this.openRecord(entry.facts, []);
      case 'snapshot':
        return this.openRecord(entry.facts, [...entry.timeline], entry.state);
      case 'event':
        return this.addEvent(entry.id, entry.entry);
      case 'state':
        return this.setState(entry.id, entry.state);
      case 'beat':
        this.run.lastBeat = { at: entry.at, mono: entry.mono };
        return true;
      case 'close':
        return this.close(toHead(entry.record), location);
      case 'stored':
        for (const id of entry.ids) this.settle(id);
        return true;
      default:
        return false;
    }
  }

  private beginRun(version: number, run: string): boolean {
    if (version !== JOURNAL_VERSION) return false;
    this.run = this.runs.get(run) ?? {};
    this.runs.set(run, this.run);
    return true;
  }

  private openRecord(facts: RecordFacts, timeline: TimelineEntry[], state?: Json): boolean {
    this.segment?.ids.add(facts.id);
    this.open.set(facts.id, { facts, timeline, run: this.run, state });
    return true;
  }

  private setState(id: string, state: Json): boolean {
    this.segment?.ids.add(id);
    const record = this.open.get(id);
    if (record) record.state = state;
    return true;
  }

  private addEvent(id: string, entry: TimelineEntry): boolean {
    this.segment?.ids.add(id);
    this.open.get(id)?.timeline.push(entry);
    return true;
  }

  private close(head: RecordHead, { path, offset, length }: Location): boolean {
    this.segment?.ids.add(head.id);
    this.open.delete(head.id);
    // The first one stands: a record is closed once.
    if (!this.closed.has(head.id)) this.closed.set(head.id, { head, location: { path, offset, length } });
    return true;
  }

  private settle(id: string): void {
    this.stored.add(id);
    this.open.delete(id);
  }
}
