import { createSocket, type Socket } from 'node:dgram';
import { errorMessage } from '../../platform/errors.js';
import { TransportError } from './errors.js';
import { UDP_RECEIVE_BUFFER_BYTES } from './limits.js';

type LookupCallback = (error: null, address: string, family: number) => void;

/**
 * A datagram socket that takes IP literals only. With a look-up that answers at once `bind` and `connect` take effect
 * before they return, and no datagram waits for the event loop.
 */
export function createUdpSocket(family: 4 | 6, reuseAddr: boolean): Socket {
  return createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    reuseAddr,
    ipv6Only: family === 6,
    lookup: ((host: string, _options: unknown, callback: LookupCallback) =>
      callback(null, host, family)) as never,
  });
}

/** Binds, resolving with the port; rejects with TransportError `LISTEN_FAILED`. */
export function bindUdp(socket: Socket, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void =>
      reject(
        new TransportError(
          'LISTEN_FAILED',
          `udp:${address}:${port} cannot be bound: ${errorMessage(cause)}`,
          cause,
        ),
      );
    socket.once('error', onError);
    socket.bind(port, address, () => {
      socket.off('error', onError);
      resolve(socket.address().port);
    });
  });
}

/** Closes a socket; resolves when it is closed, also when it never was bound. */
export function closeUdp(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    try {
      socket.close(() => resolve());
    } catch {
      resolve();
    }
  });
}

/** Asks for a large receive buffer; what the kernel grants, bytes. */
export function enlargeReceiveBuffer(socket: Socket): number {
  try {
    socket.setRecvBufferSize(UDP_RECEIVE_BUFFER_BYTES);
    return socket.getRecvBufferSize();
  } catch {
    return 0;
  }
}
