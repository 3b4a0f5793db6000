import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { AlarmSink } from '../../../src/alarms/types.js';
import type { Clock, TimerHandle, Wakeable } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { StoreError } from '../../../src/store/errors.js';
import { StoredTasks } from '../../../src/tasks/stored-tasks.js';
import type { RunProgress, TaskJob, TaskRunner } from '../../../src/tasks/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { openTempStore } from '../../support/temp-store.js';
import { waitFor } from '../../support/wait-for.js';

const MINUTE = 60_000;
const owner = { name: 'li', isLocal: false, since: 1 };
const script = { text: 'LST USER; DSP VERSION', source: 'COMMAND', commands: 2, owner };
/** Two full hours after midnight, wherever the test runs. */
const START = new Date(2027, 2, 1, 2).getTime();

/** Writes down what it is to run, and ends it when it is told to. */
class HeldRunner implements TaskRunner {
  readonly jobs: TaskJob[] = [];
  readonly pruned: [string, number][] = [];
  isHeld = false;
  failed = 0;
  /** Runs that were ended from outside. */
  aborted = 0;
  private readonly waiting: (() => void)[] = [];

  async run(job: TaskJob, signal: AbortSignal): Promise<RunProgress> {
    this.jobs.push(job);
    job.onProgress({ total: 2, done: 1, failed: 0, line: 1 });
    if (this.isHeld)
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        signal.addEventListener('abort', () => {
          this.aborted++;
          resolve();
        });
      });
    const fault = this.failed > 0 ? { line: 1, retcode: 4001, file: 'tasks/job/x.txt' } : {};
    return { total: 2, done: signal.aborted ? 1 : 2, failed: this.failed, ...fault };
  }

  release(): void {
    this.isHeld = false;
    for (const go of this.waiting.splice(0)) go();
  }

  async prune(task: string, keep: number): Promise<void> {
    this.pruned.push([task, keep]);
  }
}

/** Knows whether a server waits for its next look at the schedules. */
class LookClock implements Clock {
  private timer: TimerHandle | undefined;

  constructor(private readonly clock: ManualClock) {}

  get isWaiting(): boolean {
    return this.timer !== undefined;
  }

  now = (): number => this.clock.now();
  monotonic = (): number => this.clock.monotonic();

  setTimeout(fn: (() => void) | Wakeable, delayMs: number): TimerHandle {
    const isLook = delayMs <= 15_000 && delayMs !== 5000;
    const timer = this.clock.setTimeout(() => {
      if (isLook) this.timer = undefined;
      if (typeof fn === 'function') fn();
      else fn.wake();
    }, delayMs);
    if (isLook) this.timer = timer;
    return timer;
  }

  clearTimeout(handle: TimerHandle | undefined): void {
    if (handle !== undefined && handle === this.timer) this.timer = undefined;
    this.clock.clearTimeout(handle);
  }
}

describe('tasks', { timeout: 60_000 }, () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let clock: ManualClock;
  const opened: StoredTasks[] = [];
  const clocks: LookClock[] = [];
  const runners: HeldRunner[] = [];
  before(async () => {
    temp = await openTempStore();
  });
  after(() => temp.close());
  beforeEach(async () => {
    clock = new ManualClock(START);
    clocks.length = 0;
    runners.length = 0;
    active.clear();
    const collection = temp.store.collection('tasks');
    for (const { key } of await collection.list({ limit: 1000 })) await collection.remove(key);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((tasks) => tasks.close()));
  });

  /** What is active, `SUBJECT: detail`. */
  const active = new Map<string, string>();
  const alarms: AlarmSink = {
    raise: (name, subject, detail) => void active.set(`${name} ${subject}`, detail),
    clear: (name, subject) => void active.delete(`${name} ${subject}`),
  };

  function open(
    server = 'a',
    runner = new HeldRunner(),
    store = temp.store,
  ): { tasks: StoredTasks; runner: HeldRunner } {
    const own = new LookClock(clock);
    const tasks = new StoredTasks({ store, log: silentLogger, alarms, clock: own, node: server, server });
    opened.push(tasks);
    clocks.push(own);
    runners.push(runner);
    tasks.serve(runner);
    return { tasks, runner };
  }

  /** Lets the clock go minute by minute, each time until every server has looked and no run is left that nobody holds. */
  async function pass(minutes: number, untilRunsEnd = true): Promise<void> {
    for (let i = 0; i < minutes; i++) {
      await waitFor('every server to wait', () => clocks.every(({ isWaiting }) => isWaiting));
      clock.advance(MINUTE);
      await waitFor('every server to look', () => clocks.every(({ isWaiting }) => isWaiting));
      if (!untilRunsEnd || runners.some(({ isHeld }) => isHeld)) continue;
      const locks = () => temp.store.collection('tasks').list({ prefix: 'lock ' });
      if (i + 1 < minutes) await waitFor('runs to end', async () => (await locks()).length === 0);
    }
  }

  type Lock = { server: string; seenAt: number };
  const lock = async () => (await temp.store.collection('tasks').get('lock job')) as unknown as Lock;

  /** The same while a run goes on, whose server says each minute that it is there. */
  async function passHeld(minutes: number): Promise<void> {
    for (let i = 0; i < minutes; i++) {
      await pass(1, false);
      await waitFor('its server to tell', async () => (await lock()).seenAt >= clock.now() - MINUTE / 2);
    }
  }

  const states = async (tasks: StoredTasks, name = 'job'): Promise<string> =>
    (await tasks.runs(name)).map(({ state }) => state).join(' ');
  const until = (tasks: StoredTasks, wanted: string, name = 'job') =>
    waitFor(wanted, async () => (await states(tasks, name)) === wanted);

  it('runs once at its time, as the one who gave the script, and never again', async () => {
    const { tasks, runner } = open();
    const at = START + 3 * MINUTE;
    assert.equal((await tasks.add('job', { script, times: { at } })).nextAt, at);
    await pass(2);
    assert.equal(runner.jobs.length, 0);
    await pass(5);
    await until(tasks, 'OK');
    const [job] = runner.jobs;
    assert.deepEqual([runner.jobs.length, job?.due, job?.owner, job?.script], [1, at, owner, script.text]);
    assert.equal((await tasks.get('job'))?.nextAt, undefined);
    await tasks.close();
    clocks.length = 0;
    const again = open();
    await pass(3);
    assert.equal(again.runner.jobs.length, 0);
  });

  it('runs again and again by cron; several servers on one Store run each time once', async () => {
    const [one, two] = [open('a'), open('b')];
    await one.tasks.add('job', { script, times: { cron: '*/2 * * * *' } });
    await pass(10);
    const jobs = [...one.runner.jobs, ...two.runner.jobs];
    await until(one.tasks, 'OK OK OK OK OK');
    assert.deepEqual(
      jobs.map(({ due }) => (due - START) / MINUTE).sort((x, y) => x - y),
      [2, 4, 6, 8, 10],
    );
  });

  it('a time that was run is not run again, though its server died before it could say that it dealt with it', async () => {
    const { tasks } = open();
    await tasks.add('job', { script, times: { at: START + MINUTE } });
    await pass(1);
    await until(tasks, 'OK');
    await tasks.close();
    clocks.length = 0;
    const collection = temp.store.collection('tasks');
    assert.ok(await collection.remove('upto job'));
    const { runner } = open('b');
    await waitFor('the other server to look', async () => (await collection.get('upto job')) !== undefined);
    await pass(1);
    assert.equal(runner.jobs.length, 0);
  });

  it('does not run while inactive; ACT counts from now', async () => {
    const { tasks, runner } = open();
    await tasks.add('job', { script, times: { cron: '* * * * *' }, isActive: false });
    await pass(3);
    assert.equal(runner.jobs.length, 0);
    await tasks.modify('job', { isActive: true });
    await pass(1);
    await until(tasks, 'OK');
    await tasks.modify('job', { isActive: false });
    await pass(3);
    assert.equal(await states(tasks), 'OK');
    await tasks.modify('job', { times: {} });
    assert.equal((await tasks.modify('job', { isActive: true })).nextAt, undefined);
  });

  it('skips a time that comes while the run before goes on', async () => {
    const { tasks, runner } = open();
    runner.isHeld = true;
    await tasks.add('job', { script, times: { cron: '* * * * *' } });
    await pass(2);
    await until(tasks, 'SKIPPED RUNNING');
    assert.deepEqual([runner.jobs.length, (await tasks.get('job'))?.last?.state], [1, 'SKIPPED']);
    runner.release();
    await until(tasks, 'SKIPPED OK');
  });

  it('makes up for a time that passed minutes ago, and notes one that passed long ago', async () => {
    const away = new StoredTasks({ store: temp.store, log: silentLogger, clock, node: 'a', server: 'a' });
    await away.add('job', { script, times: { at: START + MINUTE } });
    await away.add('old', { script, times: { cron: '0 3 * * *' } });
    clock.advance(5 * MINUTE);
    const first = open();
    await until(first.tasks, 'OK');
    await first.tasks.close();
    clock.advance(3 * 24 * 60 * MINUTE);
    const second = open();
    await until(second.tasks, 'MISSED', 'old');
    await waitFor('an alarm', () => active.has('TASK_FAILED old'));
    assert.equal(active.get('TASK_FAILED old'), 'its time passed before it could begin');
    assert.equal(second.runner.jobs.length, 0);
    assert.equal((await second.tasks.get('old'))?.nextAt, new Date(2027, 2, 4, 3).getTime());
  });

  it('a run that its server left behind reads INTERRUPTED at its next start and is not begun again', async () => {
    const { tasks, runner } = open('a');
    runner.isHeld = true;
    await tasks.add('job', { script, times: { at: START + MINUTE } });
    await pass(1);
    await until(tasks, 'RUNNING');
    // The same server started anew, as after kill -9: its lock and run stand in the Store.
    const again = open('a');
    await until(again.tasks, 'INTERRUPTED');
    await pass(2);
    assert.equal(again.runner.jobs.length, 0);
    assert.equal((await again.tasks.start('job', 'li')).state, 'RUNNING');
    runner.release();
  });

  it('a server that is not heard of for two minutes has lost its run; one that is has not', async () => {
    const dead = await deadServersRun();
    const { tasks } = open('b');
    await pass(1);
    assert.equal(await states(tasks), 'RUNNING');
    await pass(2);
    await until(tasks, 'INTERRUPTED');
    await dead();
    const alive = open('c');
    alive.runner.isHeld = true;
    await alive.tasks.start('job', 'li');
    await passHeld(5);
    assert.equal(await states(tasks), 'RUNNING INTERRUPTED');
    await assert.rejects(tasks.start('job', 'li'), { code: 'TASK_BUSY' });
    await assert.rejects(tasks.remove('job'), { code: 'TASK_BUSY' });
    alive.runner.release();
  });

  /** Leaves a run and a lock of another server in the Store, as a crash does. */
  async function deadServersRun(): Promise<() => Promise<void>> {
    const tasks = new StoredTasks({ store: temp.store, log: silentLogger, clock, node: 'x', server: 'x' });
    await tasks.add('job', { script });
    const collection = temp.store.collection('tasks');
    const run = {
      task: 'job',
      due: START,
      by: 'li',
      state: 'RUNNING',
      startedAt: START,
      total: 2,
      done: 1,
      failed: 0,
    };
    await collection.put(`run job@${String(START).padStart(15, '0')}`, { ...run, node: 'x' });
    await collection.put('lock job', { server: 'x', due: START, seenAt: START });
    return () => tasks.close();
  }

  it('STP ends a run, a stop of the server interrupts it', async () => {
    const { tasks, runner } = open();
    runner.isHeld = true;
    await tasks.add('job', { script });
    await tasks.start('job', 'li');
    await assert.rejects(tasks.start('job', 'li'), { code: 'TASK_BUSY' });
    await waitFor('progress', async () => (await tasks.runs('job'))[0]?.done === 1);
    assert.equal((await tasks.stop('job')).state, 'STOPPED');
    await assert.rejects(tasks.stop('job'), { code: 'TASK_IDLE' });
    clock.advance(1);
    await tasks.start('job', 'li');
    await tasks.close();
    assert.equal(await states(tasks), 'INTERRUPTED STOPPED');
  });

  it('four run at once, the others wait for a place', async () => {
    const { tasks, runner } = open();
    runner.isHeld = true;
    for (let i = 1; i <= 6; i++) await tasks.add(`job${i}`, { script, times: { at: START + MINUTE } });
    await pass(1);
    await waitFor('four runs', () => runner.jobs.length === 4);
    runner.release();
    await waitFor('all runs', () => runner.jobs.length === 6);
  });

  it('remembers the newest twenty runs, and nothing of a task that was removed', async () => {
    const { tasks, runner } = open();
    await tasks.add('job', { script, times: { cron: '* * * * *' } });
    for (let i = 1; i <= 25; i++) {
      await pass(1);
      await waitFor('a run', () => runner.jobs.length === i);
    }
    await waitFor('the end', async () => (await tasks.runs('job'))[0]?.state === 'OK');
    assert.equal((await tasks.runs('job')).length, 20);
    await waitFor(
      'no lock',
      async () => (await temp.store.collection('tasks').get('lock job')) === undefined,
    );
    await tasks.remove('job');
    assert.deepEqual(await temp.store.collection('tasks').list(), []);
    assert.deepEqual(runner.pruned.at(-1), ['job', 0]);
    assert.ok(runner.pruned.some(([, keep]) => keep === 20));
  });

  it('a failure is an alarm until the task succeeds, is removed, or CLR ALARM', async () => {
    const { tasks, runner } = open();
    runner.failed = 1;
    await tasks.add('job', { script });
    await tasks.start('job', 'li');
    await until(tasks, 'FAILED');
    assert.deepEqual([...active], [['TASK_FAILED job', 'line 1, RETCODE 4001, tasks/job/x.txt']]);
    runner.failed = 0;
    clock.advance(1);
    await tasks.start('job', 'li');
    await until(tasks, 'OK FAILED');
    assert.equal(active.size, 0);
    await waitFor(
      'no lock',
      async () => (await temp.store.collection('tasks').get('lock job')) === undefined,
    );
    clock.advance(1);
    await deadLock();
    await pass(3, false);
    await until(tasks, 'INTERRUPTED OK FAILED');
    assert.deepEqual([...active], [['TASK_FAILED job', 'its server ended while it ran']]);
    await tasks.remove('job');
    assert.equal(active.size, 0);
  });

  /** A run and a lock of a server that is gone, as a crash leaves them. */
  async function deadLock(): Promise<void> {
    const collection = temp.store.collection('tasks');
    const [due, counts] = [clock.now(), { total: 2, done: 1, failed: 0 }];
    const run = { task: 'job', due, by: 'li', state: 'RUNNING', startedAt: due, ...counts, node: 'x' };
    await collection.put(`run job@${String(due).padStart(15, '0')}`, run);
    await collection.put('lock job', { server: 'x', due, seenAt: due });
  }

  it('begins nothing by schedule once the server is about to stop, and makes up for it at its next start', async () => {
    const { tasks, runner } = open();
    await tasks.add('job', { script, times: { at: START + MINUTE } });
    tasks.pause();
    clock.advance(2 * MINUTE);
    await tasks.close();
    assert.equal(runner.jobs.length, 0);
    const again = open();
    await until(again.tasks, 'OK');
  });

  it('writes the end of a run down when the Store is back, and keeps its schedule meanwhile', async () => {
    let isAway = false;
    const real = temp.store.collection('tasks');
    const away = new Proxy(real, {
      get: (target, name) =>
        isAway
          ? () => Promise.reject(new StoreError('STORE_UNAVAILABLE', 'away'))
          : Reflect.get(target, name).bind(target),
    });
    const store = { ...temp.store, collection: () => away } as typeof temp.store;
    const { tasks, runner } = open('a', new HeldRunner(), store);
    runner.isHeld = true;
    await tasks.add('job', { script, times: { cron: '*/5 * * * *' } });
    await tasks.start('job', 'li');
    await waitFor('the run', () => runner.jobs.length === 1);
    isAway = true;
    runner.release();
    await pass(6, false);
    assert.equal((await real.get('lock job')) === undefined, false);
    isAway = false;
    await pass(2, false);
    await until(tasks, 'OK OK');
    assert.equal(runner.jobs.length, 2, 'the time that passed meanwhile was made up');
  });

  /** A server whose Store is away when it is said so. */
  function openAway(server: string) {
    const state = { isAway: false };
    const away = new Proxy(temp.store.collection('tasks'), {
      get: (target, name) =>
        state.isAway
          ? () => Promise.reject(new StoreError('STORE_UNAVAILABLE', 'away'))
          : Reflect.get(target, name).bind(target),
    });
    const store = { ...temp.store, collection: () => away } as typeof temp.store;
    return { state, ...open(server, new HeldRunner(), store) };
  }

  for (const isOver of [false, true])
    it(`a run whose lock was taken away ${isOver ? 'writes no end' : 'is ended'} and leaves the next run alone`, async () => {
      const [one, two] = [openAway('a'), open('b')];
      one.runner.isHeld = two.runner.isHeld = true;
      await one.tasks.add('job', { script });
      await one.tasks.start('job', 'li');
      await waitFor('the run', () => one.runner.jobs.length === 1);
      one.state.isAway = true;
      if (isOver) one.runner.release();
      await pass(3, false);
      await until(two.tasks, 'INTERRUPTED');
      await two.tasks.start('job', 'li');
      one.state.isAway = false;
      await passHeld(2);
      if (!isOver) await waitFor('its end', () => one.runner.aborted === 1);
      await waitFor('its place', () =>
        one.tasks.stop('job').then(
          () => false,
          ({ code }) => code === 'TASK_IDLE',
        ),
      );
      assert.equal(await states(two.tasks), 'RUNNING INTERRUPTED');
      assert.equal((await lock()).server, 'b');
      await assert.rejects(one.tasks.start('job', 'li'), { code: 'TASK_BUSY' });
      two.runner.release();
      await until(two.tasks, 'OK INTERRUPTED');
      await waitFor('no lock', async () => (await lock()) === undefined);
    });

  it('takes no lock away that another server has taken meanwhile, or whose server is heard of again', async () => {
    const dead = await deadServersRun();
    const real = temp.store.collection('tasks');
    for (const next of [
      { server: 'c', due: START + 1, seenAt: START + 9 * MINUTE },
      { server: 'x', due: START, seenAt: START + 9 * MINUTE },
    ]) {
      await real.put('lock job', { server: 'x', due: START, seenAt: START });
      let isTaken = false;
      const raced = new Proxy(real, {
        get: (target, name) =>
          name === 'list'
            ? async (options: { prefix: string }) => {
                const found = await target.list(options);
                if (options.prefix === 'lock ' && !isTaken) {
                  isTaken = true;
                  await target.put('lock job', next);
                }
                return found;
              }
            : Reflect.get(target, name).bind(target),
      });
      clock.advance(3 * MINUTE);
      const { tasks } = open('b', new HeldRunner(), {
        ...temp.store,
        collection: () => raced,
      } as typeof temp.store);
      await pass(1, false);
      assert.ok(isTaken);
      assert.deepEqual(await lock(), next);
      assert.equal(await states(tasks), 'RUNNING');
      await tasks.close();
      clocks.length = 0;
    }
    await dead();
  });

  it('says what is wrong with a task', async () => {
    const { tasks } = open();
    const refused = (name: string, more: object = {}) => tasks.add(name, { script, ...more });
    for (const name of ['', '.', '..', '../x', 'a/b', '.hidden', '-f', 'x'.repeat(33), 'a b'])
      await assert.rejects(refused(name), { code: 'FIELD_INVALID' }, name);
    await assert.rejects(refused('job', { times: { at: START } }), /has passed/);
    await assert.rejects(refused('job', { times: { cron: '61 * * * *' } }), { code: 'FIELD_INVALID' });
    await assert.rejects(refused('job', { script: { ...script, text: 'x'.repeat(70_000) } }), /65536/);
    await tasks.add('夜间任务', { script });
    await assert.rejects(refused('夜间任务'), { code: 'TASK_EXISTS' });
    await assert.rejects(tasks.modify('none', {}), { code: 'TASK_UNKNOWN' });
    await tasks.add('once', { script, times: { at: START + MINUTE }, isActive: false });
    clock.advance(2 * MINUTE);
    await assert.rejects(tasks.modify('once', { isActive: true }), /MOD TASK: AT=/);
    await tasks.remove('once');
    for (let i = 0; i < 199; i++) await tasks.add(`t${i}`, { script });
    await assert.rejects(refused('one-more'), /200 tasks/);
  });
});
