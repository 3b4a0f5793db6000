import { createServer, type Server } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import { randomToken } from '../../platform/ids.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import type { Application, ApplicationDirectory } from '../core/application.js';
import { ClientSession, type Command, type SessionOwner } from './client-session.js';
import { RouteTable } from './route-table.js';

/** Connections of applications at once; further ones are closed. */
export const MAX_CLIENTS = 128;
/** Longest verb that `route` takes. */
const MAX_VERB_LENGTH = 64;

export interface DrachtioServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly secret: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hostports: () => { external: string; local: string };
}

/** What the commands `sip` and `proxy` do. */
export interface CommandHandler {
  onSip(session: ClientSession, command: Command): void;
  onProxy(session: ClientSession, command: Command): void;
  onApplicationGone(application: Application): void;
}

/** The admin port: applications connect, authenticate, say which requests they want, and speak of SIP. */
export class DrachtioServer implements SessionOwner, ApplicationDirectory, Closeable {
  readonly clock: Clock;
  readonly log: Logger;
  readonly secret: string;
  readonly hostports: () => { external: string; local: string };
  /** Set before `listen`. */
  handler: CommandHandler | undefined;
  private readonly sessions = new Set<ClientSession>();
  private readonly routes = new RouteTable<ClientSession>();
  private readonly server: Server;
  private closed = false;

  constructor(private readonly options: DrachtioServerOptions) {
    this.clock = options.clock;
    this.log = options.log;
    this.secret = options.secret;
    this.hostports = options.hostports;
    this.server = createServer((socket) => {
      if (this.closed || this.sessions.size >= MAX_CLIENTS) socket.destroy();
      else this.sessions.add(new ClientSession(socket, this, randomToken(10)));
    });
  }

  /** Connections now open. */
  get clientCount(): number {
    return this.sessions.size;
  }

  /** Bytes of the application that is furthest behind in reading. */
  get backlogBytes(): number {
    let most = 0;
    for (const { backlogBytes } of this.sessions) most = Math.max(most, backlogBytes);
    return most;
  }

  /** Resolves with the bound port; rejects when it cannot be bound. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.options.port, this.options.host, () => {
        this.server.removeListener('error', reject);
        this.server.on('error', (error) => this.log.error({ err: error.message }, 'admin listener failed'));
        const address = this.server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const done = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const session of this.sessions) session.destroy();
    await done;
  }

  pick(method: string): Application | undefined {
    return this.routes.pick(method);
  }

  onCommand(session: ClientSession, command: Command): void {
    try {
      this.dispatch(session, command);
    } catch (error) {
      this.log.error({ err: error, verb: command.verb }, 'command failed');
      session.answer(command.msgId, `NOK|${errorMessage(error).replace(/[|\r\n]/g, ' ')}`);
    }
  }

  onClosed(session: ClientSession): void {
    this.sessions.delete(session);
    this.routes.removeClient(session);
    this.handler?.onApplicationGone(session);
  }

  private dispatch(session: ClientSession, command: Command): void {
    const { verb, msgId } = command;
    if (verb === 'sip') this.handler?.onSip(session, command);
    else if (verb === 'proxy') this.handler?.onProxy(session, command);
    else if (verb === 'route') this.onRoute(session, command);
    else if (verb === 'remove_route') {
      this.routes.remove(session, command.fields[0] ?? '');
      session.answer(msgId, 'OK');
    } else session.refuse(msgId, 'Unknown message type');
  }

  private onRoute(session: ClientSession, command: Command): void {
    const verb = command.fields[0] ?? '';
    const fits = verb !== '' && verb.length <= MAX_VERB_LENGTH && this.routes.add(session, verb);
    if (fits) session.answer(command.msgId, 'OK');
    else session.refuse(command.msgId, 'Invalid message format');
  }
}
