import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../platform/clock.js';
import { AppError, ClosedError } from '../../platform/errors.js';
import type { ApplicationAddress } from '../routing/application-address.js';
import type { ClientSession } from './client-session.js';

/** How long connecting to an application and its authentication may take together. Milliseconds. */
export const OUTBOUND_TIMEOUT_MS = 4000;
/** Connections to applications at once, those being made included; no further one is opened. */
export const MAX_OUTBOUND_CONNECTIONS = 5000;

/** An application cannot be connected to, or does not authenticate. */
export class OutboundError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('ENGINE_OUTBOUND', message, cause === undefined ? {} : { cause });
  }
}

/** Who owns the sessions on these connections. */
export interface OutboundOwner {
  readonly clock: Clock;
  /** Over TLS: whether an application's certificate must be good for its name. */
  readonly verifyApplications: boolean;
  /** Makes a session of a connection that is ready for frames. */
  adopt(socket: Socket): ClientSession;
}

interface Attempt {
  readonly resolve: (session: ClientSession) => void;
  readonly reject: (error: Error) => void;
}

/** The connections that the engine opens, one for a request: the application authenticates and gets that request. */
export class OutboundConnections {
  private readonly dialing = new Set<Socket>();
  private readonly open = new Set<ClientSession>();
  /** Sessions whose application has not authenticated. */
  private readonly waiting = new Map<ClientSession, Attempt>();
  private isClosed = false;

  constructor(
    private readonly owner: OutboundOwner,
    private readonly maxConnections = MAX_OUTBOUND_CONNECTIONS,
  ) {}

  /** Connections that are up. */
  get openCount(): number {
    return this.open.size;
  }

  has(session: ClientSession): boolean {
    return this.open.has(session);
  }

  /** Resolves with a session whose application has authenticated; rejects with OutboundError or ClosedError. */
  async dial(address: ApplicationAddress): Promise<ClientSession> {
    if (this.isClosed) throw new ClosedError('admin port');
    if (this.dialing.size + this.open.size >= this.maxConnections)
      throw new OutboundError('too many connections to applications');
    const socket = this.connect(address);
    const timer = this.owner.clock.setTimeout(
      () => socket.destroy(new OutboundError('no answer in time')),
      OUTBOUND_TIMEOUT_MS,
    );
    try {
      await this.connected(socket, address.secure ? 'secureConnect' : 'connect');
      return await this.authenticated(socket);
    } finally {
      this.owner.clock.clearTimeout(timer);
    }
  }

  onAuthenticated(session: ClientSession): void {
    this.waiting.get(session)?.resolve(session);
    this.waiting.delete(session);
  }

  onClosed(session: ClientSession): void {
    this.open.delete(session);
    this.waiting.get(session)?.reject(new OutboundError('the application did not authenticate'));
    this.waiting.delete(session);
  }

  /** Connections that are up are closed with their sessions. */
  close(): void {
    this.isClosed = true;
    for (const socket of this.dialing) socket.destroy(new ClosedError('admin port'));
  }

  private connect({ host, port, secure }: ApplicationAddress): Socket {
    const { verifyApplications: rejectUnauthorized } = this.owner;
    return secure
      ? connectTls({ host, port, servername: host, rejectUnauthorized })
      : connect({ host, port });
  }

  private connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    this.dialing.add(socket);
    return new Promise<void>((resolve, reject) => {
      socket.once(event, resolve);
      socket.once('error', (error) => reject(new OutboundError(error.message, error)));
      socket.once('close', () => reject(new OutboundError('the connection was closed')));
    }).finally(() => this.dialing.delete(socket));
  }

  private authenticated(socket: Socket): Promise<ClientSession> {
    return new Promise((resolve, reject) => {
      const session = this.owner.adopt(socket);
      this.open.add(session);
      this.waiting.set(session, { resolve, reject });
    });
  }
}
