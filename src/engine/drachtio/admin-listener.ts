import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import type { TlsCredentials } from '../transport/tls/tls-credentials.js';

/** How long a TLS handshake may take. Milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Sockets of one listener at once, those in a handshake included. */
const MAX_SOCKETS = 512;

export interface AdminListenerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** TLS with this certificate; plain TCP when not given. */
  readonly credentials?: TlsCredentials;
  readonly log: Logger;
}

/** One port that applications connect to. */
export class AdminListener implements Closeable {
  private readonly server: Server;
  /** All that this port took, those in a handshake included. */
  private readonly sockets = new Set<Socket>();

  /** `onSocket` gets each connection that is ready for frames, and owns it. */
  constructor(
    private readonly options: AdminListenerOptions,
    onSocket: (socket: Socket) => void,
  ) {
    const { credentials } = options;
    this.server = credentials ? this.createTls(credentials, onSocket) : createServer(onSocket);
    this.server.maxConnections = MAX_SOCKETS;
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  /** Resolves with the bound port; rejects when it cannot be bound. */
  listen(): Promise<number> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.options.port, this.options.host, () => {
        server.removeListener('error', reject);
        server.on('error', (error) =>
          this.options.log.error({ err: error.message }, 'admin listener failed'),
        );
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  }

  /** Resolves when nothing listens any more and every connection taken here is closed. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private createTls(credentials: TlsCredentials, onSocket: (socket: Socket) => void): Server {
    const server = createTlsServer(
      { ...credentials.context, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
      onSocket,
    );
    server.on('tlsClientError', (error, socket) => {
      this.options.log.debug({ err: error, address: socket.remoteAddress }, 'TLS handshake failed');
      socket.destroy();
    });
    credentials.onChange((fresh) => server.setSecureContext(fresh));
    return server;
  }
}
