import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage } from '../platform/errors.js';
import { LoggerFactory, type LogLevel } from '../platform/logger.js';
import { type Engine, type EngineOptions, type EngineStats, startEngine } from './engine.js';
import type { BoundListener } from './transport/types.js';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly options: Omit<EngineOptions, 'log' | 'clock'>;
  readonly logLevel: LogLevel;
}

/** From the main thread to the worker. */
export type ToWorker =
  | { type: 'stats'; id: number }
  | { type: 'level'; level: LogLevel }
  | { type: 'reload' }
  | { type: 'close' };

/** From the worker to the main thread. */
export type FromWorker =
  | { type: 'started'; adminPort: number; listeners: readonly BoundListener[] }
  | { type: 'failed'; message: string }
  | { type: 'stats'; id: number; stats: EngineStats }
  | { type: 'log'; line: string }
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
  if (message.type === 'stats') post({ type: 'stats', id: message.id, stats: engine.stats() });
  else if (message.type === 'level') logs.setLevel(message.level);
  else if (message.type === 'reload') engine.reload();
  else void engine.close().then(() => post({ type: 'closed' }));
}
