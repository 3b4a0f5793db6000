import type { Socket } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import { randomToken } from '../../platform/ids.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import type { Application, ApplicationDirectory } from '../core/application.js';
import type { ApplicationAddress } from '../routing/application-address.js';
import type { RoutableApplications } from '../routing/new-request-router.js';
import type { TlsCredentials } from '../transport/tls/tls-credentials.js';
import { AdminListener } from './admin-listener.js';
import { ClientSession, type Command, type SessionOwner } from './client-session.js';
import { OutboundConnections } from './outbound-connections.js';
import { RouteTable } from './route-table.js';

/** Applications connected to us at once; further connections are closed. */
export const MAX_CLIENTS = 128;
/** Output that may wait for an application that reads too slowly, unless told otherwise; bytes. */
export const MAX_BACKLOG_BYTES = 32 * 1024 * 1024;
/** Seconds, unless told otherwise. */
export const DEFAULT_KEEP_ALIVE_SEC = 45;
/** Longest verb that `route` takes. */
const MAX_VERB_LENGTH = 64;

export interface DrachtioServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** A second port, over TLS. */
  readonly tls?: { readonly host: string; readonly port: number; readonly credentials: TlsCredentials };
  readonly secret: string;
  readonly keepAliveSec?: number;
  readonly maxBacklogBytes?: number;
  readonly verifyApplications?: boolean;
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
export class DrachtioServer implements SessionOwner, ApplicationDirectory, RoutableApplications, Closeable {
  readonly clock: Clock;
  readonly log: Logger;
  readonly secret: string;
  readonly hostports: () => { external: string; local: string };
  readonly keepAliveSec: number;
  readonly maxBacklogBytes: number;
  readonly verifyApplications: boolean;
  /** Set before `listen`. */
  handler: CommandHandler | undefined;
  private readonly sessions = new Set<ClientSession>();
  private readonly routes = new RouteTable<ClientSession>();
  private readonly listener: AdminListener;
  private readonly tlsListener: AdminListener | undefined;
  private readonly outbound: OutboundConnections;
  private closed = false;

  constructor(options: DrachtioServerOptions) {
    const { host, port, tls, log } = options;
    this.clock = options.clock;
    this.log = log;
    this.secret = options.secret;
    this.hostports = options.hostports;
    this.keepAliveSec = options.keepAliveSec ?? DEFAULT_KEEP_ALIVE_SEC;
    this.maxBacklogBytes = options.maxBacklogBytes ?? MAX_BACKLOG_BYTES;
    this.verifyApplications = options.verifyApplications ?? false;
    this.outbound = new OutboundConnections(this);
    this.listener = new AdminListener({ host, port, log }, (socket) => this.accept(socket));
    this.tlsListener = tls && new AdminListener({ ...tls, log }, (socket) => this.accept(socket));
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

  /** Resolves with the bound ports; rejects when one cannot be bound. */
  async listen(): Promise<{ port: number; tlsPort: number | undefined }> {
    const port = await this.listener.listen();
    return { port, tlsPort: await this.tlsListener?.listen() };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.outbound.close();
    for (const session of this.sessions) session.destroy();
    await Promise.all([this.listener.close(), this.tlsListener?.close()]);
  }

  pick(verb: string, tag?: string): Application | undefined {
    return this.routes.pick(verb, tag === undefined ? undefined : (session) => session.tags.has(tag));
  }

  async dial(address: ApplicationAddress): Promise<{ app: Application; drop: () => void }> {
    const session = await this.outbound.dial(address);
    return { app: session, drop: () => session.close() };
  }

  adopt(socket: Socket): ClientSession {
    const session = new ClientSession(socket, this, randomToken(10));
    this.sessions.add(session);
    return session;
  }

  onAuthenticated(session: ClientSession): void {
    this.outbound.onAuthenticated(session);
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
    this.outbound.onClosed(session);
    this.handler?.onApplicationGone(session);
  }

  private accept(socket: Socket): void {
    if (this.closed || this.sessions.size - this.outbound.openCount >= MAX_CLIENTS) socket.destroy();
    else this.adopt(socket);
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
    // On a connection of ours the application gets the request it was opened for, whatever it asks for.
    const isTaken = this.outbound.has(session) || this.routes.add(session, verb);
    const fits = verb !== '' && verb.length <= MAX_VERB_LENGTH && isTaken;
    if (fits) session.answer(command.msgId, 'OK');
    else session.refuse(command.msgId, 'Invalid message format');
  }
}
