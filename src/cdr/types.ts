import type { MediaStreamStats } from '../media/types.js';
import type { Json, RecordPage, RecordQuery } from '../store/types.js';

export const RECORD_TYPES = ['CALL', 'REGISTER', 'MESSAGE', 'OPTIONS'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

export const CALL_RESULTS = [
  'ANSWERED',
  'FAILED',
  'CANCELLED',
  'NO_ANSWER',
  'BUSY',
  'REJECTED',
  'ABNORMAL',
] as const;
export type CallResult = (typeof CALL_RESULTS)[number];

export type ReleaseParty = 'CALLER' | 'CALLEE' | 'SERVER' | 'OPERATOR';
export type CallDirection = 'INTERNAL' | 'INBOUND' | 'OUTBOUND';

/** One B-leg target that was tried. */
export interface AttemptRecord {
  readonly contact: string;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  readonly callId: string;
  /** Final status, or 0 when none came. */
  readonly sipStatus: number;
  readonly sipReason: string;
  /** The trunk that was tried. */
  readonly trunk?: string;
}

/** One forwarding of a call, with the reasons of RFC 5806. */
export interface DiversionRecord {
  readonly by: string;
  readonly to: string;
  readonly reason: string;
}

/** A call detail record, as in docs/cdr.md. Absent means unknown or never happened. Times are wall UTC milliseconds. */
export interface CallRecord {
  readonly id: string;
  readonly type: RecordType;
  readonly result: CallResult;
  readonly startTime: number;
  readonly ringTime?: number;
  readonly answerTime?: number;
  readonly endTime: number;
  /** Start to end, monotonic milliseconds. */
  readonly durationMs: number;
  /** Answer to end, whole seconds rounded up; 0 when never answered. */
  readonly billSec: number;
  /** Start to answer. */
  readonly setupMs?: number;
  /** Start to first ringing: post-dial delay. */
  readonly pddMs?: number;
  readonly callId: string;
  readonly bCallIds: readonly string[];
  readonly callerUri: string;
  readonly callerNumber: string;
  readonly callerName?: string;
  readonly callerIp: string;
  readonly callerPort: number;
  readonly callerTransport: string;
  readonly callerUserAgent?: string;
  readonly calleeUri?: string;
  readonly calleeNumber?: string;
  readonly dialledNumber: string;
  readonly calleeContact?: string;
  readonly calleeIp?: string;
  readonly calleePort?: number;
  readonly calleeTransport?: string;
  readonly calleeUserAgent?: string;
  readonly sipStatus: number;
  readonly sipReason: string;
  /** ITU-T Q.850 cause (RFC 3398 §8.2.6.1 mapping unless the peer sent one). */
  readonly q850Cause?: number;
  readonly releaseParty: ReleaseParty;
  /** Stable kebab-case token from one catalogue (docs/cdr.md). */
  readonly releaseReason: string;
  readonly direction: CallDirection;
  readonly trunkIn?: string;
  readonly trunkOut?: string;
  readonly route?: string;
  /** The hunt group that was rung last. */
  readonly group?: string;
  /** Who took the call from the phones that rang. */
  readonly pickedUpBy?: string;
  /** For whom the server began the call itself: a subscriber by REFER, or a service. */
  readonly originatedBy?: string;
  /** What the caller was told before the call failed. */
  readonly announcement?: string;
  /** The conference room that the call went to, or was refused by. */
  readonly conferenceId?: string;
  /** Who transferred the call, to whom, and when (wall milliseconds); the last time of several. */
  readonly transferredBy?: string;
  readonly transferredTo?: string;
  readonly transferTime?: number;
  /** Who sent the call on, the last one of several. */
  readonly forwardedBy?: string;
  /** Every forwarding, in order. */
  readonly diversions?: readonly DiversionRecord[];
  readonly attempts: readonly AttemptRecord[];
  readonly media: readonly MediaStreamStats[];
  readonly dtmfCount: number;
  readonly holdMs: number;
  readonly reinvites: number;
  readonly expires?: number;
  readonly messageBody?: string;
  readonly node: string;
  readonly engine: string;
  readonly serverIp: string;
  readonly serverPort: number;
  readonly cseq?: number;
  readonly extra?: Readonly<Record<string, string>>;
}

/** What happened, as data. Every fact of a record comes from one of these. */
export type TimelineEvent =
  | {
      readonly kind: 'received';
      readonly method: string;
      readonly callId: string;
      readonly cseq: number;
      readonly callerUri: string;
      readonly callerNumber: string;
      readonly callerName?: string;
      readonly dialledNumber: string;
      readonly address: string;
      readonly port: number;
      readonly transport: string;
      readonly userAgent?: string;
      /** The trunk that it came from. */
      readonly trunkIn?: string;
    }
  | { readonly kind: 'authenticated'; readonly username: string }
  /** The server begins the call itself, for `by`. */
  | { readonly kind: 'originated'; readonly by: string }
  | {
      readonly kind: 'routed';
      readonly calleeUri: string;
      readonly calleeNumber: string;
      readonly direction: CallDirection;
      readonly route?: string;
      /** The hunt group that is rung. */
      readonly group?: string;
    }
  /** A phone that was not rung took the call. */
  | { readonly kind: 'picked-up'; readonly leg: string; readonly by: string }
  /** `by` left the call to the two others; `leg` took its place, absent in a record that ends with it. */
  | { readonly kind: 'transferred'; readonly by: string; readonly to: string; readonly leg?: string }
  /** The call goes on from one number to another. */
  | ({ readonly kind: 'diverted' } & DiversionRecord)
  | {
      readonly kind: 'attempt';
      readonly leg: string;
      readonly contact: string;
      readonly address: string;
      readonly port: number;
      readonly transport: string;
      /** Known once the INVITE was sent. */
      readonly callId: string;
      /** The trunk that is tried. */
      readonly trunk?: string;
    }
  | { readonly kind: 'ringing'; readonly leg: string; readonly status: number }
  | { readonly kind: 'attempt-ended'; readonly leg: string; readonly status: number; readonly reason: string }
  | {
      readonly kind: 'answered';
      readonly leg: string;
      readonly userAgent?: string;
      /** The subscriber whose phone it is. */
      readonly username?: string;
    }
  /** The caller hears why the call fails. */
  | { readonly kind: 'announced'; readonly name: string }
  /** The call leads to a conference room. */
  | { readonly kind: 'conference'; readonly room: string }
  | { readonly kind: 'acknowledged' }
  /** The call went on in a new process; `awayMs` without one. */
  | { readonly kind: 'restored'; readonly awayMs: number }
  | { readonly kind: 'reinvite'; readonly by: 'CALLER' | 'CALLEE' }
  | { readonly kind: 'held' | 'resumed'; readonly by: 'CALLER' | 'CALLEE' }
  | { readonly kind: 'dtmf'; readonly by: 'CALLER' | 'CALLEE'; readonly digits: number }
  | { readonly kind: 'media'; readonly streams: readonly MediaStreamStats[] }
  | {
      readonly kind: 'ended';
      readonly result: CallResult;
      readonly by: ReleaseParty;
      readonly status: number;
      readonly reason: string;
      readonly releaseReason: string;
      readonly q850Cause?: number;
    }
  /** Facts that belong into the record and to no other event; the last one counts. */
  | {
      readonly kind: 'noted';
      readonly facts: {
        readonly expires?: number;
        readonly messageBody?: string;
        readonly extra?: Readonly<Record<string, string>>;
      };
    }
  /** A SIP message as call control saw it, for the ladder. Bounded per call. */
  | {
      readonly kind: 'message';
      /** `a`, or a B leg's name: `b1`, `b2`… */
      readonly leg: string;
      readonly sent: boolean;
      /** `INVITE`, `180 Ringing`, `200 OK (INVITE)`… */
      readonly summary: string;
      readonly sdp?: string;
    };

/** One entry: wall time for people, monotonic time for intervals. */
export interface TimelineEntry {
  readonly at: number;
  readonly mono: number;
  readonly event: TimelineEvent;
}

/** A call's open record. The journal has it from the first event on; `finish` makes the one closed record of it. */
export interface OpenRecord {
  readonly id: string;
  /** Appends an event at the present time. Never throws; ladder messages beyond the bound are dropped and counted. */
  add(event: TimelineEvent): void;
  readonly timeline: readonly TimelineEntry[];
  /**
   * Keeps what the call goes on with when this process ends before the call: then the record stays open, and `left` of the
   * next process has it. The last one counts.
   */
  keep(state: Json): void;
  /** Closes the record; later adds are ignored. The last `ended` event says how. Idempotent. */
  finish(): CallRecord;
}

/** The open record of a call that was up when the last process ended. One of the two is to be called. */
export interface LeftRecord {
  readonly id: string;
  /** What was kept of its call. */
  readonly state: Json;
  /** When the call was last known alive, wall milliseconds. */
  readonly lastKnownAt: number;
  /** The call goes on: so does its record. */
  resume(): OpenRecord;
  /** The call is over: its record is closed as of then. */
  giveUp(): CallRecord;
}

export interface RecordService {
  /** Opens a record; it reaches the disk in the next group commit. */
  begin(type: RecordType): OpenRecord;
  /** Closed records, those still waiting in the journal included. */
  query(query: RecordQuery): Promise<Omit<RecordPage, 'records'> & { records: CallRecord[] }>;
  get(id: string): Promise<CallRecord | undefined>;
  /** Records not yet in the Store, and whether the Store took the last one. */
  backlog(): { waiting: number; storeAlive: boolean; open: number };
  /** Resolves when everything closed so far is in the Store or safe in the journal. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
