import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
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
