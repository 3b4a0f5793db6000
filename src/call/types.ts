import type { CallRecord, TimelineEntry } from '../cdr/types.js';
import type { MediaStreamStats } from '../media/types.js';
import type { RouteStep } from '../routing/steps.js';

/** Where a call stands. `ended` calls are gone from the list at once; their record tells the rest. */
export type CallState = 'routing' | 'ringing' | 'announcing' | 'connected' | 'held' | 'ending';

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

/** Click to call by an operator. */
export interface ClickService {
  /**
   * Makes the phones of a subscriber ring and then calls the number; resolves the id of the call, undefined without such a
   * subscriber. `by` asked for it.
   */
  connect(from: string, to: string, by: string): Promise<string | undefined>;
}

/** Where a call would go, and why. */
export interface RouteReport {
  /** `rings`, a release reason, or the action of a feature code. */
  readonly outcome: string;
  /** What the caller would hear at once; absent when something rings. */
  readonly status?: number;
  readonly callee?: string;
  readonly steps: readonly RouteStep[];
  /** One entry for each phone, in the order of the rounds. */
  readonly rounds: readonly {
    readonly round: number;
    readonly kind: string;
    readonly ringSec: number;
    readonly username: string;
    readonly contact: string;
    readonly address: string;
  }[];
  /** Where the call goes on after these rounds. */
  readonly onFailure: readonly {
    readonly failure: string;
    readonly by: string;
    readonly to: string;
    readonly reason: string;
  }[];
  /** Header lines that forwarding adds. */
  readonly headers: readonly string[];
}

/** Tries routes without calling. */
export interface RouteService {
  /** The way of a call from a subscriber to a number; `ip` is where the caller is. Rejects when the Store is away. */
  explain(from: string, to: string, ip?: string): Promise<RouteReport>;
}
