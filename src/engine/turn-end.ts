/** Outputs within a window from which a thread counts as busy: some hundred calls a second. */
const BUSY_OUTPUTS = 200;
const WINDOW_MS = 100;
/** Not worth going to sleep for, milliseconds. */
const LEAST_REST_MS = 0.2;

/**
 * The end of a turn of this thread's event loop: what the turn put together leaves there at once. A thread that is paced rests then
 * while it is busy, so that the next turn finds several datagrams and frames where it would have found one: waking up for each,
 * and waking each receiver, costs more CPU than the message does. Nothing waits longer than the pace, and nobody who is not busy rests.
 */
export class TurnEnd {
  private tasks: (() => void)[] = [];
  private paceMs = 0;
  private outputs = 0;
  private windowAt = 0;
  private isBusy = false;
  private endedAt = 0;
  private readonly onTurnEnd = (): void => this.end();

  constructor(
    /** Milliseconds that only go forward. */
    private readonly now: () => number = () => performance.now(),
    private readonly sleep: (ms: number) => void = sleepThread,
  ) {}

  /** Runs `task` at the end of this turn, after those that were added before. */
  add(task: () => void): void {
    if (this.tasks.length === 0) setImmediate(this.onTurnEnd);
    this.tasks.push(task);
  }

  /** One more message leaves. */
  count(): void {
    this.outputs++;
  }

  /** Turns of a busy thread end `ms` apart, 0: as they come. Only for a thread that does nothing but the engine's work. */
  pace(ms: number): void {
    this.paceMs = ms;
  }

  private end(): void {
    const { tasks } = this;
    this.tasks = [];
    for (const task of tasks) task();
    if (this.paceMs > 0) this.rest();
  }

  private rest(): void {
    const now = this.now();
    if (now - this.windowAt >= WINDOW_MS) {
      this.isBusy = this.outputs >= BUSY_OUTPUTS;
      this.outputs = 0;
      this.windowAt = now;
    }
    const restMs = this.paceMs - (now - this.endedAt);
    this.endedAt = now;
    if (!this.isBusy || restMs < LEAST_REST_MS) return;
    this.sleep(restMs);
    this.endedAt = this.now();
  }
}

const cell = new Int32Array(new SharedArrayBuffer(4));

function sleepThread(ms: number): void {
  Atomics.wait(cell, 0, 0, ms);
}

/** That of this thread: an event loop has one. */
export const turnEnd = new TurnEnd();
