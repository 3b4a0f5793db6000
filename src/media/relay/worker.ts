// The thread that the built-in relay runs in: starts it, answers its host, and leaves when told.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import { LoggerFactory } from '../../platform/logger.js';
import { startRelay } from './start-relay.js';
import type { HostMessage, WorkerMessage, WorkerOptions } from './worker-messages.js';

const port = parentPort!;
const { logLevel, ...options } = workerData as WorkerOptions;
const post = (message: WorkerMessage): void => port.postMessage(message);
const loggers = new LoggerFactory({
  level: logLevel,
  destination: { write: (line: string) => post({ type: 'log', line }) },
});

try {
  const relay = await startRelay({ ...options, clock: systemClock, log: loggers.for('relay') });
  port.on('message', (message: HostMessage) => {
    if (message.type === 'stats') post({ type: 'stats', id: message.id, stats: relay.stats() });
    else void relay.close().then(() => port.close());
  });
  post({ type: 'ready', controlUrls: relay.controlUrls });
} catch (error) {
  post({ type: 'failed', message: errorMessage(error) });
  port.close();
}
