import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import { ConsoleStartError } from '../errors.js';
import { KEEPALIVE_MS, MAX_SESSIONS, MAX_UNAUTHENTICATED } from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import { clientAddress, GuestList } from './guest-list.js';
import { TelnetConnection } from './telnet-connection.js';

/** Where the console listens. Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The telnet listener (RFC 854). Keeps few connections that have not logged in; a crowd costs only itself. */
export class TelnetListener implements Closeable {
  private readonly server: Server;
  private readonly open = new Map<Socket, TelnetConnection>();
  private readonly guests: GuestList;

  private constructor(private readonly core: ConsoleCore) {
    this.guests = new GuestList(core.clock, core.log);
    this.server = createServer({ allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    this.server.maxConnections = MAX_SESSIONS + MAX_UNAUTHENTICATED + 16;
    this.server.on('connection', (socket) => this.accept(socket));
    this.server.on('drop', () => this.guests.logCrowd());
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
    const address = clientAddress(socket);
    const guest = this.guests.admit(socket, address);
    if (!guest) {
      socket.on('error', () => undefined);
      socket.end('Too many connections, try again later\r\n', () => socket.destroy());
      return;
    }
    const connection = new TelnetConnection({
      core: this.core,
      socket,
      address,
      onLogin: () => this.guests.leave(guest),
      onSign: () => {
        guest.signed = true;
      },
    });
    this.open.set(socket, connection);
    socket.once('close', () => this.open.delete(socket));
    connection.run().catch((error: unknown) => {
      this.core.log.error({ err: errorMessage(error), address }, 'telnet connection failed');
      socket.destroy();
    });
  }
}
