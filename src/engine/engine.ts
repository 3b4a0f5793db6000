import { type Clock, systemClock } from '../platform/clock.js';
import { Lifecycle } from '../platform/lifecycle.js';
import { localAddresses } from '../platform/local-address.js';
import { type Logger, silentLogger } from '../platform/logger.js';
import { queuedClock } from '../platform/queued-clock.js';
import type { Via } from '../sip/via.js';
import { Advertiser } from './advertise.js';
import { type CaptureFilter, type CaptureState, MessageCapture } from './capture/message-capture.js';
import { CallEvents } from './core/call-events.js';
import { ClientStarter, DEFAULT_UDP_MAX_BYTES } from './core/client-starter.js';
import type { CoreContext } from './core/core-context.js';
import { createCoreCounters } from './core/core-counters.js';
import type { CoreDialog } from './core/core-dialog.js';
import { NO_KEEPER } from './core/dialog-keeper.js';
import { RegisteredFlows } from './core/registered-flows.js';
import { RequestScreen } from './core/request-screen.js';
import { UaCore } from './core/ua-core.js';
import { DialogTable } from './dialog/dialog-table.js';
import { DrachtioServer, type DrachtioServerOptions } from './drachtio/drachtio-server.js';
import { SipCommands } from './drachtio/sip-commands.js';
import type { Captured, Engine, EngineOptions, EngineStats } from './engine-options.js';
import { type MalformedReport, MalformedReports } from './malformed-reports.js';
import { DEFAULT_OVERLOAD, LoopDelay, OverloadMonitor, type OverloadSigns } from './overload.js';
import { OwnAddresses } from './own-addresses.js';
import { ProxyCore } from './proxy/proxy-core.js';
import { NextHops } from './resolve/next-hops.js';
import { NewRequestRouter } from './routing/new-request-router.js';
import { DialogJournal } from './survival/dialog-journal.js';
import type { SavedDialog } from './survival/saved-dialog.js';
import { type TransactionCounts, TransactionLayer } from './transaction/transaction-layer.js';
import type { BlockChange, DroppedSource } from './transport/blocked-sources.js';
import { DEFAULT_ADMISSION } from './transport/source-admission.js';
import { TlsCredentials } from './transport/tls/tls-credentials.js';
import { TransportLayer } from './transport/transport-layer.js';
import type { BoundListener, Outlet } from './transport/types.js';
import { turnEnd } from './turn-end.js';
import { DEFAULT_TIMERS, type Hop, type Source, type TimerSettings } from './types.js';
import { UdpQueues } from './udp-queues.js';

export type { Captured, Engine, EngineOptions, EngineStats } from './engine-options.js';

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

/** Messages on their way out are cut from pieces of memory of this size: Node's own 8 KiB hold but a dozen. Of its thread. */
const OCTET_POOL_BYTES = 64 * 1024;

class RunningEngine implements Engine {
  adminPort = 0;
  adminTlsPort: number | undefined;
  listeners: readonly BoundListener[] = [];
  onMalformed: (reports: readonly MalformedReport[]) => void = () => {};
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
  private own: OwnAddresses | undefined;
  private proxy: ProxyCore | undefined;
  private server: DrachtioServer | undefined;
  private adminCredentials: TlsCredentials | undefined;
  private readonly loopDelay = new LoopDelay();
  private readonly overload: OverloadMonitor;
  private readonly capture: MessageCapture;
  private udpQueues: UdpQueues | undefined;
  private dialogJournal: DialogJournal | undefined;

  constructor(private readonly options: EngineOptions) {
    turnEnd.pace(options.paceMs ?? 0);
    Buffer.poolSize = Math.max(Buffer.poolSize, OCTET_POOL_BYTES);
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
      ...(options.blockedSources ? { blocked: options.blockedSources } : {}),
      admission: { ...DEFAULT_ADMISSION, ...options.admission },
      ...(options.tls ? { tls: options.tls } : {}),
      ...(options.origins && options.origins.length > 0 ? { origins: options.origins } : {}),
      ...(options.transportLimits ? { limits: options.transportLimits } : {}),
      advertise: (listener, peer) => this.advertiser.sentBy(listener, peer),
      findForResponse: (source, topVia) => this.findForResponse(source, topVia),
    });
    const malformed = new MalformedReports(this.clock, (reports) => this.onMalformed(reports));
    this.lifecycle.own('malformed reports', malformed);
    this.transport.onParseError = (_, { address, protocol }) => malformed.note(address, protocol !== 'udp');
  }

  async start(): Promise<void> {
    const { admin, timers } = this.options;
    const left = await this.openDialogJournal();
    this.lifecycle.own('transport', this.transport);
    this.listeners = await this.transport.start();
    const udpPorts = this.listeners.filter(({ protocol }) => protocol === 'udp').map(({ port }) => port);
    this.udpQueues = this.lifecycle.own('UDP queues', new UdpQueues(new Set(udpPorts), this.clock, this.log));
    this.lifecycle.own('next hops', this.nextHops);
    this.nextHops.useListeners(this.listeners);
    const own = new OwnAddresses(this.listeners, localAddresses(), this.advertiser);
    this.own = own;
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
    core.restore(left);
    if (left.length > 0)
      this.log.info({ dialogs: this.dialogs.size }, 'dialogs of the last run are taken over');
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
    this.dialogJournal?.begin(this.dialogs.values());
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
      udpQueues: this.udpQueues?.stats() ?? { queuedBytes: 0, dropped: 0 },
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

  block(change: BlockChange): void {
    this.transport.block(change);
  }

  dropped(): readonly DroppedSource[] {
    return this.transport.blocked.counts();
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

  /** Dialogs that the engine before this one left: read before sockets are open, so that no request finds them missing. */
  private async openDialogJournal(): Promise<SavedDialog[]> {
    const { dialogJournal } = this.options;
    if (!dialogJournal) return [];
    const { journal, left } = await DialogJournal.open(dialogJournal, this.clock, this.log);
    this.dialogJournal = this.lifecycle.own('dialog journal', journal);
    return left;
  }

  /** RFC 3263 §5. Nobody has us knock at what listens on this machine alone by what it writes into Via. */
  private async findForResponse(source: Source, topVia: Via): Promise<readonly Hop[]> {
    const hops = await this.nextHops.findForResponse(source.protocol, topVia);
    const nearest = this.own?.nearness(source.address) ?? 0;
    return hops.filter(({ address }) => (this.own?.nearness(address) ?? 0) <= nearest);
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
      sendStateless: (...args) => this.transactions!.sendStateless(...args),
    });
    return {
      clock: this.clock,
      log: this.log,
      timers,
      counters: this.counters,
      dialogs: this.dialogs,
      applications: server,
      registeredFlows: new RegisteredFlows(),
      keeper: this.dialogJournal ?? NO_KEEPER,
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
      hasFlow: (flow) => this.transport.hasFlow(flow),
      resolve: (uri) => this.nextHops.find(uri),
      createClient: (...args) => clients.createClient(...args),
      sendStateless: (request, hop) => clients.sendStateless(request, hop),
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
