import { Worker } from 'node:worker_threads';
import { AppError, ClosedError } from '../platform/errors.js';
import { randomToken } from '../platform/ids.js';
import type { Closeable } from '../platform/lifecycle.js';
import { type Logger, type LogLevel, silentLogger } from '../platform/logger.js';
import type { CaptureFilter, CaptureState } from './capture/message-capture.js';
import type { Captured, EngineOptions, EngineStats } from './engine.js';
import type { MalformedReport } from './malformed-reports.js';
import type { BlockChange, DroppedSource } from './transport/blocked-sources.js';
import type { BoundListener } from './transport/types.js';
import type { Answers, FromWorker, Question, ToWorker, WorkerSettings } from './worker.js';

/** EngineOptions for a worker: the secret may be left out, one is then made up; the clock is the machine's. */
export interface EngineWorkerOptions extends Omit<EngineOptions, 'admin' | 'clock'> {
  /** Default 127.0.0.1 and a port that the system chooses. */
  readonly admin?: { readonly host?: string; readonly port?: number; readonly secret?: string };
}

/** An engine in a thread of its own. */
export interface EngineWorker extends Closeable {
  readonly adminPort: number;
  readonly listeners: readonly BoundListener[];
  /** For applications that connect to `adminPort`; never logged. */
  readonly secret: string;
  /** Rejects with ClosedError when the worker is gone. */
  stats(): Promise<EngineStats>;
  /** As Engine has them; reject as `stats`. */
  startCapture(filter: CaptureFilter): Promise<CaptureState>;
  stopCapture(): Promise<CaptureState>;
  readCapture(): Promise<Captured>;
  block(change: BlockChange): Promise<void>;
  dropped(): Promise<readonly DroppedSource[]>;
  onMalformed: (reports: readonly MalformedReport[]) => void;
  setLogLevel(level: LogLevel): void;
  /** Reads certificates anew; those that are no good leave an error in the log. */
  reload(): void;
  /** Resolves when the worker has ended: undefined after `close`, else why it died. Never rejects. */
  readonly ended: Promise<Error | undefined>;
}

const SECRET_LENGTH = 32;
const CLOSE_TIMEOUT_MS = 3000;

/** The worker could not start, or died. */
export class EngineWorkerError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('ENGINE_WORKER', message, cause === undefined ? {} : { cause });
  }
}

/** Starts an engine in a worker thread; rejects with EngineWorkerError when it cannot start. The caller closes it. */
export async function startEngineWorker(options: EngineWorkerOptions): Promise<EngineWorker> {
  const engine = new HostedEngine(options);
  await engine.started;
  return engine;
}

class HostedEngine implements EngineWorker {
  adminPort = 0;
  listeners: readonly BoundListener[] = [];
  onMalformed: (reports: readonly MalformedReport[]) => void = () => {};
  readonly secret: string;
  readonly started: Promise<void>;
  readonly ended: Promise<Error | undefined>;
  private readonly worker: Worker;
  private readonly log: Logger;
  private readonly asked = new Map<
    number,
    { resolve(answer: Answers[keyof Answers]): void; reject(error: Error): void }
  >();
  private lastId = 0;
  private settleStart: (error?: Error) => void = () => {};
  private onWorkerClosed: () => void = () => {};
  private failure: Error | undefined;
  private closing: Promise<void> | undefined;
  private isGone = false;

  constructor(options: EngineWorkerOptions) {
    const { log, admin, ...rest } = options;
    this.log = log ?? silentLogger;
    this.secret = admin?.secret ?? randomToken(SECRET_LENGTH);
    const settings: WorkerSettings = {
      options: { ...rest, admin: { ...admin, port: admin?.port ?? 0, secret: this.secret } },
      logLevel: this.log.level as LogLevel,
    };
    this.worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: settings,
      name: 'sip-engine',
    });
    this.started = new Promise((resolve, reject) => {
      this.settleStart = (error) => (error ? reject(error) : resolve());
    });
    this.ended = new Promise((resolve) => {
      this.worker.on('message', (message: FromWorker) => this.onMessage(message));
      this.worker.on('error', (error) => this.onError(error));
      this.worker.on('exit', (code) => resolve(this.onExit(code)));
    });
  }

  stats(): Promise<EngineStats> {
    return this.ask<'stats'>({ what: 'stats' });
  }

  startCapture(filter: CaptureFilter): Promise<CaptureState> {
    return this.ask<'startCapture'>({ what: 'startCapture', filter });
  }

  stopCapture(): Promise<CaptureState> {
    return this.ask<'stopCapture'>({ what: 'stopCapture' });
  }

  readCapture(): Promise<Captured> {
    return this.ask<'readCapture'>({ what: 'readCapture' });
  }

  async block(change: BlockChange): Promise<void> {
    await this.ask<'block'>({ what: 'block', change });
  }

  dropped(): Promise<readonly DroppedSource[]> {
    return this.ask<'dropped'>({ what: 'dropped' });
  }

  setLogLevel(level: LogLevel): void {
    this.post({ type: 'level', level });
  }

  reload(): void {
    this.post({ type: 'reload' });
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    if (!this.isGone) {
      const closed = new Promise<void>((resolve) => {
        this.onWorkerClosed = resolve;
      });
      this.post({ type: 'close' });
      const timer = setTimeout(() => this.onWorkerClosed(), CLOSE_TIMEOUT_MS);
      await closed;
      clearTimeout(timer);
    }
    await this.worker.terminate();
  }

  private ask<W extends keyof Answers>(question: Extract<Question, { what: W }>): Promise<Answers[W]> {
    if (this.isGone || this.closing) return Promise.reject(new ClosedError('SIP engine'));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      // The worker answers each question with what Answers says.
      this.asked.set(id, { resolve: resolve as (answer: Answers[keyof Answers]) => void, reject });
      this.post({ type: 'ask', id, question });
    });
  }

  private post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private onMessage(message: FromWorker): void {
    if (message.type === 'log') this.relog(message.line);
    else if (message.type === 'malformed') this.onMalformed(message.reports);
    else if (message.type === 'started') {
      this.adminPort = message.adminPort;
      this.listeners = message.listeners;
      this.settleStart();
    } else if (message.type === 'failed') this.onError(new EngineWorkerError(message.message));
    else if (message.type === 'closed') this.onWorkerClosed();
    else {
      this.asked.get(message.id)?.resolve(message.answer);
      this.asked.delete(message.id);
    }
  }

  /** The worker's lines go through the main thread's logger, where their form and level are decided. */
  private relog(line: string): void {
    const {
      level,
      time: _time,
      module: _module,
      msg,
      ...facts
    } = JSON.parse(line) as Record<string, unknown>;
    const label = this.log.levels.labels[level as number] as 'info' | undefined;
    this.log[label ?? 'info'](facts, String(msg ?? ''));
  }

  private onError(error: Error): void {
    this.failure =
      error instanceof EngineWorkerError ? error : new EngineWorkerError('the SIP engine died', error);
    this.settleStart(this.failure);
    void this.worker.terminate();
  }

  private onExit(code: number): Error | undefined {
    this.isGone = true;
    this.onWorkerClosed();
    const error = this.closing
      ? undefined
      : (this.failure ?? new EngineWorkerError(`the SIP engine exited with ${code}`));
    for (const { reject } of this.asked.values()) reject(error ?? new ClosedError('SIP engine'));
    this.asked.clear();
    this.settleStart(error);
    return error;
  }
}
