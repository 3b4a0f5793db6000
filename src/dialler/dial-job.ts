import type { CallRecord } from '../cdr/types.js';
import type { DialJobView, DialTarget, JobState, TargetState } from './types.js';

/** Release reasons after which a number is worth another try; the others will not change within minutes. */
const WORTH_RETRYING: ReadonlySet<string> = new Set([
  'callee-busy',
  'callee-no-answer',
  'callee-unavailable',
  'callee-not-registered',
  'callee-unreachable',
  'callee-timeout',
  'callee-failed',
  'media-unavailable',
]);

/** Release reasons that say nothing of the number: no line was free, or the server could not look where it leads. */
const NO_LINE: ReadonlySet<string> = new Set([
  'trunks-full',
  'trunks-down',
  'outside-limit',
  'server-overloaded',
  'store-unavailable',
]);
/** How often a number waits for a line; after that its try counts. */
const MAX_WAITS = 100;

/** What a job is to do. */
export interface DialTask {
  readonly id: string;
  readonly by: string;
  readonly caller: string;
  readonly sound: string;
  readonly parallel: number;
  readonly noAnswerSec: number;
  readonly repeat: number;
  readonly retries: number;
  readonly retrySec: number;
  readonly numbers: readonly string[];
  /** Wall milliseconds. */
  readonly startTime: number;
}

/** A number of a job while it is worked on. */
export interface Target {
  readonly number: string;
  state: TargetState;
  tries: number;
  /** Tries that found no line. */
  waits: number;
  /** Monotonic milliseconds before which it is not tried again. */
  notBeforeMs: number;
  last?: Pick<CallRecord, 'id' | 'result' | 'releaseReason' | 'sipStatus' | 'billSec'>;
  isPlayed: boolean;
  digits: string;
}

const IS_UP: ReadonlySet<TargetState> = new Set(['calling', 'ringing', 'talking']);

/** The numbers of one job: which is next, and what became of the others. No calls, no clocks. */
export class DialJob {
  endTime: number | undefined;
  private calls = 0;
  private isStopped = false;
  /** Until then, monotonic milliseconds, no more calls at once than were up when one found no line. */
  private narrow = { untilMs: 0, calls: 0 };
  private readonly all: readonly Target[];

  constructor(readonly task: DialTask) {
    this.all = task.numbers.map((number) => ({
      number,
      state: 'waiting',
      tries: 0,
      waits: 0,
      notBeforeMs: 0,
      isPlayed: false,
      digits: '',
    }));
  }

  get state(): JobState {
    if (this.isStopped) return 'stopped';
    return this.isOver ? 'done' : 'running';
  }

  /** Nothing waits and no call is up. */
  get isOver(): boolean {
    return this.all.every(({ state }) => state !== 'waiting' && !IS_UP.has(state));
  }

  get running(): number {
    return this.all.filter(({ state }) => IS_UP.has(state)).length;
  }

  /** The next number to be called, which is then being called; undefined when none is due. */
  take(nowMs: number): Target | undefined {
    const { running, narrow } = this;
    if (running >= this.task.parallel || (nowMs < narrow.untilMs && running >= narrow.calls))
      return undefined;
    const target = this.all.find(({ state, notBeforeMs }) => state === 'waiting' && notBeforeMs <= nowMs);
    if (!target) return undefined;
    target.state = 'calling';
    target.tries++;
    target.isPlayed = false;
    target.digits = '';
    this.calls++;
    return target;
  }

  /** When the next number that waits is due, monotonic milliseconds; undefined when none waits. */
  get nextDueMs(): number | undefined {
    const waiting = this.all.filter(({ state }) => state === 'waiting').map(({ notBeforeMs }) => notBeforeMs);
    if (waiting.length === 0) return undefined;
    const dueMs = Math.min(...waiting);
    return this.running < this.narrow.calls ? dueMs : Math.max(dueMs, this.narrow.untilMs);
  }

  /** A call is over. */
  finished(target: Target, record: NonNullable<Target['last']>, nowMs: number): void {
    const { retries, retrySec } = this.task;
    target.last = record;
    const findsNoLine = NO_LINE.has(record.releaseReason) && target.waits < MAX_WAITS;
    const mayRetry = target.tries <= retries && WORTH_RETRYING.has(record.releaseReason);
    if (target.isPlayed) target.state = 'done';
    else if (this.isStopped) target.state = 'stopped';
    else if (findsNoLine) {
      target.waits++;
      target.tries--;
      this.waitFor(target, nowMs + retrySec * 1000);
      this.narrow = { untilMs: target.notBeforeMs, calls: this.running };
    } else if (mayRetry) this.waitFor(target, nowMs + retrySec * 1000);
    else target.state = 'failed';
  }

  private waitFor(target: Target, untilMs: number): void {
    target.state = 'waiting';
    target.notBeforeMs = untilMs;
  }

  /** Nothing more is called. */
  stop(): void {
    this.isStopped = true;
    for (const target of this.all) if (target.state === 'waiting') target.state = 'stopped';
  }

  view(): DialJobView {
    const { id, by, caller, sound, parallel, startTime } = this.task;
    const count = (state: TargetState) => this.all.filter((target) => target.state === state).length;
    return {
      id,
      state: this.state,
      by,
      caller,
      sound,
      parallel,
      startTime,
      ...(this.endTime !== undefined && { endTime: this.endTime }),
      total: this.all.length,
      waiting: count('waiting'),
      running: this.running,
      done: count('done'),
      failed: count('failed'),
      stopped: count('stopped'),
      calls: this.calls,
    };
  }

  targets(): DialTarget[] {
    return this.all.map(({ number, state, tries, isPlayed, digits, last }) => ({
      number,
      state,
      tries,
      isPlayed,
      digits,
      talkSec: last?.billSec ?? 0,
      ...(last && {
        result: last.result,
        reason: last.releaseReason,
        sipStatus: last.sipStatus,
        recordId: last.id,
      }),
    }));
  }
}
