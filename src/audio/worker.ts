// The thread that all audio of our own runs in: does what its host says, and leaves when told.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../platform/clock.js';
import { AppError, errorMessage } from '../platform/errors.js';
import { AudioEngine } from './audio-engine.js';
import type { AudioRequest, HostMessage, WorkerMessage, WorkerOptions } from './worker-messages.js';

const port = parentPort!;
const post = (message: WorkerMessage): void => port.postMessage(message);
const engine = new AudioEngine(workerData as WorkerOptions, systemClock, (id, digit) =>
  post({ type: 'digit', id, digit }),
);

port.on('message', (message: HostMessage) => {
  if ('request' in message) void answer(message);
  else if (message.type === 'connect') engine.connect(message.id, message.remote);
  else if (message.type === 'join') engine.join(message.id, message.mix, message.member);
  else {
    engine.closeAll();
    port.close();
  }
});
post({ type: 'ready' });

async function answer(message: AudioRequest & { readonly request: number }): Promise<void> {
  const { request } = message;
  try {
    post({ type: 'reply', request, value: await run(message) });
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'INTERNAL';
    post({ type: 'refusal', request, code, message: errorMessage(error) });
  }
}

function run(message: AudioRequest): unknown {
  switch (message.type) {
    case 'open':
      return engine.open(message.id, message.address);
    case 'play':
      return engine.play(message.id, message.sound, message.options);
    case 'playToMix':
      return engine.playToMix(message.mix, message.sound);
    case 'check':
      return engine.check(message.sound);
    case 'statsOf':
      return engine.statsOf(message.id);
    case 'stats':
      return engine.stats();
    case 'close':
      return engine.close(message.id);
  }
}
