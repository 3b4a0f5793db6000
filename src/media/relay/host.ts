import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../platform/clock.js';
import { AppError } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import { LOG_LEVELS, type Logger, type LogLevel } from '../../platform/logger.js';
import type { RelayStats } from './relay-options.js';
import type { HostMessage, WorkerMessage, WorkerOptions } from './worker-messages.js';

/** A worker that ends by itself is started again after this long, milliseconds. */
const RESTART_AFTER_MS = 500;
/** How long `stats` waits for the worker, milliseconds. */
const STATS_TIMEOUT_MS = 1_000;

export interface RelayWorkerOptions extends Omit<WorkerOptions, 'logLevel' | 'control'> {
  /** Default `udp:127.0.0.1:0`. */
  readonly control?: string;
  readonly log: Logger;
}

/** The built-in relay in its own thread. */
export interface RelayWorker extends Closeable {
  /** `rtpproxy+udp://127.0.0.1:<port>`; stays the same when the worker has to be started again. */
  readonly controlUrl: string;
  /** Rejects with AppError TIMEOUT when the worker does not answer. */
  stats(): Promise<RelayStats>;
}

/** Starts the built-in relay in a worker thread. The caller closes it. Rejects with AppError RELAY_FAILED. */
export async function startRelayWorker(options: RelayWorkerOptions): Promise<RelayWorker> {
  const host = new RelayHost(options);
  await host.start(options.control ?? 'udp:127.0.0.1:0');
  return host;
}

class RelayHost implements RelayWorker {
  controlUrl = '';
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, (stats: RelayStats) => void>();
  private lastId = 0;
  private closed = false;

  constructor(private readonly options: RelayWorkerOptions) {}

  async start(control: string): Promise<void> {
    const { log, control: _, ...rest } = this.options;
    const workerData: WorkerOptions = { ...rest, control: [control], logLevel: logLevelOf(log) };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
    const ready = new Promise<string>((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') resolve(message.controlUrls[0]!);
        else if (message.type === 'failed')
          reject(new AppError('RELAY_FAILED', `media relay: ${message.message}`));
        else this.take(message);
      });
      worker.once('error', (error) =>
        reject(new AppError('RELAY_FAILED', 'media relay crashed', { cause: error })),
      );
      worker.once('exit', () => reject(new AppError('RELAY_FAILED', 'media relay ended while starting')));
    });
    this.controlUrl = await ready;
    if (this.closed) {
      await worker.terminate();
      return;
    }
    this.worker = worker;
    worker.on('error', (error) => log.error({ err: error }, 'media relay crashed'));
    worker.once('exit', () => this.restart(worker));
  }

  async stats(): Promise<RelayStats> {
    const id = ++this.lastId;
    return new Promise<RelayStats>((resolve, reject) => {
      const timer = systemClock.setTimeout(() => {
        this.waiting.delete(id);
        reject(new AppError('TIMEOUT', `media relay gave no figures in ${STATS_TIMEOUT_MS} ms`));
      }, STATS_TIMEOUT_MS);
      this.waiting.set(id, (stats) => {
        systemClock.clearTimeout(timer);
        resolve(stats);
      });
      this.post({ type: 'stats', id });
    });
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.closed = true;
    this.worker = undefined;
    if (!worker) return;
    const exit = once(worker, 'exit');
    worker.postMessage({ type: 'close' } satisfies HostMessage);
    await exit;
  }

  private post(message: HostMessage): void {
    this.worker?.postMessage(message);
  }

  private take(message: Extract<WorkerMessage, { type: 'stats' | 'log' }>): void {
    if (message.type === 'log') {
      relayLogLine(this.options.log, message.line);
      return;
    }
    this.waiting.get(message.id)?.(message.stats);
    this.waiting.delete(message.id);
  }

  /** Calls that were up have lost their media; later calls shall not. */
  private restart(worker: Worker): void {
    if (this.closed || this.worker !== worker) return;
    this.worker = undefined;
    this.options.log.error({ control: this.controlUrl }, 'media relay ended; starting it again');
    systemClock.setTimeout(() => {
      if (this.closed) return;
      this.start(controlOf(this.controlUrl)).catch((error: unknown) => {
        this.options.log.fatal({ err: error }, 'media relay cannot be started again');
      });
    }, RESTART_AFTER_MS);
  }
}

/** `rtpproxy+udp://127.0.0.1:7722` as the `udp:127.0.0.1:7722` that it was started with. */
function controlOf(url: string): string {
  return url.replace(/^rtpproxy\+(\w+):\/\//, '$1:');
}

function logLevelOf(log: Logger): LogLevel {
  return LOG_LEVELS.find((level) => level === log.level) ?? 'info';
}

/** Repeats a line of the worker's log here, so that one process writes one log. */
function relayLogLine(log: Logger, line: string): void {
  const { level, msg, time: _time, module: _module, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const at = typeof level === 'number' ? level : 30;
  const name = at >= 60 ? 'fatal' : at >= 50 ? 'error' : at >= 40 ? 'warn' : at >= 30 ? 'info' : 'debug';
  log[name](facts, String(msg));
}
