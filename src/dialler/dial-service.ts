import type { UserService } from '../accounts/types.js';
import type { SoundLibrary } from '../audio/sound-library.js';
import type { AudioHost } from '../audio/types.js';
import type { Call } from '../call/call.js';
import { causeOf } from '../call/causes.js';
import type { Originator } from '../call/originate.js';
import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { StoreError } from '../store/errors.js';
import type { Store } from '../store/types.js';
import { DialJob, type DialTask, type Target } from './dial-job.js';
import { callingUser, checkOrder, howToCall, partsOf } from './dial-order.js';
import { StoredDialSettings } from './dial-settings.js';
import { DialError } from './errors.js';
import { placeCall } from './place-call.js';
import type {
  DialJobView,
  DialOrder,
  DialService,
  DialSettings,
  DialSettingsInput,
  DialTarget,
} from './types.js';

/** Jobs at once, and jobs that are remembered. */
const MAX_RUNNING = 20;
const MAX_REMEMBERED = 100;
/** After a try that could not even begin, because the caller's account was not there, milliseconds. */
const TROUBLE_MS = 1000;

export interface DiallerOptions {
  readonly store: Store;
  readonly users: Pick<UserService, 'authData'>;
  readonly calls: Originator;
  readonly audio: Pick<AudioHost, 'open'>;
  readonly sounds: Pick<SoundLibrary, 'check' | 'find'>;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Carries out jobs: calls their numbers, so many at once, and plays a sound to whoever answers. Jobs end with the process. */
export class Dialler implements DialService {
  private readonly stored: StoredDialSettings;
  private readonly clock: Clock;
  private readonly all = new Map<string, DialJob>();
  private readonly up = new Map<Call, DialJob>();
  private maxParallel = 0;
  private timer: TimerHandle | undefined;
  private lastId = 0;
  private isClosed = false;

  constructor(private readonly options: DiallerOptions) {
    this.stored = new StoredDialSettings(options.store, options.sounds);
    this.clock = options.clock ?? systemClock;
  }

  get running(): number {
    return this.up.size;
  }

  settings(): Promise<DialSettings> {
    return this.stored.read();
  }

  async modify(input: DialSettingsInput): Promise<DialSettings> {
    if (input.caller) await callingUser(this.options.users, input.caller);
    const settings = await this.stored.modify(input);
    this.maxParallel = settings.maxParallel;
    if (!settings.enabled) await this.stop();
    return settings;
  }

  async start(order: DialOrder): Promise<DialJobView> {
    const [task, settings] = await this.prepare(order);
    // No wait between these and the job: what changed meanwhile counts.
    this.mustTakeJobs(settings);
    this.maxParallel = settings.maxParallel;
    const job = new DialJob(task);
    this.all.set(task.id, job);
    for (const [id, { isOver }] of this.all) {
      if (this.all.size <= MAX_REMEMBERED) break;
      if (isOver) this.all.delete(id);
    }
    this.options.log.info({ job: task.id, by: task.by, numbers: task.numbers.length }, 'dial job starts');
    this.pump();
    return job.view();
  }

  async stop(id?: string): Promise<number> {
    if (id !== undefined && !this.all.has(id)) throw unknownJob(id);
    const jobs = this.unended.filter((job) => id === undefined || job.task.id === id);
    for (const job of jobs) this.stopJob(job);
    return jobs.length;
  }

  jobs(): DialJobView[] {
    return [...this.all.values()].map((job) => job.view()).reverse();
  }

  targets(id: string): readonly DialTarget[] {
    const job = this.all.get(id);
    if (!job) throw unknownJob(id);
    return job.targets();
  }

  /** The server goes down or takes no new calls: no number is called any more, calls that are up go on. */
  setDraining(draining = true): void {
    this.isClosed = draining;
    if (!draining) return;
    this.clock.clearTimeout(this.timer);
    for (const job of this.all.values()) {
      job.stop();
      this.settle(job);
    }
  }

  /** No job goes on; calls that are up are ended by call control. */
  async close(): Promise<void> {
    this.setDraining();
  }

  private stopJob(job: DialJob): void {
    job.stop();
    for (const [call, owner] of this.up)
      if (owner === job) call.conclude({ cause: causeOf('operator-ended'), by: 'OPERATOR' });
    this.settle(job);
  }

  /** Throws DialError. */
  private mustTakeJobs({ enabled }: DialSettings): void {
    if (this.isClosed) throw new DialError('DIALSVC_OFF', 'the server takes no new calls now');
    if (!enabled) throw new DialError('DIALSVC_OFF', 'the dial service is off; STR DIALSVC starts it');
    if (this.unended.length >= MAX_RUNNING)
      throw new DialError(
        'DIAL_BUSY',
        `${MAX_RUNNING} jobs are running; wait for one, or stop it with STP CALL`,
      );
  }

  /** An order with everything that it leaves open filled in, and the settings as they are then. Rejects with DialError or SoundError. */
  private async prepare(order: DialOrder): Promise<[DialTask, DialSettings]> {
    const numbers = checkOrder(order);
    const before = await this.stored.read();
    this.mustTakeJobs(before);
    const { caller, sound } = partsOf(order, before);
    await callingUser(this.options.users, caller);
    await this.options.sounds.check(sound);
    const settings = await this.stored.read();
    const startTime = this.clock.now();
    const { by } = order;
    const task = { id: this.newId(), by, caller, sound, ...howToCall(order, settings), numbers, startTime };
    return [task, settings];
  }

  /** Short, ascending over restarts: records keep it. */
  private newId(): string {
    this.lastId = Math.max(this.lastId + 1, Math.floor(this.clock.now() / 1000));
    return this.lastId.toString(36).toUpperCase();
  }

  /** Starts what may be started: of every job in turn, until no line is free or nothing is due. */
  private pump(): void {
    this.clock.clearTimeout(this.timer);
    if (this.isClosed) return;
    const nowMs = this.clock.monotonic();
    const jobs = this.unended.filter((job) => job.state === 'running');
    // Calls that are up or about to be.
    let lines = this.unended.reduce((sum, job) => sum + job.running, 0);
    for (let hasStarted = true; hasStarted; ) {
      hasStarted = false;
      for (const job of jobs) {
        const target = lines < this.maxParallel ? job.take(nowMs) : undefined;
        if (!target) continue;
        hasStarted = true;
        lines++;
        this.call(job, target).catch((error: unknown) => {
          this.options.log.error({ err: error, job: job.task.id }, 'a number could not be called');
          const isStoreAway = error instanceof StoreError && error.code === 'STORE_UNAVAILABLE';
          this.over(job, target, isStoreAway ? STORE_AWAY : TROUBLE);
        });
      }
    }
    this.arm(jobs, nowMs);
  }

  /** Those that are over are not looked through: they are remembered only. */
  private get unended(): DialJob[] {
    return [...this.all.values()].filter(({ endTime }) => endTime === undefined);
  }

  /** Looks again when the next try is due; a call that ends looks too. */
  private arm(jobs: readonly DialJob[], nowMs: number): void {
    const due = jobs.map((job) => job.nextDueMs).filter((at) => at !== undefined && at > nowMs) as number[];
    if (due.length === 0) return;
    this.timer = this.clock.setTimeout(() => this.pump(), Math.min(...due) - nowMs);
  }

  private async call(job: DialJob, target: Target): Promise<void> {
    const { options, clock } = this;
    const { task } = job;
    const user = await callingUser(options.users, task.caller);
    const sound = options.sounds.find(task.sound);
    if (job.state !== 'running')
      return this.over(job, target, { ...TROUBLE, releaseReason: 'operator-ended' });
    const placed = placeCall({ ...options, clock }, { task, target, user, sound });
    this.up.set(placed.call, job);
    const record = await placed.record;
    this.up.delete(placed.call);
    this.over(job, target, record);
  }

  private over(job: DialJob, target: Target, record: NonNullable<Target['last']>): void {
    job.finished(target, record, this.clock.monotonic());
    this.settle(job);
    if (record === TROUBLE && !job.isOver) {
      this.clock.clearTimeout(this.timer);
      this.timer = this.clock.setTimeout(() => this.pump(), TROUBLE_MS);
    } else this.pump();
  }

  private settle(job: DialJob): void {
    if (!job.isOver || job.endTime !== undefined) return;
    job.endTime = this.clock.now();
    const { id, state, done, failed, stopped } = job.view();
    this.options.log.info({ job: id, state, done, failed, stopped }, 'dial job ends');
  }
}

/** Stands for the record of a try that came to no call. */
const TROUBLE = {
  id: '',
  result: 'FAILED',
  releaseReason: 'server-error',
  sipStatus: 500,
  billSec: 0,
} as const;

/** One that could not begin because the Store was away. */
const STORE_AWAY = { ...TROUBLE, releaseReason: 'store-unavailable', sipStatus: 503 } as const;

function unknownJob(id: string): DialError {
  return new DialError('DIALJOB_UNKNOWN', `there is no job ${id.slice(0, 32)}`, id.slice(0, 32));
}
