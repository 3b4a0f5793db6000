import type { Clock } from '../platform/clock.js';
import type { Json } from '../store/types.js';
import { buildRecord, type LostEnd, type RecordFacts } from './build-record.js';
import type { CallRecord, OpenRecord, TimelineEntry, TimelineEvent } from './types.js';

/** Ladder messages kept of one record; further ones are dropped and counted. */
export const MAX_MESSAGES = 200;
/** Other events kept of one record: far more than a call has, so that a peer cannot fill the memory. */
export const MAX_EVENTS = 1000;
/** Longest session description kept with a message, characters. */
const MAX_SDP_LENGTH = 4096;
/** Events that are kept whatever came before. */
const ALWAYS_KEPT: readonly TimelineEvent['kind'][] = ['answered', 'ended', 'media', 'resumed'];

/** What a record tells its service. */
export interface LiveRecordOwner {
  added(record: LiveRecord, entry: TimelineEntry): void;
  closed(record: LiveRecord, closed: CallRecord): void;
  kept(record: LiveRecord, state: Json): void;
}

/** An open record in memory. */
export class LiveRecord implements OpenRecord {
  /** What its call goes on with after a restart. */
  state: Json | undefined;
  private readonly entries: TimelineEntry[];
  private closedRecord: CallRecord | undefined;
  private messages = 0;
  private dropped = 0;

  constructor(
    readonly facts: RecordFacts,
    private readonly clock: Clock,
    private readonly owner: LiveRecordOwner,
    /** Of an earlier run, on this run's monotonic clock. */
    former: readonly TimelineEntry[] = [],
  ) {
    this.entries = [...former];
  }

  get id(): string {
    return this.facts.id;
  }

  get timeline(): readonly TimelineEntry[] {
    return this.entries;
  }

  /** The timeline without ladder messages: what the record is made of. */
  get timelineOfFacts(): TimelineEntry[] {
    return this.entries.filter(({ event }) => event.kind !== 'message');
  }

  add(event: TimelineEvent): void {
    if (this.closedRecord) return;
    if (this.isFull(event)) {
      this.dropped++;
      return;
    }
    const entry = { at: this.clock.now(), mono: this.clock.monotonic(), event: bounded(event) };
    if (event.kind === 'message') this.messages++;
    if (event.kind === 'media') this.dropFormerMedia();
    this.entries.push(entry);
    this.owner.added(this, entry);
  }

  keep(state: Json): void {
    if (this.closedRecord) return;
    this.state = state;
    this.owner.kept(this, state);
  }

  finish(lost?: LostEnd): CallRecord {
    if (this.closedRecord) return this.closedRecord;
    const now = { at: this.clock.now(), mono: this.clock.monotonic() };
    const record = buildRecord(this.facts, this.entries, lost ?? { reason: 'server-error', lastKnown: now });
    this.closedRecord = this.dropped === 0 ? record : withDropped(record, this.dropped);
    this.owner.closed(this, this.closedRecord);
    return this.closedRecord;
  }

  private isFull(event: TimelineEvent): boolean {
    if (event.kind === 'message') return this.messages >= MAX_MESSAGES;
    return this.entries.length - this.messages >= MAX_EVENTS && !ALWAYS_KEPT.includes(event.kind);
  }

  /** Only the last figures count, and they may come often. */
  private dropFormerMedia(): void {
    const at = this.entries.findLastIndex(({ event }) => event.kind === 'media');
    if (at >= 0) this.entries.splice(at, 1);
  }
}

function bounded(event: TimelineEvent): TimelineEvent {
  if (event.kind !== 'message' || event.sdp === undefined || event.sdp.length <= MAX_SDP_LENGTH) return event;
  return { ...event, sdp: event.sdp.slice(0, MAX_SDP_LENGTH) };
}

function withDropped(record: CallRecord, dropped: number): CallRecord {
  return { ...record, extra: { ...record.extra, droppedEvents: String(dropped) } };
}
