import { type Clock, systemClock } from '../platform/clock.js';
import { type Closeable, Lifecycle } from '../platform/lifecycle.js';
import { localAddresses } from '../platform/local-address.js';
import { type Logger, silentLogger } from '../platform/logger.js';
import { queuedClock } from '../platform/queued-clock.js';
import { type AdvertisedAddress, type AdvertiseRule, Advertiser } from './advertise.js';
import {
  type CapturedMessage,
  type CaptureFilter,
  type CaptureState,
  MessageCapture,
} from './capture/message-capture.js';
import { CallEvents } from './core/call-events.js';
import { ClientStarter, DEFAULT_UDP_MAX_BYTES } from './core/client-starter.js';
import type { CoreContext } from './core/core-context.js';
import { type CoreCounters, createCoreCounters } from './core/core-counters.js';
import type { CoreDialog } from './core/core-dialog.js';
import { RegisteredFlows } from './core/registered-flows.js';
import { RequestScreen, type ScreenSettings } from './core/request-screen.js';
import { UaCore } from './core/ua-core.js';
import { DialogTable } from './dialog/dialog-table.js';
import { DrachtioServer, type DrachtioServerOptions } from './drachtio/drachtio-server.js';
import { SipCommands } from './drachtio/sip-commands.js';
import {
  DEFAULT_OVERLOAD,
  LoopDelay,
  OverloadMonitor,
  type OverloadSettings,
  type OverloadSigns,
  type OverloadStats,
} from './overload.js';
import { OwnAddresses } from './own-addresses.js';
import { ProxyCore } from './proxy/proxy-core.js';
import type { ResolveCounters } from './resolve/limits.js';
import { NextHops } from './resolve/next-hops.js';
import { NewRequestRouter, type RequestHandlerSettings } from './routing/new-request-router.js';
import { type TransactionCounts, TransactionLayer } from './transaction/transaction-layer.js';
import type { TransportCounters } from './transport/counters.js';
import type { TransportLimits } from './transport/limits.js';
import { type AdmissionSettings, DEFAULT_ADMISSION } from './transport/source-admission.js';
import { TlsCredentials } from './transport/tls/tls-credentials.js';
import type { TlsSettings } from './transport/tls/tls-settings.js';
import type { TrafficStats } from './transport/traffic.js';
import { TransportLayer } from './transport/transport-layer.js';
import type { BoundListener, ListenerSpec, Outlet } from './transport/types.js';
import { DEFAULT_TIMERS, type Hop, type TimerSettings } from './types.js';

/** What an engine is started with. All of it is plain data but `log` and `clock`, so that it can go to a worker. */
export interface EngineOptions {
  /** Port 0 lets the system choose. */
  readonly sipListen: readonly ListenerSpec[];
  readonly admin: {
    /** Default 127.0.0.1. */
    readonly host?: string;
    /** Default 9022; 0 lets the system choose. */
    readonly port?: number;
    /** What applications authenticate with; not empty. */
    readonly secret: string;
    /** A second port for applications, over TLS. Default: none. Files are PEM, and read again when they change. */
    readonly tls?: {
      /** Default: that of the other port. */
      readonly host?: string;
      readonly port: number;
      readonly certificateFile: string;
      readonly keyFile: string;
    };
    /** Seconds of silence after which TCP asks whether an application is still there; 0: never. Default 45. */
    readonly keepAliveSec?: number;
    /** Bytes that may wait for an application that reads too slowly, before it is disconnected. Default 32 MiB. */
    readonly maxBacklogBytes?: number;
  };
  /** Default: what listeners are bound to; for a wildcard the address on the route to the peer. */
  readonly advertised?: AdvertisedAddress;
  /** What peers of some networks are told instead of `advertised`. */
  readonly advertise?: readonly AdvertiseRule[];
  /** Default: those of RFC 3261. */
  readonly timers?: Partial<TimerSettings>;
  /** Whether in-dialog requests go back to where a peer was seen when its Contact says otherwise; default true. */
  readonly detectNat?: boolean;
  /** Requests that the engine answers itself; default none. */
  readonly screen?: ScreenSettings;
  /** Who decides about new requests, by SIP method; default: they go to applications that asked for the method. */
  readonly requestHandlers?: readonly RequestHandlerSettings[];
  /** Whether applications we connect to over TLS must have a good certificate; default false. */
  readonly verifyApplications?: boolean;
  /** Each INVITE gets a 180 at once; default false. */
  readonly alwaysSend180?: boolean;
  /** How much of one source is taken; what is left out is DEFAULT_ADMISSION's. */
  readonly admission?: Partial<AdmissionSettings>;
  /** When new requests are refused; what is left out is DEFAULT_OVERLOAD's. */
  readonly overload?: Partial<OverloadSettings>;
  /** Certificates; needed when something listens with `tls` or `wss`. */
  readonly tls?: TlsSettings;
  /** Pages that may open a WebSocket, by Origin (`https://phone.example`); default and empty: all. */
  readonly origins?: readonly string[];
  /** Bounds on peers; what is left out is DEFAULT_TRANSPORT_LIMITS'. */
  readonly transportLimits?: Partial<TransportLimits>;
  /** DNS servers, `address` or `address:port`; default: the machine's. */
  readonly dnsServers?: readonly string[];
  /** Larger requests to UDP peers go by TCP where that works (RFC 3261 §18.1.1); bytes, 0: never, default 1300. */
  readonly udpMaxBytes?: number;
  /** Default: silent. */
  readonly log?: Logger;
  readonly clock?: Clock;
}

export interface EngineStats {
  readonly applications: number;
  readonly dialogs: number;
  /** Requests that wait for an application. */
  readonly pendingRequests: number;
  readonly overload: OverloadStats;
  /** Requests that are being proxied, those included that only absorb repetitions any more. */
  readonly proxiedRequests: number;
  readonly core: Readonly<CoreCounters>;
  readonly transport: Readonly<TransportCounters>;
  readonly transactions: TransactionCounts & {
    /** Requests that got no transaction: for want of room, or in an overload. */
    readonly refused: number;
    /** Transactions of refused requests that were forgotten early, since a flood left too many. */
    readonly forgotten: number;
  };
  readonly resolve: Readonly<ResolveCounters>;
  /** Messages by transport, direction, method and status class. */
  readonly traffic: TrafficStats;
  /** Open connections by transport. */
  readonly connections: Readonly<Record<string, number>>;
  /** Sources whose share admission keeps. */
  readonly sources: number;
}

/** What an operator's capture holds. */
export interface Captured {
  readonly state: CaptureState;
  readonly messages: readonly CapturedMessage[];
}

/** A SIP engine that takes applications on its admin port. */
export interface Engine extends Closeable {
  readonly adminPort: number;
  /** Undefined without TLS on the admin port. */
  readonly adminTlsPort: number | undefined;
  readonly listeners: readonly BoundListener[];
  stats(): EngineStats;
  /** Reads certificates anew, for new connections; false, and an error in the log, when they are no good. */
  reload(): boolean;
  /** Begins to keep messages of the wire, those kept before being dropped. */
  startCapture(filter: CaptureFilter): CaptureState;
  /** Keeps no more of them. */
  stopCapture(): CaptureState;
  readCapture(): Captured;
}

const DEFAULT_ADMIN_PORT = 9022;

/** Starts an engine; rejects when a listener or the admin port cannot be bound, nothing being left open then. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const engine = new RunningEngine(options);
  try {
    await engine.start();
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

class RunningEngine implements Engine {
  adminPort = 0;
  adminTlsPort: number | undefined;
  listeners: readonly BoundListener[] = [];
  readonly log: Logger;
  readonly clock: Clock;
  private readonly lifecycle: Lifecycle;
  private readonly transport: TransportLayer;
  private readonly advertiser: Advertiser;
  private readonly nextHops: NextHops;
  private readonly counters = createCoreCounters();
  private readonly dialogs = new DialogTable<CoreDialog>();
  private transactions: TransactionLayer | undefined;
  private core: UaCore | undefined;
  private proxy: ProxyCore | undefined;
  private server: DrachtioServer | undefined;
  private adminCredentials: TlsCredentials | undefined;
  private readonly loopDelay = new LoopDelay();
  private readonly overload: OverloadMonitor;
  private readonly capture: MessageCapture;

  constructor(private readonly options: EngineOptions) {
    this.log = options.log ?? silentLogger;
    this.clock = queuedClock(options.clock ?? systemClock);
    this.lifecycle = new Lifecycle(this.log);
    this.capture = new MessageCapture(this.clock);
    this.overload = new OverloadMonitor(
      { ...DEFAULT_OVERLOAD, ...options.overload },
      this.clock,
      this.log,
      () => this.overloadSigns(),
    );
    this.lifecycle.own('loop delay', this.loopDelay);
    this.lifecycle.own('overload', this.overload);
    this.nextHops = new NextHops({ clock: this.clock, servers: options.dnsServers });
    this.advertiser = new Advertiser(options.advertise ?? [], options.advertised);
    this.transport = new TransportLayer({
      listeners: options.sipListen,
      clock: this.clock,
      log: this.log,
      admission: { ...DEFAULT_ADMISSION, ...options.admission },
      ...(options.tls ? { tls: options.tls } : {}),
      ...(options.origins && options.origins.length > 0 ? { origins: options.origins } : {}),
      ...(options.transportLimits ? { limits: options.transportLimits } : {}),
      advertise: (listener, peer) => this.advertiser.sentBy(listener, peer),
    });
  }

  async start(): Promise<void> {
    const { admin, timers } = this.options;
    this.lifecycle.own('transport', this.transport);
    this.listeners = await this.transport.start();
    this.lifecycle.own('next hops', this.nextHops);
    this.nextHops.useListeners(this.listeners);
    const own = new OwnAddresses(this.listeners, localAddresses(), this.advertiser);
    const server = new DrachtioServer({
      host: admin.host ?? '127.0.0.1',
      port: admin.port ?? DEFAULT_ADMIN_PORT,
      ...(await this.adminTls()),
      secret: admin.secret,
      ...(admin.keepAliveSec === undefined ? {} : { keepAliveSec: admin.keepAliveSec }),
      ...(admin.maxBacklogBytes === undefined ? {} : { maxBacklogBytes: admin.maxBacklogBytes }),
      verifyApplications: this.options.verifyApplications ?? false,
      clock: this.clock,
      log: this.log,
      hostports: () => own.hostports(),
    });
    const settings = { ...DEFAULT_TIMERS, ...timers };
    const ctx = this.coreContext(own, server, settings);
    const core = new UaCore(ctx);
    const proxy = new ProxyCore(ctx, core, admin.secret);
    this.transactions = new TransactionLayer({
      transport: this.transport,
      clock: this.clock,
      timers: settings,
      log: this.log,
      isOverloaded: () => this.overload.isOverloaded,
      user: proxy,
    });
    server.handler = new SipCommands(core, proxy);
    this.core = core;
    this.proxy = proxy;
    this.server = server;
    this.lifecycle.own('transactions', this.transactions);
    this.lifecycle.own('proxy', { close: () => Promise.resolve(proxy.close()) });
    this.lifecycle.own('core', { close: () => Promise.resolve(core.close()) });
    this.lifecycle.own('admin', server);
    const { port, tlsPort } = await server.listen();
    this.adminPort = port;
    this.adminTlsPort = tlsPort;
  }

  stats(): EngineStats {
    return {
      applications: this.server?.clientCount ?? 0,
      dialogs: this.dialogs.size,
      pendingRequests: this.core?.pendingCount ?? 0,
      overload: this.overload.stats(),
      proxiedRequests: this.proxy?.size ?? 0,
      core: { ...this.counters },
      transport: { ...this.transport.counters },
      transactions: {
        ...(this.transactions?.counts() ?? NO_TRANSACTIONS),
        refused: this.transactions?.refusedRequests ?? 0,
        forgotten: this.transactions?.forgottenRefusals ?? 0,
      },
      resolve: { ...this.nextHops.counters },
      traffic: this.transport.watch.traffic.stats(),
      connections: this.transport.connections(),
      sources: this.transport.sourceCount,
    };
  }

  reload(): boolean {
    const isAdminGood = this.adminCredentials?.reload() ?? true;
    return this.transport.reloadCertificates() && isAdminGood;
  }

  startCapture(filter: CaptureFilter): CaptureState {
    this.capture.start(filter);
    this.transport.watch.tap = (text, sent, peer, local) => this.capture.take(text, sent, peer, local);
    return this.capture.state();
  }

  stopCapture(): CaptureState {
    this.transport.watch.tap = undefined;
    this.capture.stop();
    return this.capture.state();
  }

  readCapture(): Captured {
    return { state: this.capture.state(), messages: this.capture.messages() };
  }

  close(): Promise<void> {
    return this.lifecycle.close();
  }

  /** The second admin port, when there is to be one; its certificate is read. */
  private async adminTls(): Promise<Pick<DrachtioServerOptions, 'tls'>> {
    const { tls, host: plainHost = '127.0.0.1' } = this.options.admin;
    if (!tls) return {};
    const { host = plainHost, port, certificateFile, keyFile } = tls;
    const { clock, log } = this;
    const { counters } = this.transport;
    const settings = { certificateFile, keyFile };
    this.adminCredentials = new TlsCredentials({ settings, clock, log, counters });
    this.lifecycle.own('admin certificate', this.adminCredentials);
    await this.adminCredentials.start();
    return { tls: { host, port, credentials: this.adminCredentials } };
  }

  private overloadSigns(): OverloadSigns {
    return {
      loopDelayMs: this.loopDelay.look(),
      waitingRequests: this.core?.unheardCount ?? 0,
      backlogBytes: this.server?.backlogBytes ?? 0,
    };
  }

  private coreContext(own: OwnAddresses, server: DrachtioServer, timers: TimerSettings): CoreContext {
    const outlet = (hop: Hop): Outlet => this.transport.outlet(hop);
    const clients = new ClientStarter({
      clock: this.clock,
      log: this.log,
      timers,
      counters: this.counters,
      failed: this.nextHops.failed,
      udpMaxBytes: this.options.udpMaxBytes ?? DEFAULT_UDP_MAX_BYTES,
      outlet,
      createClient: (...args) => this.transactions!.createClient(...args),
    });
    return {
      clock: this.clock,
      log: this.log,
      timers,
      counters: this.counters,
      dialogs: this.dialogs,
      applications: server,
      registeredFlows: new RegisteredFlows(),
      callEvents: new CallEvents(server),
      detectNat: this.options.detectNat ?? true,
      screen: new RequestScreen(this.options.screen),
      router: this.lifecycle.own(
        'router',
        new NewRequestRouter(this.options.requestHandlers ?? [], server, this),
      ),
      proxy: (tx, order) => this.proxy?.route(tx, order) ?? false,
      alwaysSend180: this.options.alwaysSend180 ?? false,
      outlet,
      resolve: (uri) => this.nextHops.find(uri),
      createClient: (...args) => clients.createClient(...args),
      sendStateless: (request, hop) => this.transactions!.sendStateless(request, hop),
      isOwnUri: (uri) => own.isOwnUri(uri),
      nearness: (address) => own.nearness(address),
      defaultEnd: () => {
        const first = this.listeners[0]!;
        return { protocol: first.protocol, sentBy: { host: first.address, port: first.port } };
      },
    };
  }
}

const NO_TRANSACTIONS: TransactionCounts = {
  inviteServer: {},
  nonInviteServer: {},
  inviteClient: {},
  nonInviteClient: {},
};
