import type { TimerHandle } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import { TaskError } from './errors.js';
import { type LockOwner, MAX_RUNS } from './task-store.js';
import type { WorkerParts } from './task-worker.js';
import type { RunProgress, RunState, Task, TaskRun, TaskRunner } from './types.js';

/** How often a run says that its server is there, milliseconds. */
const BEAT_MS = 30_000;
/** Until the end of a run is written again after the Store refused it, milliseconds. */
const RETRY_MS = 5000;

/** One run that was claimed, from its first command until its end is in the Store. */
export class RunningTask {
  private readonly controller = new AbortController();
  private isClosing = false;
  /** Another server took it for dead; it may run the task by now. */
  private isLost = false;
  private wake: () => void = () => {};
  private timer: TimerHandle | undefined;
  /** Resolves when all is over; never rejects. */
  readonly done: Promise<void>;

  constructor(
    private readonly parts: WorkerParts,
    private readonly runner: TaskRunner,
    private readonly task: Task,
    public run: TaskRun,
  ) {
    parts.log.info({ task: task.name, by: run.by, commands: run.total }, 'task begins');
    this.done = this.carryOut();
  }

  /** Ends it after the command that it is at; with the server it reads INTERRUPTED, else STOPPED. */
  stop(withServer: boolean): void {
    this.isClosing ||= withServer;
    this.controller.abort();
    this.wake();
  }

  private async carryOut(): Promise<void> {
    const { clock, log } = this.parts;
    this.beatLater();
    let state: RunState;
    try {
      state = await this.runScript();
    } catch (error) {
      log.error({ err: error, task: this.task.name }, 'a task could not be run');
      state = 'FAILED';
    }
    if (this.controller.signal.aborted) state = this.isClosing || this.isLost ? 'INTERRUPTED' : 'STOPPED';
    clock.clearTimeout(this.timer);
    this.run = { ...this.run, state, endedAt: clock.now() };
    const { task, done, failed, line, retcode } = this.run;
    log.info({ task, state, done, failed, line, retcode }, 'task ends');
    if (!this.isLost) this.tellAlarms();
    await this.settle();
  }

  /** An alarm until the task succeeds again. */
  private tellAlarms(): void {
    const { task, state, line, retcode, file } = this.run;
    const facts = [
      ...(line === undefined ? [] : [`line ${line}`]),
      ...(retcode === undefined ? [] : [`RETCODE ${retcode}`]),
      ...(file === undefined ? [] : [file]),
    ];
    if (state === 'FAILED') this.parts.alarms.raise('TASK_FAILED', task, facts.join(', '));
    else if (state === 'OK') this.parts.alarms.clear('TASK_FAILED', task);
    else if (state === 'INTERRUPTED')
      this.parts.alarms.raise('TASK_FAILED', task, 'its server ended while it ran');
  }

  private async runScript(): Promise<RunState> {
    const { name, onError } = this.task;
    const script = await this.parts.store.script(name);
    if (!script) throw new TaskError('TASK_UNKNOWN', `${name} has no script`, name);
    const take = (progress: RunProgress): void => {
      // The line that it was at is none that failed.
      const { line: _, ...before } = this.run;
      this.run = { ...before, ...progress };
    };
    const { text, owner } = script;
    const job = { task: name, script: text, owner, onError, due: this.run.due, onProgress: take };
    const progress = await this.runner.run(job, this.controller.signal);
    take(progress);
    if (progress.failed > 0) return 'FAILED';
    return progress.done < progress.total ? 'STOPPED' : 'OK';
  }

  private beatLater(): void {
    this.timer = this.parts.clock.setTimeout(() => {
      this.beat().catch((error: unknown) => this.warn(error, 'the progress of a task could not be kept'));
      this.beatLater();
    }, BEAT_MS);
  }

  /** Tells other servers now and then that the run goes on. One that is no longer ours is ended. */
  private async beat(): Promise<void> {
    const { store, clock } = this.parts;
    const { task } = this.run;
    if (await store.touch(task, { ...this.owner, seenAt: clock.now() })) return store.updateRun(this.run);
    // The lock goes at the end as well.
    if (this.run.endedAt !== undefined || this.isLost) return;
    this.isLost = true;
    this.parts.log.warn({ task }, 'a task is ended: another server has taken it over');
    this.controller.abort();
  }

  private get owner(): LockOwner {
    return { server: this.parts.server, due: this.run.due };
  }

  /** Writes the end of a run down, again and again while the Store is away; nothing when it was taken away from us. */
  private async settle(): Promise<void> {
    const { store, clock } = this.parts;
    const { task } = this.run;
    for (;;) {
      try {
        if (!(await store.isHeldBy(task, this.owner))) break;
        await store.updateRun(this.run);
        await store.unlock(task, this.owner);
        await store.pruneRuns(task);
        break;
      } catch (error) {
        this.warn(error, 'the end of a task could not be kept');
        if (this.isClosing) return;
        await new Promise<void>((resolve) => {
          this.wake = resolve;
          this.timer = clock.setTimeout(resolve, RETRY_MS);
        });
        clock.clearTimeout(this.timer);
      }
    }
    const pruned = this.runner.prune(task, MAX_RUNS);
    await pruned.catch((error: unknown) => this.warn(error, 'old result files of a task stay'));
  }

  private warn(error: unknown, message: string): void {
    this.parts.log.warn({ err: errorMessage(error), task: this.task.name }, message);
  }
}
