import type { Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { ConsoleCore } from '../session/console-core.js';
import { type ConsoleClient, ConsoleServer, type ListenAddress, type Visit } from './console-server.js';
import { TelnetConnection } from './telnet-connection.js';

/** The telnet listener (RFC 854). Keeps few connections that have not logged in; a crowd costs only itself. */
export class TelnetListener implements Closeable {
  private readonly server: ConsoleServer;

  private constructor(private readonly core: ConsoleCore) {
    this.server = new ConsoleServer({
      name: 'MML console',
      core,
      socket: { allowHalfOpen: true },
      serve: (socket, visit) => this.serve(socket, visit),
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

  close(): Promise<void> {
    return this.server.close();
  }

  private serve(socket: Socket, visit: Visit): ConsoleClient {
    const { core } = this;
    const connection = new TelnetConnection({ core, socket, ...visit });
    connection.run().catch((error: unknown) => {
      core.log.error({ err: errorMessage(error), address: visit.address }, 'telnet connection failed');
      socket.destroy();
    });
    return connection.session;
  }
}
