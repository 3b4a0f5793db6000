import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ListenerContext } from '../types.js';
import type { TlsCredentials } from './tls-credentials.js';

/**
 * The TLS side of accepted connections: it is handed plain sockets and gives back those that did their handshake. It
 * has no socket of its own; who hands sockets in bounds the time they may take.
 */
export function createTlsServer(
  credentials: TlsCredentials,
  context: ListenerContext,
  onSecure: (socket: TLSSocket) => void,
): Server {
  const { verifyClient = 'off' } = credentials.settings;
  const verify = {
    requestCert: verifyClient !== 'off',
    rejectUnauthorized: verifyClient === 'require',
  };
  const server = createServer({ ...credentials.context, ...verify }, onSecure);
  server.on('tlsClientError', (error: Error, socket: Socket) => {
    context.counters.tlsHandshakeFailures++;
    context.log.debug({ err: error, address: socket.remoteAddress }, 'TLS handshake failed');
    socket.destroy();
  });
  credentials.onChange((fresh) => server.setSecureContext(fresh));
  return server;
}
