import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage } from '../platform/errors.js';
import { LoggerFactory, type LogLevel } from '../platform/logger.js';
import type { CaptureFilter, CaptureState } from './capture/message-capture.js';
import { type Captured, type Engine, type EngineOptions, type EngineStats, startEngine } from './engine.js';
import type { MalformedReport } from './malformed-reports.js';
import type { BlockChange, DroppedSource } from './transport/blocked-sources.js';
import type { BoundListener } from './transport/types.js';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly options: Omit<EngineOptions, 'log' | 'clock'>;
  readonly logLevel: LogLevel;
}

/** What the main thread wants to know; each has its answer. */
export type Question =
  | { what: 'stats' }
  | { what: 'startCapture'; filter: CaptureFilter }
  | { what: 'stopCapture' }
  | { what: 'readCapture' }
  | { what: 'block'; change: BlockChange }
  | { what: 'dropped' };

/** What each question is answered with. */
export interface Answers {
  stats: EngineStats;
  startCapture: CaptureState;
  stopCapture: CaptureState;
  readCapture: Captured;
  block: undefined;
  dropped: readonly DroppedSource[];
}

/** From the main thread to the worker. */
export type ToWorker =
  | { type: 'ask'; id: number; question: Question }
  | { type: 'level'; level: LogLevel }
  | { type: 'reload' }
  | { type: 'close' };

/** From the worker to the main thread. */
export type FromWorker =
  | { type: 'started'; adminPort: number; listeners: readonly BoundListener[] }
  | { type: 'failed'; message: string }
  | { type: 'answer'; id: number; answer: Answers[keyof Answers] }
  | { type: 'log'; line: string }
  | { type: 'malformed'; reports: readonly MalformedReport[] }
  | { type: 'closed' };

const port = parentPort;
if (port) {
  const post = (message: FromWorker): void => port.postMessage(message);
  const { options, logLevel } = workerData as WorkerSettings;
  const logs = new LoggerFactory({
    level: logLevel,
    destination: { write: (line: string) => post({ type: 'log', line }) },
  });
  startEngine({ ...options, log: logs.for('engine') }).then(
    (engine) => {
      engine.onMalformed = (reports) => post({ type: 'malformed', reports });
      port.on('message', (message: ToWorker) => serve(engine, logs, message, post));
      post({ type: 'started', adminPort: engine.adminPort, listeners: engine.listeners });
    },
    (error) => post({ type: 'failed', message: errorMessage(error) }),
  );
}

function serve(
  engine: Engine,
  logs: LoggerFactory,
  message: ToWorker,
  post: (message: FromWorker) => void,
): void {
  if (message.type === 'ask')
    post({ type: 'answer', id: message.id, answer: answerTo(engine, message.question) });
  else if (message.type === 'level') logs.setLevel(message.level);
  else if (message.type === 'reload') engine.reload();
  else void engine.close().then(() => post({ type: 'closed' }));
}

function answerTo(engine: Engine, question: Question): Answers[keyof Answers] {
  switch (question.what) {
    case 'stats':
      return engine.stats();
    case 'startCapture':
      return engine.startCapture(question.filter);
    case 'stopCapture':
      return engine.stopCapture();
    case 'readCapture':
      return engine.readCapture();
    case 'block':
      return engine.block(question.change) as undefined;
    case 'dropped':
      return engine.dropped();
  }
}
