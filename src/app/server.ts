import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { StoredOperators } from '../accounts/stored-operators.js';
import { StoredUsers } from '../accounts/stored-users.js';
import type { AlarmBook } from '../alarms/alarm-book.js';
import { StoredAnnouncements } from '../announcements/announcements.js';
import type { JournalledRecords } from '../cdr/record-service.js';
import type { LoadedConfig } from '../config/load.js';
import type { RunningSettings } from '../config/settings.js';
import { Dialler } from '../dialler/dial-service.js';
import type { RelayService } from '../media/stored-relays.js';
import type { Console } from '../mml/console.js';
import type { SystemInfo } from '../mml/services.js';
import { StoredNumbering } from '../numbering/numbering.js';
import { systemClock } from '../platform/clock.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { LoggerFactory } from '../platform/logger.js';
import { packageVersion } from '../platform/version.js';
import type { SourceGuard } from '../security/source-guard.js';
import type { Store } from '../store/types.js';
import { StoredTasks } from '../tasks/stored-tasks.js';
import { watchForAlarms } from './alarm-watches.js';
import { type OpenedAudio, openAudio } from './audio.js';
import { consoleFacts, openConsole } from './console.js';
import { type ConnectedEngine, openEngine } from './engine.js';
import { gatherFigures } from './figures.js';
import { operatorPolicy } from './live-limits.js';
import { type OpenedRelay, openMediaRelay, openRelayService } from './media-relay.js';
import { type PreparedAccounts, prepareAccounts } from './prepare-accounts.js';
import { openRecords } from './records.js';
import type { RunningServer } from './running-server.js';
import type { ServerContext } from './server-context.js';
import { serverIpOf } from './server-ip.js';
import { openSourceGuard } from './source-guard.js';
import { LoadMeter } from './system-info.js';
import { openTelephony, type Telephony } from './telephony.js';

const DRAIN_LOOK_MS = 100;
/** What the operator who asked for a restart still has to read. */
const RESTART_DELAY_MS = 500;

/** All parts of a server that runs, started in order by `start` and wired to one another; `parts` closes them. */
export class Server implements RunningServer {
  readonly version = packageVersion();
  readonly startedAt = systemClock.now();
  readonly failed: Promise<Error>;
  readonly restartWanted: Promise<LoadedConfig>;
  readAgain!: () => LoadedConfig;
  private wantRestart!: (loaded: LoadedConfig) => void;
  private readonly context: ServerContext;
  private readonly node: string;
  private readonly adminSocketPath: string;
  private state: SystemInfo['state'] = 'starting';
  private relay!: OpenedRelay;
  private relays!: RelayService;
  private audio!: OpenedAudio;
  private announcements!: StoredAnnouncements;
  private engine!: ConnectedEngine;
  private guard!: SourceGuard;
  private records!: JournalledRecords;
  private telephony!: Telephony;
  private dialler!: Dialler;
  private tasks!: StoredTasks;
  private console!: Console;
  private accounts: PreparedAccounts = { userCount: 0 };
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly settings: RunningSettings,
    private readonly store: Store,
    private readonly alarms: AlarmBook,
    logs: LoggerFactory,
    parts: Lifecycle,
  ) {
    const { config } = settings;
    this.restartWanted = new Promise((resolve) => {
      this.wantRestart = resolve;
    });
    let fail!: (reason: Error) => void;
    this.failed = new Promise((resolve) => {
      fail = resolve;
    });
    const serverIp = config.EXTERNAL_IP ?? serverIpOf(config);
    this.context = { config, logs, parts, serverIp, alarms, fail };
    this.node = config.NODE_NAME ?? hostname();
    this.adminSocketPath = join(config.DATA_DIR, 'ims.sock');
  }

  get facts(): RunningServer['facts'] {
    return {
      serverIp: this.context.serverIp,
      sip: this.engine.listeners,
      ...consoleFacts(this.console),
      adminSocket: this.adminSocketPath,
      relay: this.relay.name,
      store: this.store.description,
      engine: this.engine.name,
      realm: this.context.config.SIP_REALM,
      ...this.accounts,
    };
  }

  async start(): Promise<void> {
    const { context } = this;
    const { config, logs, parts } = context;
    const users = new StoredUsers({ store: this.store, realm: config.SIP_REALM });
    const numbering = new StoredNumbering({ store: this.store });
    const operators = new StoredOperators({ store: this.store, policy: operatorPolicy(config) });
    this.relay = await openMediaRelay(context);
    this.relays = await openRelayService(context, this.relay, this.store, this.node);
    this.audio = openAudio(context, this.relay.name);
    this.announcements = new StoredAnnouncements({
      store: this.store,
      sounds: this.audio.sounds,
      log: logs.for('audio'),
    });
    this.guard = await openSourceGuard(context, this.store);
    this.engine = await openEngine(config, logs, parts, this.guard);
    // Its dialogs are gone with it: a new process serves calls sooner than a repaired one.
    void this.engine.died?.then((reason) => reason && context.fail(reason));
    this.records = parts.own('records', await openRecords(context, this.store, this.node, this.engine));
    const { connection } = this.engine;
    const { store, records, relay, audio, announcements } = this;
    this.telephony = await openTelephony(context, {
      connection,
      store,
      users,
      numbering,
      records,
      relay: relay.relay,
      audio: audio.host,
      audioAddress: audio.address,
      announcements,
      guard: this.guard,
    });
    this.dialler = parts.own(
      'dialler',
      new Dialler({
        store,
        users,
        calls: this.telephony.calls,
        audio: audio.host,
        sounds: audio.sounds,
        log: logs.for('dialler'),
      }),
    );
    parts.own('alarm watches', this.watchForAlarms());
    this.tasks = new StoredTasks({
      store,
      log: logs.for('tasks'),
      alarms: this.alarms,
      node: this.node,
      server: `${hostname()}:${resolve(config.DATA_DIR)}`,
    });
    this.console = parts.own('console', await this.openConsole(users, operators, numbering));
    // Last: a made-up password must not be lost because something above failed before it could be shown.
    this.accounts = await prepareAccounts(context, users, operators);
    this.state = 'running';
  }

  stop(): Promise<void> {
    this.stopping ??= this.drainAndClose();
    return this.stopping;
  }

  reload(): void {
    this.engine.reload?.();
  }

  get drainSec(): number {
    return this.context.config.DRAIN_SEC;
  }

  /** Whether new calls are refused; a server that stops takes none again. */
  private setDraining(draining: boolean): void {
    if (this.stopping && !draining) return;
    const { calls, messages, events } = this.telephony;
    calls.setDraining(draining);
    this.dialler.setDraining(draining);
    messages.setDraining(draining);
    events.setDraining(draining);
    if (!this.stopping) this.state = draining ? 'draining' : 'running';
  }

  private async drainAndClose(): Promise<void> {
    const { config, parts } = this.context;
    const { calls } = this.telephony;
    this.state = 'draining';
    this.setDraining(true);
    this.tasks.pause();
    const until = systemClock.monotonic() + config.DRAIN_SEC * 1000;
    while (calls.count().active > 0 && systemClock.monotonic() < until) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    await parts.close();
  }

  private watchForAlarms(): ReturnType<typeof watchForAlarms> {
    const { alarms, store, engine, guard, records, telephony, context } = this;
    const { config, logs } = context;
    const [relay, calls, log] = [this.relay.relay, telephony.calls, logs.for('alarms')];
    return watchForAlarms({ alarms, config, store, engine, guard, relay, records, calls, log });
  }

  private openConsole(
    users: StoredUsers,
    operators: StoredOperators,
    numbering: StoredNumbering,
  ): Promise<Console> {
    const { context, store, settings, alarms, tasks, telephony, relays, guard, announcements } = this;
    const { dialler, audio, records, engine, relay, adminSocketPath, version } = this;
    const load = context.parts.own('load meter', new LoadMeter());
    const live = { settings, alarms, tasks, telephony, relays, guard, dialler, audio, records, engine };
    const stored = { store, users, operators, numbering, announcements };
    const figures = { engine, relay: relay.relay, audio: audio.host, calls: telephony.calls, records };
    return openConsole(context, {
      ...live,
      ...stored,
      adminSocketPath,
      version,
      control: {
        setDraining: (draining) => this.setDraining(draining),
        restart: () => void setTimeout(this.wantRestart, RESTART_DELAY_MS, this.readAgain()).unref(),
      },
      system: () => this.systemInfo(load),
      figures: () => gatherFigures(figures),
    });
  }

  private systemInfo(load: LoadMeter): SystemInfo {
    const { engine, relay, store } = this;
    return {
      product: 'ims-server',
      version: this.version,
      node: this.node,
      pid: process.pid,
      startedAt: this.startedAt,
      state: this.state,
      realm: this.context.config.SIP_REALM,
      engine: engine.name,
      engineConnected: engine.connection.connected,
      relay: relay.name,
      store: store.description,
      storeAlive: this.records.backlog().storeAlive,
      listeners: engine.listeners,
      ...load.look(),
    };
  }
}
