import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const READY_TIMEOUT_MS = 15_000;

/** A real redis-server of this test's own, without persistence, on a port of its own. */
export interface TestRedis {
  readonly port: number;
  /** `redis://127.0.0.1:<port>/0`. */
  readonly url: string;
  /** Ends the process; its data is gone. Resolves when the port is free. */
  stop(): Promise<void>;
  /** Starts it again on the same port, empty. Resolves when it answers. */
  start(): Promise<void>;
  /** Freezes the process: the port accepts, nobody answers. */
  freeze(): void;
  thaw(): void;
  /** Sends one command; resolves the first bytes of the raw reply. For what only a bare client can see. */
  send(...words: string[]): Promise<string>;
  /** Ends it for good and removes its directory. */
  close(): Promise<void>;
}

/**
 * Starts redis-server and waits until it answers PING. `extraArgs` are passed to it; with `sentinelConfig` (a file) it
 * is a sentinel. The caller closes it.
 */
export async function startRedis(
  extraArgs: readonly string[] = [],
  sentinelConfig?: string,
): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'ims-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;

  const start = async () => {
    const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--loglevel', 'warning'];
    const role = sentinelConfig ? [sentinelConfig, '--sentinel'] : ['--save', '', '--appendonly', 'no'];
    child = spawn('redis-server', [...role, ...place, ...extraArgs], { stdio: 'ignore' });
    await ready(port, child);
  };
  const stop = async () => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}/0`,
    start,
    stop,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    send: (...words) => command(port, words),
    close: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A TCP port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function ready(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    const reply = await command(port, ['PING']).catch(() => '');
    // NOAUTH, too, is an answer.
    if (reply.startsWith('+PONG') || reply.startsWith('-NOAUTH')) return;
    if (Date.now() > deadline) throw new Error('redis-server does not answer');
    await delay(20);
  }
}

/** Sends one command over a connection of its own and resolves the first chunk of the reply. */
async function command(port: number, words: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join('')}`);
    const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(3000) })) as [Buffer];
    return chunk.toString();
  } finally {
    socket.destroy();
  }
}
