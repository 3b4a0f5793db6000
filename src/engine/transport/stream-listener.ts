import type { Server, Socket } from 'node:net';
import type { TimerHandle } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import type { Via } from '../../sip/via.js';
import type { Hop, Source } from '../types.js';
import { Connection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { TransportError } from './errors.js';
import { responseHop } from './response-target.js';
import type { BoundListener, Listener, ListenerContext, ListenerSpec, SendFailureListener } from './types.js';

/** What stream protocols share: the server socket, the connections, and their bounds. */
export abstract class StreamListener implements Listener {
  readonly reliable = true;
  private readonly table = new ConnectionTable();
  private server: Server | undefined;
  private address: BoundListener | undefined;
  private sweepTimer: TimerHandle | undefined;

  constructor(
    protected readonly spec: ListenerSpec,
    protected readonly context: ListenerContext,
  ) {}

  /** A server that emits `connection` (or its protocol's equal) for sockets ready to carry SIP. */
  protected abstract createServer(onSocket: (socket: Socket) => void): Server;
  /** Begins to connect; the socket emits `connect` when it is ready to carry SIP. */
  protected abstract connect(hop: Hop): Socket;

  get bound(): BoundListener {
    if (!this.address) throw new TransportError('NO_LISTENER', 'the listener is not started');
    return this.address;
  }

  get connectionCount(): number {
    return this.table.size;
  }

  async start(): Promise<void> {
    const server = this.createServer((socket) => this.onSocket(socket));
    this.server = server;
    const { protocol, address } = this.spec;
    const port = await listen(server, this.spec);
    this.address = { protocol, address, port, family: address.includes(':') ? 6 : 4 };
    server.on('error', (error) => this.context.log.warn({ err: error }, 'accepting a connection failed'));
    this.scheduleSweep();
    this.context.log.debug({ ...this.address }, 'listening');
  }

  /** On the hop's own connection, else on any with its address and port, else on a new one. */
  sendRequest(bytes: Buffer, hop: Hop, failure?: SendFailureListener): void {
    const connection = this.table.flow(hop.flow) ?? this.table.peer(hop.address, hop.port) ?? this.open(hop);
    if (connection) connection.send(bytes, failure);
    else this.failLater(failure);
  }

  /** On the connection the request came on while it lives (RFC 3261 §18.2.2). */
  sendResponse(bytes: Buffer, source: Source, topVia: Via | undefined, failure?: SendFailureListener): void {
    const connection = this.table.flow(source.flow);
    if (connection) connection.send(bytes, failure);
    else this.sendRequest(bytes, responseHop(source, topVia), failure);
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.context.clock.clearTimeout(this.sweepTimer);
    const closed = server?.listening
      ? new Promise<void>((resolve) => server.close(() => resolve()))
      : Promise.resolve();
    for (const connection of [...this.table.values()])
      connection.fail(new TransportError('CONNECTION_CLOSED', 'the listener closes'));
    await closed;
  }

  private onSocket(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    const isRefused = this.isFull() || remoteAddress === undefined || !this.admits(remoteAddress);
    if (!this.server || remoteAddress === undefined || remotePort === undefined || isRefused) {
      if (this.isFull()) this.context.counters.connectionsRefused++;
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.context.counters.connectionsAccepted++;
    this.adopt(socket, remoteAddress, remotePort, false);
  }

  private open(hop: Hop): Connection | undefined {
    if (!this.server || this.isFull()) return undefined;
    try {
      const connection = this.adopt(this.connect(hop), hop.address, hop.port, true);
      this.context.counters.connectionsOpened++;
      return connection;
    } catch (error) {
      this.context.log.debug({ err: error, address: hop.address, port: hop.port }, 'cannot connect');
      return undefined;
    }
  }

  private adopt(socket: Socket, address: string, port: number, outbound: boolean): Connection {
    const flow = this.context.nextFlow();
    const { protocol, address: localAddress, port: localPort } = this.bound;
    const source: Source = { protocol, address, port, localAddress, localPort, flow };
    const connection = new Connection({
      flow,
      socket,
      source,
      outbound,
      context: this.context,
      onClose: (closed) => this.table.remove(closed),
    });
    this.table.add(connection);
    return connection;
  }

  /** A connection costs as much as a message: one that is made and closed again has cost something too. */
  private admits(address: string): boolean {
    return this.context.admission?.admits(address) ?? true;
  }

  private isFull(): boolean {
    return this.table.size >= this.context.limits.maxConnections;
  }

  private failLater(failure: SendFailureListener | undefined): void {
    this.context.counters.sendFailures++;
    const error = new TransportError('CONNECTION_LIMIT', 'no further connection can be opened');
    if (failure) process.nextTick(() => failure.onSendFailure(error));
  }

  private scheduleSweep(): void {
    const { clock, limits } = this.context;
    this.sweepTimer = clock.setTimeout(() => {
      const nowMs = clock.monotonic();
      for (const connection of [...this.table.values()]) connection.checkTimes(nowMs);
      this.scheduleSweep();
    }, limits.sweepIntervalMs);
  }
}

/** Listens, resolving with the port. */
function listen(server: Server, spec: ListenerSpec): Promise<number> {
  return new Promise((resolve, reject) => {
    const { protocol, address, port } = spec;
    const onError = (cause: Error): void =>
      reject(
        new TransportError(
          'LISTEN_FAILED',
          `${protocol}:${address}:${port} cannot be bound: ${errorMessage(cause)}`,
          cause,
        ),
      );
    server.once('error', onError);
    server.listen({ host: address, port, ipv6Only: address.includes(':') }, () => {
      server.off('error', onError);
      const bound = server.address();
      resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
    });
  });
}
