import { collectAttempts, type TriedLeg } from './attempts.js';
import { partyNumber } from './party-number.js';
import { Q850_NORMAL_CLEARING, Q850_TEMPORARY_FAILURE, statusToCause } from './q850.js';
import type { CallRecord, RecordType, TimelineEntry, TimelineEvent } from './types.js';

/** What a record says of the server that wrote it. */
export interface NodeFacts {
  readonly node: string;
  readonly engine: string;
  readonly serverIp: string;
  readonly serverPort: number;
}

/** An instant on both clocks: wall for people, monotonic for intervals. Milliseconds. */
export interface Instant {
  readonly at: number;
  readonly mono: number;
}

export interface RecordFacts extends NodeFacts {
  readonly id: string;
  readonly type: RecordType;
  /** When the record was opened; the start when nothing was ever received. */
  readonly opened: Instant;
}

/** How a record without an `ended` came to its end. */
export interface LostEnd {
  /** When the call was last known alive; its last event when absent. */
  readonly lastKnown?: Instant;
  /** `server-crashed` when the process died, `server-shutdown` when it went, `server-error` when call control forgot. */
  readonly reason: 'server-crashed' | 'server-shutdown' | 'server-error';
}

type Kind = TimelineEvent['kind'];
type EventOf<K extends Kind> = Extract<TimelineEvent, { kind: K }>;
type EntryOf<K extends Kind> = TimelineEntry & { readonly event: EventOf<K> };

/**
 * Makes the one record of a timeline. Pure: the same timeline gives the same record. A timeline without `ended` is
 * that of a lost call: ABNORMAL, ended when it was last known alive.
 * All times are the start's wall time plus monotonic intervals, so a clock that is set during the call changes nothing.
 */
export function buildRecord(
  facts: RecordFacts,
  timeline: readonly TimelineEntry[],
  lost: LostEnd = { reason: 'server-error' },
): CallRecord {
  const received = first(timeline, 'received');
  const start = received ?? timeline[0] ?? facts.opened;
  const ended = last(timeline, 'ended');
  const end = ended ?? latest([facts.opened, ...timeline, ...(lost.lastKnown ? [lost.lastKnown] : [])]);
  // What rings or answers after the end was too late; figures and notes may come after it.
  const lasting = ended ? timeline.slice(0, timeline.lastIndexOf(ended)) : timeline;
  const ringing = first(lasting, 'ringing');
  const answered = first(lasting, 'answered');
  const sinceStart = (instant: Instant) => Math.max(0, Math.round(instant.mono - start.mono));
  const wall = (instant: Instant) => Math.round(start.at) + sinceStart(instant);
  const legs = collectAttempts(timeline);
  return {
    id: facts.id,
    type: facts.type,
    startTime: Math.round(start.at),
    ...(ringing && { ringTime: wall(ringing), pddMs: sinceStart(ringing) }),
    ...(answered && { answerTime: wall(answered), setupMs: sinceStart(answered) }),
    endTime: wall(end),
    durationMs: sinceStart(end),
    billSec: answered ? Math.ceil(Math.max(0, sinceStart(end) - sinceStart(answered)) / 1000) : 0,
    ...callerOf(received?.event),
    ...calleeOf(last(timeline, 'routed')?.event, answered?.event, legs, ended?.event),
    ...wayOf(received?.event, last(timeline, 'routed')?.event),
    ...forwardingOf(timeline),
    ...originOf(first(timeline, 'originated')?.event),
    ...pickUpOf(last(timeline, 'picked-up')?.event),
    ...announcementOf(last(timeline, 'announced')?.event),
    ...conferenceOf(last(timeline, 'conference')?.event),
    ...transferOf(last(timeline, 'transferred'), wall),
    ...outcomeOf(ended?.event, answered !== undefined, lost),
    ...countsOf(timeline, lasting, end),
    ...notedOf(timeline),
    ...nodeOf(facts),
  };
}

function first<K extends Kind>(timeline: readonly TimelineEntry[], kind: K): EntryOf<K> | undefined {
  return timeline.find((entry): entry is EntryOf<K> => entry.event.kind === kind);
}

function last<K extends Kind>(timeline: readonly TimelineEntry[], kind: K): EntryOf<K> | undefined {
  return timeline.findLast((entry): entry is EntryOf<K> => entry.event.kind === kind);
}

function latest(instants: readonly Instant[]): Instant {
  return instants.reduce((a, b) => (b.mono > a.mono ? b : a));
}

function nodeOf({ node, engine, serverIp, serverPort }: NodeFacts): NodeFacts {
  return { node, engine, serverIp, serverPort };
}

function callerOf(received: EventOf<'received'> | undefined) {
  return {
    callId: received?.callId ?? '',
    callerUri: received?.callerUri ?? '',
    callerNumber: partyNumber(received?.callerNumber || received?.callerUri || ''),
    ...(received?.callerName && { callerName: received.callerName }),
    callerIp: received?.address ?? '',
    callerPort: received?.port ?? 0,
    callerTransport: received?.transport ?? '',
    ...(received?.userAgent && { callerUserAgent: received.userAgent }),
    dialledNumber: partyNumber(received?.dialledNumber ?? ''),
    ...(received && { cseq: received.cseq }),
  };
}

/** The callee is the leg that answered; else the one whose status ended the call; else the one tried last. */
function calleeOf(
  routed: EventOf<'routed'> | undefined,
  answered: EventOf<'answered'> | undefined,
  legs: readonly TriedLeg[],
  ended: EventOf<'ended'> | undefined,
) {
  const chosen =
    legs.find(({ leg }) => leg === answered?.leg) ??
    legs.findLast(({ record }) => ended !== undefined && record.sipStatus === ended.status) ??
    legs.at(-1);
  return {
    ...(routed && {
      calleeUri: routed.calleeUri,
      calleeNumber: answered?.username ?? partyNumber(routed.calleeNumber || routed.calleeUri),
      ...(routed.group !== undefined && { group: routed.group }),
      ...(routed.route !== undefined && { route: routed.route }),
    }),
    ...(chosen && {
      ...(chosen.record.trunk !== undefined && { trunkOut: chosen.record.trunk }),
      calleeContact: chosen.record.contact,
      calleeIp: chosen.record.address,
      calleePort: chosen.record.port,
      calleeTransport: chosen.record.transport,
    }),
    ...(answered?.userAgent && { calleeUserAgent: answered.userAgent }),
    attempts: legs.map(({ record }) => record),
    bCallIds: [...new Set(legs.map(({ record }) => record.callId).filter((callId) => callId !== ''))],
  } as const;
}

function originOf(event: EventOf<'originated'> | undefined) {
  return event ? { originatedBy: event.by } : {};
}

function wayOf(received: EventOf<'received'> | undefined, routed: EventOf<'routed'> | undefined) {
  const trunkIn = received?.trunkIn;
  const direction: CallRecord['direction'] =
    routed?.direction ?? (trunkIn === undefined ? 'INTERNAL' : 'INBOUND');
  return { direction, ...(trunkIn !== undefined && { trunkIn }) };
}

function pickUpOf(event: EventOf<'picked-up'> | undefined) {
  return event ? { pickedUpBy: event.by } : {};
}

function announcementOf(event: EventOf<'announced'> | undefined) {
  return event ? { announcement: event.name } : {};
}

function conferenceOf(event: EventOf<'conference'> | undefined) {
  return event ? { conferenceId: event.room } : {};
}

function transferOf(entry: EntryOf<'transferred'> | undefined, wall: (instant: Instant) => number) {
  if (!entry) return {};
  const { by, to } = entry.event;
  return { transferredBy: by, transferredTo: to, transferTime: wall(entry) };
}

function notedOf(timeline: readonly TimelineEntry[]) {
  const noted = last(timeline, 'noted')?.event.facts;
  const restarts = timeline.filter(({ event }) => event.kind === 'restored').length;
  return restarts === 0 ? noted : { ...noted, extra: { ...noted?.extra, restarts: String(restarts) } };
}

function forwardingOf(timeline: readonly TimelineEntry[]) {
  const diversions = timeline.flatMap(({ event }) =>
    event.kind === 'diverted' ? [{ by: event.by, to: event.to, reason: event.reason }] : [],
  );
  const forwardedBy = diversions.at(-1)?.by;
  return forwardedBy === undefined ? {} : { forwardedBy, diversions };
}

function outcomeOf(ended: EventOf<'ended'> | undefined, isAnswered: boolean, lost: LostEnd) {
  if (!ended)
    return {
      result: 'ABNORMAL',
      sipStatus: isAnswered ? 200 : 0,
      sipReason: isAnswered ? 'OK' : '',
      q850Cause: Q850_TEMPORARY_FAILURE,
      releaseParty: 'SERVER',
      releaseReason: lost.reason,
    } as const;
  const { result, by, status, reason, releaseReason } = ended;
  const isNormal = result === 'ANSWERED' || result === 'CANCELLED';
  const q850Cause = ended.q850Cause ?? (isNormal ? Q850_NORMAL_CLEARING : statusToCause(status));
  return {
    result,
    sipStatus: status,
    sipReason: reason,
    ...(q850Cause !== undefined && { q850Cause }),
    releaseParty: by,
    releaseReason,
  };
}

function countsOf(timeline: readonly TimelineEntry[], lasting: readonly TimelineEntry[], end: Instant) {
  let dtmfCount = 0;
  let reinvites = 0;
  for (const { event } of timeline) {
    if (event.kind === 'dtmf') dtmfCount += event.digits;
    if (event.kind === 'reinvite') reinvites++;
  }
  const media = last(timeline, 'media')?.event.streams ?? [];
  return { media, dtmfCount, holdMs: holdMs(lasting, end), reinvites };
}

/** Time during which at least one side held the other. */
function holdMs(timeline: readonly TimelineEntry[], end: Instant): number {
  const holding = new Set<string>();
  let since = 0;
  let total = 0;
  for (const { event, mono } of timeline) {
    if (event.kind === 'held') {
      if (holding.size === 0) since = mono;
      holding.add(event.by);
    } else if (event.kind === 'resumed' && holding.delete(event.by) && holding.size === 0) {
      total += mono - since;
    }
  }
  if (holding.size > 0) total += Math.max(0, end.mono - since);
  return Math.round(total);
}
