import type { Collection, Json } from '../store/types.js';
import type { Task, TaskRun, TaskScript } from './types.js';

/** Most tasks, and runs of each that are remembered. */
export const MAX_TASKS = 200;
export const MAX_RUNS = 20;
/** A run whose server has not been heard of for this long died with it, milliseconds. */
export const STALE_MS = 120_000;

/** The run that a task is held by. */
export interface LockOwner {
  readonly server: string;
  readonly due: number;
}

/** Who runs a task at the moment. */
export interface TaskLock extends LockOwner {
  /** Wall milliseconds. */
  readonly seenAt: number;
}

/**
 * Tasks in one collection: `task NAME`, `script NAME`, `upto NAME`, `run NAME@TIME`, `lock NAME`. Runs and locks are created, never overwritten:
 * of several servers on one Store only one gets each.
 */
export class TaskStore {
  constructor(private readonly collection: Collection) {}

  async tasks(): Promise<Task[]> {
    const entries = await this.collection.list({ prefix: 'task ', limit: MAX_TASKS });
    return entries.map(({ value }) => value as unknown as Task);
  }

  async task(name: string): Promise<Task | undefined> {
    return (await this.collection.get(`task ${name}`)) as unknown as Task | undefined;
  }

  putTask(task: Task, mode: 'create' | 'update'): Promise<boolean> {
    return this.collection.put(`task ${task.name}`, task as unknown as Json, mode);
  }

  async script(name: string): Promise<TaskScript | undefined> {
    return (await this.collection.get(`script ${name}`)) as unknown as TaskScript | undefined;
  }

  async putScript(name: string, script: TaskScript): Promise<void> {
    await this.collection.put(`script ${name}`, script as unknown as Json);
  }

  /** Up to when each schedule was dealt with, wall milliseconds. */
  async upTo(): Promise<Map<string, number>> {
    const entries = await this.collection.list({ prefix: 'upto ', limit: MAX_TASKS });
    return new Map(entries.map(({ key, value }) => [key.slice(5), value as number]));
  }

  async putUpTo(name: string, at: number): Promise<void> {
    await this.collection.put(`upto ${name}`, at);
  }

  /** Removes a task and everything of it. */
  async remove(name: string): Promise<boolean> {
    const wasThere = await this.collection.remove(`task ${name}`);
    await this.collection.remove(`script ${name}`);
    await this.collection.remove(`upto ${name}`);
    for (const { due } of await this.runs(name)) await this.collection.remove(runKey(name, due));
    return wasThere;
  }

  /** Oldest first. */
  async runs(name: string): Promise<TaskRun[]> {
    const entries = await this.collection.list({ prefix: `run ${name}@`, limit: 10 * MAX_RUNS });
    return entries.map(({ value }) => value as unknown as TaskRun);
  }

  /** Creates a run; false when the same time of the same task was run already. */
  createRun(run: TaskRun): Promise<boolean> {
    return this.collection.put(runKey(run.task, run.due), run as unknown as Json, 'create');
  }

  async updateRun(run: TaskRun): Promise<void> {
    await this.collection.put(runKey(run.task, run.due), run as unknown as Json, 'update');
  }

  /** Forgets all but the newest runs. */
  async pruneRuns(name: string): Promise<void> {
    const runs = await this.runs(name);
    for (const { due } of runs.slice(0, Math.max(0, runs.length - MAX_RUNS)))
      await this.collection.remove(runKey(name, due));
  }

  /** True when the lock is ours now. */
  lock(name: string, lock: TaskLock): Promise<boolean> {
    return this.collection.put(`lock ${name}`, { ...lock }, 'create');
  }

  async lockOf(name: string): Promise<TaskLock | undefined> {
    return (await this.collection.get(`lock ${name}`)) as unknown as TaskLock | undefined;
  }

  /** Whether a run holds the task: others take the lock away when they have not heard of its server for long. */
  async isHeldBy(name: string, { server, due }: LockOwner): Promise<boolean> {
    const lock = await this.lockOf(name);
    return lock?.server === server && lock.due === due;
  }

  /** Says that the one who holds it is still there; false when it holds it no longer. */
  async touch(name: string, lock: TaskLock): Promise<boolean> {
    return (await this.isHeldBy(name, lock)) && this.collection.put(`lock ${name}`, { ...lock }, 'update');
  }

  /** Gives the task free; does nothing when another run holds it. */
  async unlock(name: string, owner: LockOwner): Promise<void> {
    if (await this.isHeldBy(name, owner)) await this.collection.remove(`lock ${name}`);
  }

  async locks(): Promise<{ name: string; lock: TaskLock }[]> {
    const entries = await this.collection.list({ prefix: 'lock ', limit: MAX_TASKS });
    return entries.map(({ key, value }) => ({ name: key.slice(5), lock: value as unknown as TaskLock }));
  }
}

/** In the order of time. */
const runKey = (name: string, due: number): string => `run ${name}@${String(due).padStart(15, '0')}`;
