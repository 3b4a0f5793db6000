import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { DnsClient } from '../../engine/resolve/dns-client.js';
import { DnsError } from '../../engine/resolve/errors.js';
import { createResolveCounters, DEFAULT_RESOLVE_LIMITS } from '../../engine/resolve/limits.js';
import { systemClock } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';

const CONNECT_TIMEOUT_MS = 3000;

/** Binds an address for a moment; undefined when that works, else why not. */
export async function canBind(protocol: string, address: string, port: number): Promise<string | undefined> {
  try {
    if (protocol === 'udp') {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      socket.bind({ port, address, exclusive: true });
      await once(socket, 'listening');
      socket.close();
    } else {
      const server = createServer().listen(port, address);
      await once(server, 'listening');
      server.close();
    }
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

/** Whether something takes TCP connections there. */
export async function canConnect(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

/** Whether a DNS server, `address` or `address:port`, says anything at all. */
export async function answersDns(server: string): Promise<boolean> {
  const counters = createResolveCounters();
  const limits = DEFAULT_RESOLVE_LIMITS;
  const client = new DnsClient({ clock: systemClock, counters, limits, servers: () => [server] });
  try {
    await client.ask({ type: 'A', name: 'localhost' });
    return true;
  } catch (error) {
    // That it does not know is an answer; a cause means that nothing came.
    return error instanceof DnsError && error.code === 'DNS_SERVER_FAILURE' && error.cause === undefined;
  }
}
