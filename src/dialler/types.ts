import type { Closeable } from '../platform/lifecycle.js';

/** How the dial service works where a job does not say otherwise; kept in the Store. */
export interface DialSettings {
  /** Off: no job is taken. */
  readonly enabled: boolean;
  /** The subscriber that calls: its number is shown, its rights and limits count. Empty: each job has to name one. */
  readonly caller: string;
  /** Empty: each job has to name one. */
  readonly sound: string;
  /** Calls of one job at once, 1..100. */
  readonly parallel: number;
  /** Calls of all jobs at once, 1..500. */
  readonly maxParallel: number;
  /** From the start of a call until it counts as not answered, seconds, 5..120. */
  readonly noAnswerSec: number;
  /** How often the sound is played, 1..10. */
  readonly repeat: number;
  /** Further tries of a number that was busy, did not answer or could not be reached, 0..5. */
  readonly retries: number;
  /** Between two tries of a number, seconds, 5..3600. */
  readonly retrySec: number;
}

export type DialSettingsInput = { readonly [K in keyof DialSettings]?: DialSettings[K] | undefined };

/** What an operator wants to be done. */
export interface DialOrder
  extends Partial<
    Record<'caller' | 'sound', string | undefined> &
      Record<'parallel' | 'noAnswerSec' | 'repeat' | 'retries' | 'retrySec', number | undefined>
  > {
  /** Subscribers, groups, short numbers, and outside numbers where routes lead there; at most 1000. */
  readonly numbers: readonly string[];
  /** The operator, for records. */
  readonly by: string;
}

export type TargetState = 'waiting' | 'calling' | 'ringing' | 'talking' | 'done' | 'failed' | 'stopped';

/** One number of a job. */
export interface DialTarget {
  readonly number: string;
  readonly state: TargetState;
  readonly tries: number;
  /** Of the last try, once it is over: as in its record. */
  readonly result?: string;
  readonly reason?: string;
  readonly sipStatus?: number;
  /** The sound was heard to its end. */
  readonly isPlayed: boolean;
  /** Keys that were pressed. */
  readonly digits: string;
  readonly talkSec: number;
  /** Record of the last try. */
  readonly recordId?: string;
}

export type JobState = 'running' | 'done' | 'stopped';

/** A job as consoles see it. */
export interface DialJobView {
  readonly id: string;
  readonly state: JobState;
  readonly by: string;
  readonly caller: string;
  readonly sound: string;
  readonly parallel: number;
  /** Wall milliseconds. */
  readonly startTime: number;
  readonly endTime?: number;
  readonly total: number;
  readonly waiting: number;
  /** Calls that are up. */
  readonly running: number;
  /** Heard the sound to its end. */
  readonly done: number;
  readonly failed: number;
  readonly stopped: number;
  /** Calls made so far, tries included. */
  readonly calls: number;
}

/** Calls that play a sound. Changes reject with DialError or SoundError, and with StoreError when the Store is away. */
export interface DialService extends Closeable {
  settings(): Promise<DialSettings>;
  /** Switched off, it stops every job. */
  modify(input: DialSettingsInput): Promise<DialSettings>;
  /** Calls of all jobs that are up. */
  readonly running: number;
  start(order: DialOrder): Promise<DialJobView>;
  /** Stops a job, all without `id`: numbers that wait are not called, calls that are up end. Resolves how many jobs stopped. */
  stop(id?: string): Promise<number>;
  /** Running ones and the last that are over, newest first. */
  jobs(): DialJobView[];
  targets(id: string): readonly DialTarget[];
}
