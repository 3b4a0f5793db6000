import { isDeepStrictEqual } from 'node:util';
import type { AlarmSink } from '../alarms/types.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import { TaskError } from './errors.js';
import { RunningTask } from './running-task.js';
import { dueAt, nextAfter } from './schedule.js';
import { STALE_MS, type TaskStore } from './task-store.js';
import type { RunState, Task, TaskRun, TaskRunner } from './types.js';

/** Tasks that run at once on one server; others wait for a place. */
const MAX_RUNNING = 4;
/** Schedules are looked at after this long at the latest: the clock may have jumped, another server changed a task. Milliseconds. */
const LOOK_MS = 15_000;
const MIN_LOOK_MS = 50;
export interface WorkerParts {
  readonly store: TaskStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarms: AlarmSink;
  readonly node: string;
  readonly server: string;
}

/** Keeps the schedule: finds what is due, claims it in the Store, has it run, and writes down what came of it. */
export class TaskWorker {
  private readonly running = new Map<string, RunningTask>();
  /** Tasks between taking the lock and running: their locks are not left over. */
  private readonly claiming = new Set<string>();
  private runner: TaskRunner | undefined;
  private timer: TimerHandle | undefined;
  private looking: Promise<void> | undefined;
  private lookAgain = false;
  private isPaused = false;
  private isClosed = false;
  private isFailing = false;

  constructor(private readonly parts: WorkerParts) {}

  serve(runner: TaskRunner): void {
    this.runner = runner;
    this.look();
  }

  /** No new run begins by schedule; what falls due is left to the next start, or to another server. */
  pause(): void {
    this.isPaused = true;
    this.parts.clock.clearTimeout(this.timer);
  }

  /** Ends the runs that are going; they read INTERRUPTED. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.parts.clock.clearTimeout(this.timer);
    await this.looking;
    const runs = [...this.running.values()];
    for (const run of runs) run.stop(true);
    await Promise.all(runs.map(({ done }) => done));
  }

  /** Looks at the schedules now. */
  look(): void {
    const { runner } = this;
    if (this.isClosed || this.isPaused || !runner) return;
    this.lookAgain = true;
    this.looking ??= this.lookOn(runner).finally(() => {
      this.looking = undefined;
    });
  }

  /** A run as it is at this moment, when it is one of ours. */
  present(run: TaskRun): TaskRun {
    const own = this.running.get(run.task)?.run;
    return own?.due === run.due ? own : run;
  }

  /** Resolves when a run that is over is in the Store as well. */
  async settled(name: string): Promise<void> {
    const running = this.running.get(name);
    if (running?.run.endedAt !== undefined) await running.done;
  }

  async start(task: Task, by: string): Promise<TaskRun> {
    await this.settled(task.name);
    if (this.isClosed || !this.runner) throw new TaskError('TASK_BUSY', 'the server is stopping', task.name);
    if (this.running.size >= MAX_RUNNING)
      throw new TaskError(
        'TASKS_FULL',
        `${MAX_RUNNING} tasks are running; wait for one, or stop it with STP TASK`,
      );
    const due = this.parts.clock.now();
    const claimed = await this.claim(task, due, by, this.runner);
    if (claimed.kind !== 'ours')
      throw new TaskError('TASK_BUSY', `${task.name} is running; STP TASK ends it`, task.name);
    return claimed.run;
  }

  async stop(name: string): Promise<TaskRun> {
    const entry = this.running.get(name);
    if (!entry) throw new TaskError('TASK_IDLE', `${name} does not run on this server`, name);
    entry.stop(false);
    await entry.done;
    return entry.run;
  }

  /** A task is gone: its result files go too. */
  async forget(name: string): Promise<void> {
    this.parts.alarms.clear('TASK_FAILED', name);
    const pruned = this.runner?.prune(name, 0);
    await pruned?.catch((error: unknown) => this.warn(error, 'result files of a task that was removed stay'));
  }

  private async lookOn(runner: TaskRunner): Promise<void> {
    while (this.lookAgain && !this.isClosed) {
      this.lookAgain = false;
      this.parts.clock.clearTimeout(this.timer);
      let waitMs = LOOK_MS;
      try {
        waitMs = await this.lookOnce(runner);
        if (this.isFailing) this.parts.log.info('tasks are looked at again');
        this.isFailing = false;
      } catch (error) {
        if (!this.isFailing) this.warn(error, 'tasks cannot be looked at; trying again');
        this.isFailing = true;
      }
      if (!this.isClosed && !this.isPaused)
        this.timer = this.parts.clock.setTimeout(() => this.look(), waitMs);
    }
  }

  /** Deals with everything that is due; resolves when to look again, milliseconds. */
  private async lookOnce(runner: TaskRunner): Promise<number> {
    const { store, clock } = this.parts;
    await this.sweep();
    const upTo = await store.upTo();
    let waitMs = LOOK_MS;
    for (const task of await store.tasks()) {
      if (!task.isActive || this.isPaused || this.isClosed) continue;
      const after = Math.max(task.since, upTo.get(task.name) ?? 0);
      const now = clock.now();
      const due = dueAt(task, after, now);
      if (due?.kind === 'missed') {
        const isNew = await store.createRun(this.newRun(task, due.due, 'SCHEDULE', 'MISSED'));
        if (isNew) this.parts.alarms.raise('TASK_FAILED', task.name, 'its time passed before it could begin');
        await this.dealtWith(task.name, due.upTo);
        this.lookAgain = true;
      } else if (due && this.running.size < MAX_RUNNING && !this.isEnding(task.name)) {
        const { kind } = await this.claim(task, due.due, 'SCHEDULE', runner);
        if (kind !== 'theirs') await this.dealtWith(task.name, due.upTo);
      }
      const next = nextAfter(task, now);
      if (next !== undefined) waitMs = Math.min(waitMs, next - now);
    }
    return Math.max(MIN_LOOK_MS, waitMs);
  }

  /** A run that is over but not yet written down: who waits for its place is looked at again then. */
  private isEnding(name: string): boolean {
    return this.running.get(name)?.run.endedAt !== undefined;
  }

  private async dealtWith(name: string, upTo: number): Promise<void> {
    await this.parts.store.putUpTo(name, upTo);
    await this.parts.store.pruneRuns(name);
  }

  /** Locks of servers that are gone, of this one before it was started anew too. */
  private async sweep(): Promise<void> {
    const { store, clock, server } = this.parts;
    for (const { name, lock } of await store.locks()) {
      const isOurs = lock.server === server;
      if (isOurs && (this.running.has(name) || this.claiming.has(name))) continue;
      if (!isOurs && clock.now() - lock.seenAt < STALE_MS) continue;
      // Others sweep as well, and its server may be heard of again.
      if (!isDeepStrictEqual(await store.lockOf(name), lock)) continue;
      const run = (await store.runs(name)).find(({ due }) => due === lock.due);
      if (run?.state === 'RUNNING') {
        await store.updateRun({ ...run, state: 'INTERRUPTED', endedAt: lock.seenAt });
        this.parts.alarms.raise('TASK_FAILED', name, 'its server ended while it ran');
      }
      await store.unlock(name, lock);
    }
  }

  /**
   * Takes one time of a task for this server and begins to run it. `theirs`: another server is at it. `over`: it was run, or is
   * skipped because an earlier one still runs.
   */
  private async claim(task: Task, due: number, by: string, runner: TaskRunner): Promise<Claim> {
    const { store, clock, server } = this.parts;
    const { name } = task;
    if (this.claiming.has(name)) return { kind: 'theirs' };
    this.claiming.add(name);
    try {
      const owner = { server, due };
      if (!(await store.lock(name, { ...owner, seenAt: clock.now() }))) {
        const held = await store.lockOf(name);
        if (!held || held.due === due || by !== 'SCHEDULE') return { kind: 'theirs' };
        await store.createRun(this.newRun(task, due, by, 'SKIPPED'));
        return { kind: 'over' };
      }
      const run = this.newRun(task, due, by, 'RUNNING');
      if (this.isClosed) {
        await store.unlock(name, owner);
        return { kind: 'theirs' };
      }
      if (!(await store.createRun(run))) {
        await store.unlock(name, owner);
        return { kind: 'over' };
      }
      this.launch(task, run, runner);
      return { kind: 'ours', run };
    } finally {
      this.claiming.delete(name);
    }
  }

  private newRun(task: Task, due: number, by: string, state: RunState): TaskRun {
    const { clock, node } = this.parts;
    const startedAt = clock.now();
    const isOver = state !== 'RUNNING';
    const counts = { total: task.commands, done: 0, failed: 0 };
    return {
      task: task.name,
      due,
      by,
      state,
      startedAt,
      ...(isOver && { endedAt: startedAt }),
      ...counts,
      node,
    };
  }

  private launch(task: Task, run: TaskRun, runner: TaskRunner): void {
    const running = new RunningTask(this.parts, runner, task, run);
    this.running.set(task.name, running);
    void running.done.then(() => {
      this.running.delete(task.name);
      this.look();
    });
  }

  private warn(error: unknown, message: string): void {
    this.parts.log.warn({ err: errorMessage(error) }, message);
  }
}

type Claim = { readonly kind: 'ours'; readonly run: TaskRun } | { readonly kind: 'theirs' | 'over' };
