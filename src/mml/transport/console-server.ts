import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type ServerOpts, type Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import type { Logger } from '../../platform/logger.js';
import { ConsoleStartError } from '../errors.js';
import { KEEPALIVE_MS, MAX_SESSIONS, MAX_UNAUTHENTICATED } from '../limits.js';
import type { GuestList } from './guest-list.js';

/** Where the console listens. Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A client that is connected, as far as its listener is concerned. */
export interface ConsoleClient {
  /** Says farewell and closes. */
  end(farewell: string): void;
}

export interface ConsoleServerOptions {
  /** In messages: `SSH console`. */
  readonly name: string;
  readonly guests: GuestList;
  readonly log: Logger;
  readonly socket?: Pick<ServerOpts, 'allowHalfOpen'>;
  accept(socket: Socket): void;
}

/** The TCP port of one way into the console, with a limit on its connections. */
export class ConsoleServer {
  private readonly server: Server;

  constructor(private readonly options: ConsoleServerOptions) {
    const { guests, socket } = options;
    this.server = createServer({ ...socket, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    this.server.maxConnections = MAX_SESSIONS + MAX_UNAUTHENTICATED + 16;
    this.server.on('connection', (connection) => options.accept(connection));
    this.server.on('drop', () => guests.logCrowd());
  }

  /** Rejects with ConsoleStartError when the address is taken or not ours. */
  async listen({ host, port }: ListenAddress): Promise<void> {
    const { name, log } = this.options;
    this.server.listen(port, host);
    try {
      await once(this.server, 'listening');
    } catch (error) {
      throw new ConsoleStartError(`${name} cannot listen on ${host}:${port}: ${errorMessage(error)}`, error);
    }
    this.server.on('error', (error) => log.error({ err: errorMessage(error) }, `${name} failed`));
  }

  get address(): ListenAddress {
    const { address, port } = this.server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Takes nobody in any more and ends those who are connected. */
  async close(clients: Iterable<ConsoleClient>): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const client of clients) client.end('Server is stopping / 服务器正在停止');
    await closed;
  }
}
