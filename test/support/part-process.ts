import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Closeable } from '../../src/platform/lifecycle.js';
import { freePorts } from './free-ports.js';
import { MAIN_JS } from './server.js';

const READY_TIMEOUT_MS = 15_000;
const SECRET = 'engine-secret';

/** A part of the server in a process of its own. */
export interface PartProcess extends Closeable {
  /** For SIP_ENGINE or MEDIA_RELAY. */
  readonly url: string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** `ims engine` on ports of its own, UDP and TCP; `admin` is where applications connect. */
export function startEngineProcess(admin = '127.0.0.1:0'): Promise<PartProcess> {
  return start(
    ['engine', '--admin', admin],
    { SIP_LISTEN: 'udp:127.0.0.1:0,tcp:127.0.0.1:0', SERVER_IP: '127.0.0.1', ENGINE_SECRET: SECRET },
    (output) => /drachtio:\S+/.exec(output)?.[0].replace('<secret>', SECRET),
  );
}

/** `ims relay` with a UDP control port of its own, unless told. */
export async function startRelayProcess(control = 'udp:127.0.0.1:0'): Promise<PartProcess> {
  const { min, max } = await freePorts(64);
  return start(
    ['relay', '--control', control],
    { SERVER_IP: '127.0.0.1', RTP_PORTS: `${min}-${max}` },
    (output) => /Commands: (\S+)/.exec(output)?.[1],
  );
}

async function start(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  urlIn: (output: string) => string | undefined,
): Promise<PartProcess> {
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN_JS, ...args], {
    env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  const kill = (signal: NodeJS.Signals): Promise<void> => stop(child, signal);
  try {
    await once(child, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    const url = urlIn(output);
    if (!url) throw new Error('no URL was printed');
    return { url, kill, close: () => kill('SIGTERM') };
  } catch (error) {
    await kill('SIGKILL');
    throw new Error(`ims ${args[0]} did not start:\n${output}`, { cause: error });
  }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** `ims engine` with these arguments; `output` is what it has said so far. The caller ends it. */
export async function startEngineCommand(
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; output(): string }> {
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN_JS, 'engine', ...args], {
    env: { PATH: process.env['PATH'], LOG_FORMAT: 'json' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(output)));
  await Promise.race([once(child, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }), ended]);
  ended.catch(() => undefined);
  return { child, output: () => output };
}
