import { type AlarmSink, NO_ALARMS } from '../alarms/types.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { Store } from '../store/types.js';
import { TaskError, unknownTask } from './errors.js';
import { checkCron, nextAfter } from './schedule.js';
import { MAX_TASKS, TaskStore } from './task-store.js';
import { TaskWorker } from './task-worker.js';
import {
  ON_ERROR,
  TASK_NAME,
  type Task,
  type TaskInput,
  type TaskRun,
  type TaskRunner,
  type TaskScript,
  type TaskService,
  type TaskView,
} from './types.js';

const MAX_NOTE_LENGTH = 128;
/** A script of a task, characters. */
const MAX_SCRIPT_LENGTH = 65_536;

export interface TasksOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly alarms?: AlarmSink;
  readonly clock?: Clock;
  /** Name of this server, for people. */
  readonly node: string;
  /** Tells this server from every other on the Store, and is the same at its next start. */
  readonly server: string;
}

/** Tasks in the Store's collection `tasks`, and their schedule. */
export class StoredTasks implements TaskService {
  private readonly store: TaskStore;
  private readonly clock: Clock;
  private readonly worker: TaskWorker;

  constructor(options: TasksOptions) {
    this.store = new TaskStore(options.store.collection('tasks'));
    this.clock = options.clock ?? systemClock;
    const { log, alarms = NO_ALARMS, node, server } = options;
    this.worker = new TaskWorker({ store: this.store, clock: this.clock, log, alarms, node, server });
  }

  serve(runner: TaskRunner): void {
    this.worker.serve(runner);
  }

  pause(): void {
    this.worker.pause();
  }

  close(): Promise<void> {
    return this.worker.close();
  }

  async add(
    name: string,
    {
      script,
      times = {},
      onError = 'STOP',
      note = '',
      isActive = true,
    }: TaskInput & { readonly script: TaskScript },
  ): Promise<TaskView> {
    if (!TASK_NAME.test(name))
      throw new TaskError(
        'FIELD_INVALID',
        'a task name has 1 to 32 letters, digits, _ . or -, and begins with none of . and -',
      );
    if ((await this.store.tasks()).length >= MAX_TASKS)
      throw new TaskError('FIELD_INVALID', `there are ${MAX_TASKS} tasks already`);
    const now = this.clock.now();
    this.check({ script, times, onError, note }, now);
    const task: Task = {
      name,
      note,
      ...times,
      onError,
      isActive,
      owner: script.owner,
      source: script.source,
      commands: script.commands,
      createdAt: now,
      changedAt: now,
      since: now,
    };
    if (!(await this.store.putTask(task, 'create')))
      throw new TaskError('TASK_EXISTS', `task ${name} exists`, name);
    await this.store.putScript(name, script);
    this.worker.look();
    return this.view(task);
  }

  async modify(name: string, input: TaskInput): Promise<TaskView> {
    const before = await this.known(name);
    const now = this.clock.now();
    this.check(input, now);
    const { script, times, onError = before.onError, note = before.note } = input;
    const { isActive = before.isActive } = input;
    const { at, cron, ...rest } = before;
    const kept = times ?? { ...(at !== undefined && { at }), ...(cron !== undefined && { cron }) };
    if (input.isActive && kept.at !== undefined && kept.at <= now)
      throw new TaskError('TASK_PAST', 'its time has passed; give another with MOD TASK: AT=');
    const isNewSchedule = times !== undefined || (isActive && !before.isActive);
    const task: Task = {
      ...rest,
      ...kept,
      onError,
      note,
      isActive,
      changedAt: now,
      ...(script && { owner: script.owner, source: script.source, commands: script.commands }),
      ...(isNewSchedule && { since: now }),
    };
    if (script) await this.store.putScript(name, script);
    if (!(await this.store.putTask(task, 'update'))) throw unknownTask(name);
    this.worker.look();
    return this.view(task);
  }

  async remove(name: string): Promise<void> {
    await this.known(name);
    await this.worker.settled(name);
    if (await this.store.lockOf(name))
      throw new TaskError('TASK_BUSY', `${name} is running; STP TASK ends it`, name);
    if (!(await this.store.remove(name))) throw unknownTask(name);
    await this.worker.forget(name);
  }

  async get(name: string): Promise<TaskView | undefined> {
    const task = TASK_NAME.test(name) ? await this.store.task(name) : undefined;
    return task && this.view(task);
  }

  async list(): Promise<TaskView[]> {
    return Promise.all((await this.store.tasks()).map((task) => this.view(task)));
  }

  async script(name: string): Promise<string> {
    await this.known(name);
    return (await this.store.script(name))?.text ?? '';
  }

  async runs(name?: string): Promise<TaskRun[]> {
    const names =
      name === undefined
        ? (await this.store.tasks()).map((task) => task.name)
        : [(await this.known(name)).name];
    const all = await Promise.all(names.map((one) => this.store.runs(one)));
    return all
      .flat()
      .map((run) => this.worker.present(run))
      .sort((a, b) => b.startedAt - a.startedAt);
  }

  async start(name: string, by: string): Promise<TaskRun> {
    return this.worker.start(await this.known(name), by);
  }

  async stop(name: string): Promise<TaskRun> {
    await this.known(name);
    return this.worker.stop(name);
  }

  private async known(name: string): Promise<Task> {
    const task = TASK_NAME.test(name) ? await this.store.task(name) : undefined;
    if (!task) throw unknownTask(name);
    return task;
  }

  private async view(task: Task): Promise<TaskView> {
    const nextAt = task.isActive ? nextAfter(task, this.clock.now()) : undefined;
    const last = (await this.store.runs(task.name)).at(-1);
    return {
      ...task,
      ...(nextAt !== undefined && { nextAt }),
      ...(last && { last: this.worker.present(last) }),
    };
  }

  private check({ script, times = {}, onError, note }: TaskInput, now: number): void {
    const { at, cron } = times;
    if (script && script.text.length > MAX_SCRIPT_LENGTH)
      throw new TaskError(
        'FIELD_INVALID',
        `a script has ${MAX_SCRIPT_LENGTH} characters at most; divide it into several tasks`,
      );
    if (at !== undefined && cron !== undefined)
      throw new TaskError('FIELD_INVALID', 'a task runs once or by a cron expression, not both');
    if (at !== undefined && at <= now) throw new TaskError('TASK_PAST', 'the time of the task has passed');
    if (cron !== undefined) checkCron(cron);
    if (onError !== undefined && !ON_ERROR.includes(onError))
      throw new TaskError('FIELD_INVALID', `on error is one of ${ON_ERROR.join(', ')}`);
    if (note !== undefined && note.length > MAX_NOTE_LENGTH)
      throw new TaskError('FIELD_INVALID', `a description has ${MAX_NOTE_LENGTH} characters at most`);
  }
}
