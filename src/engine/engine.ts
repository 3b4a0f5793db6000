import { type Clock, systemClock } from '../platform/clock.js';
import { Lifecycle } from '../platform/lifecycle.js';
import { localAddresses } from '../platform/local-address.js';
import { type Logger, silentLogger } from '../platform/logger.js';
import { queuedClock } from '../platform/queued-clock.js';
import type { Via } from '../sip/via.js';
import { createAdmin } from './admin.js';
import { Advertiser } from './advertise.js';
import { type CaptureFilter, type CaptureState, MessageCapture } from './capture/message-capture.js';
import { createCoreCounters } from './core/core-counters.js';
import type { CoreDialog } from './core/core-dialog.js';
import { NO_KEEPER } from './core/dialog-keeper.js';
import { UaCore } from './core/ua-core.js';
import { coreContext } from './core-wiring.js';
import { DialogTable } from './dialog/dialog-table.js';
import type { DrachtioServer } from './drachtio/drachtio-server.js';
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
import type { TlsCredentials } from './transport/tls/tls-credentials.js';
import { TransportLayer } from './transport/transport-layer.js';
import type { BoundListener } from './transport/types.js';
import { transportOptions } from './transport-options.js';
import { turnEnd } from './turn-end.js';
import { DEFAULT_TIMERS, type Hop, type Source } from './types.js';
import { UdpQueues } from './udp-queues.js';

export type { Captured, Engine, EngineOptions, EngineStats } from './engine-options.js';

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
    const overload = { ...DEFAULT_OVERLOAD, ...options.overload };
    this.overload = new OverloadMonitor(overload, this.clock, this.log, () => this.overloadSigns());
    this.lifecycle.own('loop delay', this.loopDelay);
    this.lifecycle.own('overload', this.overload);
    this.nextHops = new NextHops({ clock: this.clock, servers: options.dnsServers });
    this.advertiser = new Advertiser(options.advertise ?? [], options.advertised);
    this.transport = new TransportLayer({
      ...transportOptions(options),
      clock: this.clock,
      log: this.log,
      advertise: (listener, peer) => this.advertiser.sentBy(listener, peer),
      findForResponse: (source, topVia) => this.findForResponse(source, topVia),
    });
    const malformed = new MalformedReports(this.clock, (reports) => this.onMalformed(reports));
    this.lifecycle.own('malformed reports', malformed);
    this.transport.onParseError = (_, { address, protocol }) => malformed.note(address, protocol !== 'udp');
  }

  async start(): Promise<void> {
    const left = await this.openDialogJournal();
    this.lifecycle.own('transport', this.transport);
    this.listeners = await this.transport.start();
    const udpPorts = this.listeners.filter(({ protocol }) => protocol === 'udp').map(({ port }) => port);
    this.udpQueues = this.lifecycle.own('UDP queues', new UdpQueues(new Set(udpPorts), this.clock, this.log));
    this.lifecycle.own('next hops', this.nextHops);
    this.nextHops.useListeners(this.listeners);
    const own = new OwnAddresses(this.listeners, localAddresses(), this.advertiser);
    this.own = own;
    const { options, clock, log, lifecycle, transport, nextHops, listeners, counters, dialogs } = this;
    const { server, credentials } = await createAdmin({
      admin: options.admin,
      verifyApplications: options.verifyApplications ?? false,
      clock,
      log,
      counters: transport.counters,
      lifecycle,
      hostports: () => own.hostports(),
    });
    this.adminCredentials = credentials;
    const timers = { ...DEFAULT_TIMERS, ...options.timers };
    const layers = { options, clock, log, transport, nextHops, listeners, counters, dialogs };
    const ctx = coreContext({
      ...layers,
      timers,
      keeper: this.dialogJournal ?? NO_KEEPER,
      router: lifecycle.own('router', new NewRequestRouter(options.requestHandlers ?? [], server, this)),
      server,
      own,
      transactions: () => this.transactions!,
      proxy: () => this.proxy,
    });
    const core = new UaCore(ctx);
    const proxy = new ProxyCore(ctx, core, options.admin.secret);
    this.transactions = new TransactionLayer({
      transport,
      clock,
      timers,
      log,
      isOverloaded: () => this.overload.isOverloaded,
      user: proxy,
    });
    server.handler = new SipCommands(core, proxy);
    core.restore(left);
    if (left.length > 0) log.info({ dialogs: dialogs.size }, 'dialogs of the last run are taken over');
    this.core = core;
    this.proxy = proxy;
    this.server = server;
    lifecycle.own('transactions', this.transactions);
    lifecycle.own('proxy', { close: () => Promise.resolve(proxy.close()) });
    lifecycle.own('core', { close: () => Promise.resolve(core.close()) });
    lifecycle.own('admin', server);
    const { port, tlsPort } = await server.listen();
    this.adminPort = port;
    this.adminTlsPort = tlsPort;
    this.dialogJournal?.begin(dialogs.values());
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
}

const NO_TRANSACTIONS: TransactionCounts = {
  inviteServer: {},
  nonInviteServer: {},
  inviteClient: {},
  nonInviteClient: {},
};
