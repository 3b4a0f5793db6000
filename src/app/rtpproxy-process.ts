import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { PortRange } from '../config/values.js';
import { AppError } from '../platform/errors.js';
import { randomToken } from '../platform/ids.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';

const READY_TIMEOUT_MS = 5000;
const ASK_EVERY_MS = 100;
const STOP_TIMEOUT_MS = 3000;

export interface RtpProxyProcess extends Closeable {
  /** For MEDIA_RELAY. */
  readonly url: string;
  /** Resolves when the program ended: undefined after `close`, else why. */
  readonly died: Promise<Error | undefined>;
}

/**
 * Starts an installed `rtpproxy` with a control socket on a free port of loopback (RTPPROXY_AUTO_START of the old server)
 * and waits until it answers. Rejects with code RTPPROXY_FAILED when there is none or it does not come up.
 */
export async function startRtpProxy(options: {
  readonly address: string;
  readonly ports: PortRange;
  readonly timeoutSec: number;
  readonly log: Logger;
}): Promise<RtpProxyProcess> {
  const { address, ports, timeoutSec, log } = options;
  const port = await freePort();
  const args = [
    '-f',
    '-F',
    '-l',
    address,
    '-s',
    `udp:127.0.0.1:${port}`,
    '-m',
    String(ports.first),
    '-M',
    String(ports.last),
    '-T',
    String(timeoutSec),
    '-d',
    'warn',
  ];
  const child = spawn('rtpproxy', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (text: Buffer) => log.debug({ rtpproxy: text.toString().trim() }, 'rtpproxy says'));
  let isClosing = false;
  const died = new Promise<Error | undefined>((resolve) => {
    const end = (why: string): void => resolve(isClosing ? undefined : new AppError('RTPPROXY_FAILED', why));
    child.once('error', (error) =>
      end(
        `rtpproxy cannot be started: ${error.message}. Install it, or unset RTPPROXY_AUTO_START to use the built-in relay`,
      ),
    );
    child.once('exit', (code, signal) => end(`rtpproxy ended (${signal ?? `code ${code}`})`));
  });
  const close = async (): Promise<void> => {
    isClosing = true;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  };
  const failed = await Promise.race([answers(port), died]);
  if (failed) {
    await close();
    throw failed;
  }
  log.info({ rtpproxy: child.pid, ports: `${ports.first}-${ports.last}` }, 'rtpproxy started');
  return { url: `rtpproxy+udp://127.0.0.1:${port}`, died, close };
}

/** Resolves undefined when a relay answers `V` on the port, an error when none does in time. */
async function answers(port: number): Promise<Error | undefined> {
  const socket = createSocket('udp4');
  // The port is refused until the program is up.
  socket.on('error', () => undefined);
  const ask = (): void => socket.send(`${randomToken(8)} V`, port, '127.0.0.1');
  const timer = setInterval(ask, ASK_EVERY_MS);
  ask();
  try {
    await once(socket, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    return undefined;
  } catch {
    return new AppError('RTPPROXY_FAILED', `rtpproxy did not answer in ${READY_TIMEOUT_MS} ms`);
  } finally {
    clearInterval(timer);
    socket.close();
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
