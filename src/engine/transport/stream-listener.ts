import { createServer, isIP, type Server, type Socket } from 'node:net';
import type { TimerHandle } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import type { Via } from '../../sip/via.js';
import { DEFAULT_PORTS, type FlowId, type Hop, type Source } from '../types.js';
import { Connection } from './connection.js';
import { ConnectionQuota } from './connection-quota.js';
import { ConnectionTable } from './connection-table.js';
import { TransportError } from './errors.js';
import type { Link } from './link.js';
import { ResponseFallback } from './response-fallback.js';
import { responseHop } from './response-target.js';
import { isWildcard } from './select-listener.js';
import type { BoundListener, Listener, ListenerContext, ListenerSpec, SendFailureListener } from './types.js';

/** What stream protocols share: the server socket, the connections, and their bounds. */
export abstract class StreamListener implements Listener {
  readonly reliable = true;
  private readonly table = new ConnectionTable();
  private readonly quota: ConnectionQuota;
  private server: Server | undefined;
  private address: BoundListener | undefined;
  private sweepTimer: TimerHandle | undefined;

  constructor(
    protected readonly spec: ListenerSpec,
    protected readonly context: ListenerContext,
  ) {
    this.quota = new ConnectionQuota(context);
  }

  /** Takes an accepted socket through what comes before SIP and ends in `adopt`. */
  protected abstract accept(socket: Socket): void;
  /** Whether peers of this protocol take connections. */
  protected abstract readonly canDial: boolean;
  /** Begins to connect; only where peers can be dialled. */
  protected abstract dial(hop: Hop): Link | undefined;

  get bound(): BoundListener {
    if (!this.address) throw new TransportError('NO_LISTENER', 'the listener is not started');
    return this.address;
  }

  get connectionCount(): number {
    return this.table.size + this.quota.pendingCount;
  }

  /** What our end of a connection that we open is bound to; undefined to leave that to the system. */
  protected get localAddress(): string | undefined {
    return isWildcard(this.spec.address) ? undefined : this.spec.address;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.onSocket(socket));
    this.server = server;
    const { protocol, address } = this.spec;
    const port = await listen(server, this.spec);
    this.address = { protocol, address, port, family: address.includes(':') ? 6 : 4 };
    server.on('error', (error) => this.context.log.warn({ err: error }, 'accepting a connection failed'));
    this.scheduleSweep();
    this.context.log.debug({ ...this.address }, 'listening');
  }

  /**
   * On the hop's own connection, else on any with its address and port, else on a new one. When a flow is gone another
   * connection from its address and port is another peer's: a NAT gives ports away again.
   */
  sendRequest(bytes: Buffer, hop: Hop, failure?: SendFailureListener): void {
    const connection =
      this.table.flow(hop.flow) ??
      this.table.peer(hop.address, hop.port, this.provenName(hop), hop.flow !== undefined) ??
      this.open(hop);
    if (connection) connection.send(bytes, failure);
    else this.failLater(failure, hop);
  }

  hasFlow(flow: FlowId): boolean {
    return this.table.flow(flow) !== undefined;
  }

  /** Only for what the peer's certificate is good for: anyone can write any sent-by (RFC 5923 §8.2). */
  alias({ flow }: Source, { host, port }: Via): void {
    const connection = this.table.flow(flow);
    if (!connection?.proves(host)) return;
    const isAddress = isIP(host) !== 0;
    if (isAddress && host !== connection.source.address) return;
    this.table.alias(connection, port ?? DEFAULT_PORTS[this.spec.protocol], isAddress ? undefined : host);
  }

  /** On the connection the request came on while it lives (RFC 3261 §18.2.2). */
  sendResponse(bytes: Buffer, source: Source, topVia: Via | undefined, failure?: SendFailureListener): void {
    const connection = this.table.flow(source.flow);
    if (connection) connection.send(bytes, failure);
    else this.sendLostResponse(bytes, source, topVia, failure);
  }

  /** RFC 3261 §18.2.2: the address it came from; and when that is no good, what sent-by says (RFC 3263 §5). */
  private sendLostResponse(
    bytes: Buffer,
    source: Source,
    topVia: Via | undefined,
    failure: SendFailureListener | undefined,
  ): void {
    const { findForResponse } = this.context;
    const listener =
      topVia && findForResponse
        ? new ResponseFallback(
            () => findForResponse(source, topVia),
            (hop, next) => this.sendRequest(bytes, hop, next),
            failure,
          )
        : failure;
    this.sendRequest(bytes, responseHop(source, topVia), listener);
  }

  dropBlocked(): void {
    for (const connection of [...this.table.values()])
      if (this.context.blocked.has(connection.source.address)) {
        this.context.counters.blockedDropped++;
        connection.fail(new TransportError('CONNECTION_CLOSED', 'the peer is blocked'));
      }
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.context.clock.clearTimeout(this.sweepTimer);
    const closed = server?.listening
      ? new Promise<void>((resolve) => server.close(() => resolve()))
      : Promise.resolve();
    this.quota.close();
    for (const connection of [...this.table.values()])
      connection.fail(new TransportError('CONNECTION_CLOSED', 'the listener closes'));
    await closed;
  }

  /** Accepted and ready to carry SIP; refused when the peer is gone again. */
  protected adopt(socket: Socket, link: Link): void {
    const { remoteAddress, remotePort } = socket;
    // It may have been blocked during the handshake.
    const isHeard = remoteAddress !== undefined && !this.context.blocked.has(remoteAddress);
    if (!this.server || !isHeard || remotePort === undefined) {
      socket.destroy();
      return;
    }
    this.quota.settle(remoteAddress, remotePort);
    this.context.counters.connectionsAccepted++;
    this.add(link, remoteAddress, remotePort);
  }

  private onSocket(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    socket.on('error', () => {});
    if (!this.server || remoteAddress === undefined || remotePort === undefined || this.isFull()) {
      if (this.isFull()) this.context.counters.connectionsRefused++;
      socket.destroy();
    } else if (!this.admits(remoteAddress) || !this.quota.admit(socket, remoteAddress, remotePort))
      socket.destroy();
    else this.accept(socket);
  }

  private open(hop: Hop): Connection | undefined {
    if (!this.server || hop.flowOnly || this.isFull()) return undefined;
    try {
      const link = this.dial(hop);
      if (!link) return undefined;
      const connection = this.add(link, hop.address, hop.port, hop);
      this.context.counters.connectionsOpened++;
      return connection;
    } catch (error) {
      this.context.log.debug({ err: error, address: hop.address, port: hop.port }, 'cannot connect');
      return undefined;
    }
  }

  /** `hop` for a connection that we open. */
  private add(link: Link, address: string, port: number, hop?: Hop): Connection {
    const flow = this.context.nextFlow();
    const { protocol, address: localAddress, port: localPort } = this.bound;
    const source: Source = { protocol, address, port, localAddress, localPort, flow };
    const connection = new Connection({
      flow,
      link,
      source,
      outbound: hop !== undefined,
      connectTimeoutMs: hop?.connectTimeoutMs ?? this.context.limits.connectTimeoutMs,
      context: this.context,
      onClose: (closed) => this.table.remove(closed),
    });
    this.table.add(connection);
    return connection;
  }

  /** A connection costs as much as a message: one that is made and closed again has cost something too. */
  private admits(address: string): boolean {
    const { blocked, counters } = this.context;
    if (blocked.drops(address)) {
      counters.blockedDropped++;
      return false;
    }
    return this.context.admission?.admits(address) ?? true;
  }

  /** Names are proven in TLS alone. */
  private provenName({ name }: Hop): string | undefined {
    return this.spec.protocol === 'tls' ? name : undefined;
  }

  private isFull(): boolean {
    return this.connectionCount >= this.context.limits.maxConnections;
  }

  private failLater(failure: SendFailureListener | undefined, hop: Hop): void {
    this.context.counters.sendFailures++;
    const error =
      hop.flowOnly || !this.canDial
        ? new TransportError('FLOW_FAILED', `the connection with ${hop.address} is gone`)
        : new TransportError('CONNECTION_LIMIT', 'no further connection can be opened');
    if (failure) process.nextTick(() => failure.onSendFailure(error));
  }

  private scheduleSweep(): void {
    const { clock, limits } = this.context;
    this.sweepTimer = clock.setTimeout(() => {
      const nowMs = clock.monotonic();
      this.quota.sweep(nowMs);
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
