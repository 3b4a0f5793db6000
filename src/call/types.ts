import type { CallRecord, TimelineEntry } from '../cdr/types.js';
import type { MediaStreamStats } from '../media/types.js';

/** Where a call stands. `ended` calls are gone from the list at once; their record tells the rest. */
export type CallState = 'routing' | 'ringing' | 'connected' | 'held' | 'ending';

/** A live call as consoles see it. */
export interface CallView {
  /** The record's id. */
  readonly id: string;
  readonly state: CallState;
  readonly callId: string;
  readonly caller: string;
  readonly callee: string;
  readonly dialled: string;
  readonly callerAddress: string;
  readonly calleeAddress?: string;
  /** Wall milliseconds. */
  readonly startTime: number;
  readonly answerTime?: number;
  readonly codec?: string;
}

/** Live calls, for MML and HTTP. */
export interface CallService {
  list(): CallView[];
  get(id: string): (CallView & { readonly timeline: readonly TimelineEntry[] }) | undefined;
  media(id: string): Promise<MediaStreamStats[] | undefined>;
  count(): { active: number; connected: number; total: number };
  /** Ends a call by an operator's word: BYE or final response to every leg. Resolves its record; undefined if unknown. */
  end(id: string): Promise<CallRecord | undefined>;
}
