import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import { ConsoleStartError } from '../errors.js';
import {
  KEEPALIVE_MS,
  MAX_SESSIONS,
  MAX_UNAUTHENTICATED,
  MAX_UNAUTHENTICATED_PER_ADDRESS,
} from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import { TelnetConnection } from './telnet-connection.js';

/** Where the console listens. Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

interface Guest {
  readonly connection: TelnetConnection;
  readonly socket: Socket;
  readonly address: string;
  /** It has sent something, as a telnet client does at once. */
  signed: boolean;
}

const CROWD_LOG_INTERVAL_MS = 60_000;

/** The telnet listener (RFC 854). Keeps few connections that have not logged in; a crowd costs only itself. */
export class TelnetListener implements Closeable {
  private readonly server: Server;
  private readonly open = new Map<Socket, TelnetConnection>();
  /** Connections before login, oldest first. */
  private readonly guests = new Set<Guest>();
  private crowdLoggedAt = Number.NEGATIVE_INFINITY;

  private constructor(private readonly core: ConsoleCore) {
    this.server = createServer({ allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    this.server.maxConnections = MAX_SESSIONS + MAX_UNAUTHENTICATED + 16;
    this.server.on('connection', (socket) => this.accept(socket));
    this.server.on('drop', () => this.logCrowd());
  }

  /** Starts to listen; rejects with ConsoleStartError when the address is taken or not ours. */
  static async start(core: ConsoleCore, address: ListenAddress): Promise<TelnetListener> {
    const listener = new TelnetListener(core);
    listener.server.listen(address.port, address.host);
    try {
      await once(listener.server, 'listening');
    } catch (error) {
      throw new ConsoleStartError(
        `MML console cannot listen on ${address.host}:${address.port}: ${errorMessage(error)}`,
        error,
      );
    }
    listener.server.on('error', (error) =>
      core.log.error({ err: errorMessage(error) }, 'MML listener failed'),
    );
    return listener;
  }

  get address(): ListenAddress {
    const { address, port } = this.server.address() as AddressInfo;
    return { host: address, port };
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const connection of this.open.values())
      connection.session.end('Server is stopping / 服务器正在停止');
    await closed;
  }

  private accept(socket: Socket): void {
    const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown';
    if (!this.makeRoom(address)) {
      this.logCrowd();
      socket.on('error', () => undefined);
      socket.end('Too many connections, try again later\r\n', () => socket.destroy());
      return;
    }
    const connection: TelnetConnection = new TelnetConnection({
      core: this.core,
      socket,
      address,
      onLogin: () => this.guests.delete(guest),
      onSign: () => {
        guest.signed = true;
      },
    });
    const guest: Guest = { connection, socket, address, signed: false };
    this.guests.add(guest);
    this.open.set(socket, connection);
    socket.once('close', () => {
      this.guests.delete(guest);
      this.open.delete(socket);
    });
    connection.run().catch((error: unknown) => {
      this.core.log.error({ err: errorMessage(error), address }, 'telnet connection failed');
      socket.destroy();
    });
  }

  /** The oldest silent connection before login gives way to a new one; those that speak do not. */
  private makeRoom(address: string): boolean {
    const sameAddress = [...this.guests].filter((guest) => guest.address === address);
    const isFull = this.guests.size >= MAX_UNAUTHENTICATED;
    if (!isFull && sameAddress.length < MAX_UNAUTHENTICATED_PER_ADDRESS) return true;
    const candidates = sameAddress.length > 0 ? sameAddress : [...this.guests];
    const silent = candidates.find((guest) => !guest.signed);
    if (!silent) return false;
    this.logCrowd();
    this.guests.delete(silent);
    silent.socket.destroy();
    return true;
  }

  private logCrowd(): void {
    const now = this.core.clock.monotonic();
    if (now - this.crowdLoggedAt < CROWD_LOG_INTERVAL_MS) return;
    this.crowdLoggedAt = now;
    this.core.log.warn({ guests: this.guests.size }, 'too many console connections that have not logged in');
  }
}
