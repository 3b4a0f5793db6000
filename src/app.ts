import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { importUsers } from './accounts/import-users.js';
import { StoredCommandGroups } from './accounts/stored-command-groups.js';
import { StoredOperators } from './accounts/stored-operators.js';
import { StoredUsers } from './accounts/stored-users.js';
import type { AlarmBook } from './alarms/alarm-book.js';
import { openAlarms } from './alarms/alarm-keeper.js';
import { StoredAnnouncements } from './announcements/announcements.js';
import { openWebhook, watchForAlarms } from './app/alarm-watches.js';
import { type OpenedAudio, openAudio } from './app/audio.js';
import { type ConnectedEngine, openEngine } from './app/engine.js';
import { gatherFigures } from './app/figures.js';
import { installedLicences } from './app/licences.js';
import { operatorPolicy } from './app/live-limits.js';
import { type OpenedRelay, openMediaRelay, openRelayService } from './app/media-relay.js';
import { claimDataDir } from './app/run-file.js';
import type { ServerContext } from './app/server-context.js';
import { serverIpOf } from './app/server-ip.js';
import { openSourceGuard } from './app/source-guard.js';
import { LoadMeter } from './app/system-info.js';
import { openTelephony, type Telephony } from './app/telephony.js';
import { type JournalledRecords, openRecords } from './cdr/record-service.js';
import { bracket } from './config/describe.js';
import type { LoadedConfig } from './config/load.js';
import { RunningSettings } from './config/settings.js';
import { Dialler } from './dialler/dial-service.js';
import type { RelayService } from './media/stored-relays.js';
import { type Console, startConsole } from './mml/console.js';
import type { SystemInfo } from './mml/services.js';
import { StoredNumbering } from './numbering/numbering.js';
import { systemClock } from './platform/clock.js';
import { Lifecycle } from './platform/lifecycle.js';
import { followLines } from './platform/log-follow.js';
import { clearLines, findLines } from './platform/log-lines.js';
import type { LoggerFactory, LogLevel } from './platform/logger.js';
import { packageVersion } from './platform/version.js';
import type { SourceGuard } from './security/source-guard.js';
import { GuardService } from './security/source-service.js';
import { openStore } from './store/open-store.js';
import type { Store } from './store/types.js';
import { StoredTasks } from './tasks/stored-tasks.js';

const DRAIN_LOOK_MS = 100;
/** What the operator who asked for a restart still has to read. */
const RESTART_DELAY_MS = 500;

/** A server that takes calls. */
export interface RunningServer {
  /** What a person wants to know at the start, and tools in the run file. */
  readonly facts: {
    readonly serverIp: string;
    readonly sip: readonly string[];
    readonly mml: string;
    /** Set when SSH is on. */
    readonly ssh?: { readonly address: string; readonly fingerprint: string };
    readonly adminSocket: string;
    readonly relay: string;
    readonly store: string;
    readonly engine: string;
    readonly realm: string;
    readonly userCount: number;
    /** Set once, when the operator `admin` was made with a password of ours. */
    readonly generatedPassword?: string;
  };
  /** Resolves with the reason when a part died that the server cannot go on without; never otherwise. */
  readonly failed: Promise<Error>;
  /**
   * Resolves when an operator wants the server to be stopped and started anew (RST SERVICE), with the settings to do so; never
   * otherwise.
   */
  readonly restartWanted: Promise<LoadedConfig>;
  /** How long `stop` waits for calls now, seconds. */
  readonly drainSec: number;
  /** Refuses new calls, waits up to DRAIN_SEC for those that are up, ends them, and frees everything. Idempotent. */
  stop(): Promise<void>;
  /** Reads certificates anew; connections that are up live on. */
  reload(): void;
}

/**
 * Starts every part in order and wires them; rejects with the first failure, nothing being left running then. `readAgain` is asked
 * for the settings of a restart; the operator hears what it throws, and the server goes on.
 */
export async function startServer(
  loaded: LoadedConfig,
  logs: LoggerFactory,
  readAgain = () => loaded,
): Promise<RunningServer> {
  const { DATA_DIR: dataDir, STORE_URL: storeUrl } = loaded.config;
  const claim = claimDataDir(dataDir);
  const parts = new Lifecycle(logs.for('app'));
  parts.own('run file', { close: () => Promise.resolve(claim.release()) });
  try {
    const opened = await openStore(storeUrl, { dataDir, log: logs.for('store') });
    const store = parts.own('store', opened);
    const settings = await loadSettings(loaded, store, logs);
    const node = settings.config.NODE_NAME ?? hostname();
    const alarmLog = logs.for('alarms');
    const alarms = parts.own('alarms', await openAlarms({ store, node, clock: systemClock, log: alarmLog }));
    openWebhook(settings.config, alarms, { node, parts, log: alarmLog });
    if (claim.wasLeft) alarms.raise('SERVER_CRASHED', '', 'it left its run file behind');
    const server = new Server(settings, store, alarms, logs, parts);
    server.readAgain = readAgain;
    await server.start();
    const { sip, mml, ssh, adminSocket } = server.facts;
    claim.publish({
      version: server.version,
      startedAt: server.startedAt,
      sip,
      mml,
      ...(ssh && { ssh: ssh.address }),
      adminSocket,
    });
    return server;
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** The settings with what the Store has of them; without it when the Store is away. */
async function loadSettings(
  loaded: LoadedConfig,
  store: Store,
  logs: LoggerFactory,
): Promise<RunningSettings> {
  const log = logs.for('app');
  const settings = new RunningSettings(loaded, log);
  await settings
    .load(store.collection('settings'))
    .catch((error: unknown) =>
      log.warn({ err: error }, 'the Store is away: what was set at the console is not in force'),
    );
  const applyLevel = (): void => logs.setLevel(settings.config.LOG_LEVEL);
  applyLevel();
  settings.onChange((name) => name === 'LOG_LEVEL' && applyLevel());
  return settings;
}

class Server implements RunningServer {
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
  private userCount = 0;
  private generatedPassword: string | undefined;
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
    const { ssh } = this.console;
    return {
      serverIp: this.context.serverIp,
      sip: this.engine.listeners,
      mml: this.console.addresses.map(({ host, port }) => `${bracket(host)}:${port}`).join(' '),
      ...(ssh && {
        ssh: {
          address: `${bracket(ssh.address.host)}:${ssh.address.port}`,
          fingerprint: ssh.fingerprint,
        },
      }),
      adminSocket: this.adminSocketPath,
      relay: this.relay.name,
      store: this.store.description,
      engine: this.engine.name,
      realm: this.context.config.SIP_REALM,
      userCount: this.userCount,
      ...(this.generatedPassword !== undefined && { generatedPassword: this.generatedPassword }),
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
    this.records = parts.own('records', await this.openRecords());
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
    await this.prepareAccounts(users, operators);
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

  /** A new Store gets its first operator; a Store that is away is no reason not to take calls. */
  private async prepareAccounts(users: StoredUsers, operators: StoredOperators): Promise<void> {
    const { config, logs } = this.context;
    try {
      const { generatedPassword } = await operators.ensureAdmin(config.ADMIN_PASSWORD);
      this.generatedPassword = generatedPassword;
      this.userCount = await users.count();
    } catch (error) {
      const text = 'the Store is away; starting on what is known, operators cannot log in until it is back';
      logs.for('app').warn({ err: error }, text);
    }
  }

  private watchForAlarms(): ReturnType<typeof watchForAlarms> {
    const { alarms, store, engine, records, telephony, context } = this;
    const { config, logs } = context;
    const [relay, calls, log] = [this.relay.relay, telephony.calls, logs.for('alarms')];
    return watchForAlarms({ alarms, config, store, engine, relay, records, calls, log });
  }

  private openRecords(): Promise<JournalledRecords> {
    const { config, logs, serverIp } = this.context;
    return openRecords({
      journalDir: join(config.DATA_DIR, 'journal'),
      store: this.store,
      keepLeft: config.CALL_RESTORE_SEC > 0,
      clock: systemClock,
      log: logs.for('cdr'),
      node: {
        node: this.node,
        engine: config.SIP_ENGINE === 'embedded' ? 'embedded' : 'drachtio',
        serverIp,
        serverPort: Number(this.engine.listeners[0]?.split(':').at(-1) ?? 5060),
      },
    });
  }

  private openConsole(
    users: StoredUsers,
    operators: StoredOperators,
    numbering: StoredNumbering,
  ): Promise<Console> {
    const { config, logs, parts } = this.context;
    const load = parts.own('load meter', new LoadMeter());
    return startConsole({
      services: {
        alarms: this.alarms,
        users,
        operators,
        tasks: this.tasks,
        commandGroups: new StoredCommandGroups({ store: this.store }),
        registrations: this.telephony.registrations,
        calls: this.telephony.calls,
        clicks: this.telephony.calls,
        events: this.telephony.events,
        messages: this.telephony.messages,
        numbering,
        routes: this.telephony.calls.routes,
        trunks: this.telephony.trunks.service,
        relays: this.relays,
        sources: new GuardService(this.guard),
        announcements: this.announcements,
        dialler: this.dialler,
        conferences: this.telephony.conferences,
        sounds: this.audio.sounds,
        records: this.records,
        importUsers: (rows, options) => importUsers(users, rows, options),
        removeRecordsBefore: (time) => this.store.records.removeBefore(time),
        settings: this.settings,
        control: {
          setDraining: (draining) => this.setDraining(draining),
          restart: () => void setTimeout(this.wantRestart, RESTART_DELAY_MS, this.readAgain()).unref(),
        },
        licences: installedLicences,
        logs: {
          levels: () => logs.levels(),
          setLevel: async (level, module) => {
            if (module === undefined) await this.settings.change('LOG_LEVEL', level, false);
            else logs.setLevel(level as LogLevel, module);
          },
          find: (query) => findLines(logs.ring, query),
          follow: (query, signal) => followLines(logs.ring, query, systemClock, signal),
          clear: (before) => clearLines(logs.ring, before),
        },
        ...(this.engine.traces && { traces: this.engine.traces }),
        system: () => this.systemInfo(load),
        figures: () => this.figures(),
      },
      listen: [config.MML_LISTEN],
      sshListen: config.MML_SSH_LISTEN,
      adminSocketPath: this.adminSocketPath,
      log: logs.for('mml'),
      clock: systemClock,
      product: { name: 'ims-server', version: this.version },
    });
  }

  private figures(): ReturnType<typeof gatherFigures> {
    const { engine, relay, audio, telephony, records } = this;
    return gatherFigures({ engine, relay: relay.relay, audio: audio.host, calls: telephony.calls, records });
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
