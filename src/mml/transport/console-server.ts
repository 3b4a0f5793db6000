import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type ServerOpts, type Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import { ConsoleStartError } from '../errors.js';
import { KEEPALIVE_MS, MAX_SESSIONS, MAX_UNAUTHENTICATED } from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import { clientAddress, GuestList } from './guest-list.js';

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

/** A connection that was let in. */
export interface Visit {
  readonly address: string;
  onLogin(): void;
  /** The first byte has come. */
  onSign(): void;
}

export interface ConsoleServerOptions {
  /** In messages: `SSH console`. */
  readonly name: string;
  readonly core: ConsoleCore;
  readonly socket?: Pick<ServerOpts, 'allowHalfOpen'>;
  /** Why nothing is begun with a client from there; undefined when it is. */
  refusal?(address: string): string | undefined;
  /** Begins to serve a client; the socket is closed when it is over. */
  serve(socket: Socket, visit: Visit): ConsoleClient;
}

/** Said to those for whom there is no room. */
export const CROWDED = 'Too many connections, try again later';

/** The TCP port of one way into the console: who is let in, who is connected, and a limit on both. */
export class ConsoleServer {
  private readonly server: Server;
  private readonly guests: GuestList;
  private readonly open = new Set<ConsoleClient>();

  constructor(private readonly options: ConsoleServerOptions) {
    const { core, socket } = options;
    this.guests = new GuestList(core.clock, core.log);
    this.server = createServer({ ...socket, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    this.server.maxConnections = MAX_SESSIONS + MAX_UNAUTHENTICATED + 16;
    this.server.on('connection', (connection) => this.accept(connection));
    this.server.on('drop', () => this.guests.logCrowd());
  }

  /** Rejects with ConsoleStartError when the address is taken or not ours. */
  async listen({ host, port }: ListenAddress): Promise<void> {
    const { name, core } = this.options;
    this.server.listen(port, host);
    try {
      await once(this.server, 'listening');
    } catch (error) {
      throw new ConsoleStartError(`${name} cannot listen on ${host}:${port}: ${errorMessage(error)}`, error);
    }
    this.server.on('error', (error) => core.log.error({ err: errorMessage(error) }, `${name} failed`));
  }

  get address(): ListenAddress {
    const { address, port } = this.server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Takes nobody in any more and ends those who are connected. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const client of this.open) client.end('Server is stopping / 服务器正在停止');
    await closed;
  }

  private accept(socket: Socket): void {
    const address = clientAddress(socket);
    const refusal = this.options.refusal?.(address);
    if (refusal === CROWDED) this.guests.logCrowd();
    const guest = refusal === undefined ? this.guests.admit(socket, address) : undefined;
    if (!guest) {
      // RFC 4253 §4.2: lines before the version; `ssh -v` shows them.
      socket.on('error', () => undefined);
      socket.end(`${refusal ?? CROWDED}\r\n`, () => socket.destroy());
      return;
    }
    const client = this.options.serve(socket, {
      address,
      onLogin: () => this.guests.leave(guest),
      onSign: () => {
        guest.signed = true;
      },
    });
    this.open.add(client);
    socket.once('close', () => this.open.delete(client));
  }
}
