import type { Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { ConsoleCore } from '../session/console-core.js';
import { ConsoleServer, type ListenAddress } from './console-server.js';
import { clientAddress, GuestList } from './guest-list.js';
import { TelnetConnection } from './telnet-connection.js';

/** The telnet listener (RFC 854). Keeps few connections that have not logged in; a crowd costs only itself. */
export class TelnetListener implements Closeable {
  private readonly server: ConsoleServer;
  private readonly open = new Map<Socket, TelnetConnection>();
  private readonly guests: GuestList;

  private constructor(private readonly core: ConsoleCore) {
    this.guests = new GuestList(core.clock, core.log);
    this.server = new ConsoleServer({
      name: 'MML console',
      guests: this.guests,
      log: core.log,
      socket: { allowHalfOpen: true },
      accept: (socket) => this.accept(socket),
    });
  }

  /** Starts to listen; rejects with ConsoleStartError when the address is taken or not ours. */
  static async start(core: ConsoleCore, address: ListenAddress): Promise<TelnetListener> {
    const listener = new TelnetListener(core);
    await listener.server.listen(address);
    return listener;
  }

  get address(): ListenAddress {
    return this.server.address;
  }

  async close(): Promise<void> {
    await this.server.close([...this.open.values()].map(({ session }) => session));
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
