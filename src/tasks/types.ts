import type { Closeable } from '../platform/lifecycle.js';

/** A name of a task; it is also that of a directory with result files. */
export const TASK_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,31}$/u;

/** What a batch does after a command that fails: end, or go on with the next one. */
export const ON_ERROR = ['STOP', 'GO'] as const;
export type OnError = (typeof ON_ERROR)[number];

/** Whom a task runs as: an operator, or the owner of the machine (`ims mml`). */
export interface TaskOwner {
  readonly name: string;
  /** The owner of the machine; its name may be that of an operator as well. */
  readonly isLocal: boolean;
  /** When the operator was made: another one of the same name is somebody else. Wall milliseconds; 0 for the owner of the machine. */
  readonly since: number;
}

/** When a task runs by itself: once, again and again, or never. Wall milliseconds; a cron expression of five parts. */
export interface TaskTimes {
  readonly at?: number;
  readonly cron?: string;
}

/** Commands of a task, checked for the one who gives them. */
export interface TaskScript {
  readonly text: string;
  /** Where it came from: `COMMAND`, or the name of a file. */
  readonly source: string;
  readonly commands: number;
  /** Who gives it: it runs as this one. Kept in one piece with the text. */
  readonly owner: TaskOwner;
}

/** A batch of commands that the server runs. */
export interface Task extends TaskTimes {
  readonly name: string;
  readonly note: string;
  readonly onError: OnError;
  readonly isActive: boolean;
  readonly owner: TaskOwner;
  readonly source: string;
  /** Commands of its script. */
  readonly commands: number;
  readonly createdAt: number;
  readonly changedAt: number;
  /** Its schedule counts from here. */
  readonly since: number;
}

/** A task with what consoles show beside it. */
export interface TaskView extends Task {
  /** When it runs next; absent: not by itself. */
  readonly nextAt?: number;
  readonly last?: TaskRun;
}

/**
 * How a run stands: going, all commands succeeded, one failed, ended by an operator, ended with the server, never begun because its
 * time passed before it could begin, or because the run before was still going.
 */
export type RunState = 'RUNNING' | 'OK' | 'FAILED' | 'STOPPED' | 'INTERRUPTED' | 'MISSED' | 'SKIPPED';

export interface RunProgress {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Line of the script: the command that runs, or the first that failed. */
  readonly line?: number;
  /** RETCODE of the first that failed. */
  readonly retcode?: number;
  /** File with the reports, below DATA_DIR/exchange. */
  readonly file?: string;
}

/** One run of a task. */
export interface TaskRun extends RunProgress {
  readonly task: string;
  /** The time of the schedule, or when it was started by hand. */
  readonly due: number;
  /** `SCHEDULE`, or the operator who started it. */
  readonly by: string;
  readonly state: RunState;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** The server that ran it, among several on one Store. */
  readonly node: string;
}

/** What is to be run, as the runner gets it. */
export interface TaskJob {
  readonly task: string;
  readonly script: string;
  readonly owner: TaskOwner;
  readonly onError: OnError;
  readonly due: number;
  onProgress(progress: RunProgress): void;
}

/** Runs the commands of a task; the console is one. */
export interface TaskRunner {
  /** Never rejects for what a command does. Ends soon after `signal` is aborted. */
  run(job: TaskJob, signal: AbortSignal): Promise<RunProgress>;
  /** Removes all but the newest `keep` result files of a task. */
  prune(task: string, keep: number): Promise<void>;
}

/** What may be given of a task; what is left out stays as it is. */
export interface TaskInput {
  readonly script?: TaskScript | undefined;
  readonly times?: TaskTimes | undefined;
  readonly onError?: OnError | undefined;
  readonly note?: string | undefined;
  readonly isActive?: boolean | undefined;
}

/**
 * Batches of commands that the server runs by schedule or on demand. Rejects with TaskError: TASK_EXISTS, TASK_UNKNOWN, TASK_BUSY,
 * TASKS_FULL, TASK_IDLE, TASK_PAST, FIELD_INVALID, or with StoreError.
 */
export interface TaskService extends Closeable {
  add(name: string, input: TaskInput & { readonly script: TaskScript }): Promise<TaskView>;
  modify(name: string, input: TaskInput): Promise<TaskView>;
  /** Removes a task with its runs and result files. Rejects with TASK_BUSY while it runs. */
  remove(name: string): Promise<void>;
  get(name: string): Promise<TaskView | undefined>;
  list(): Promise<TaskView[]>;
  script(name: string): Promise<string>;
  /** Newest first; those of every task when no name is given. */
  runs(name?: string): Promise<TaskRun[]>;
  /** Starts a run now, whatever the schedule says. Resolves when it has begun. */
  start(name: string, by: string): Promise<TaskRun>;
  /** Ends a run of this server after the command that it is at. Resolves when it is over. */
  stop(name: string): Promise<TaskRun>;
  /** Begins to keep the schedule; `close` ends it and the runs that are going. */
  serve(runner: TaskRunner): void;
  /** The server is about to stop: no new run begins by schedule. */
  pause(): void;
}
