import { hostname } from 'node:os';
import { join } from 'node:path';
import { StoredOperators } from './accounts/stored-operators.js';
import { StoredUsers } from './accounts/stored-users.js';
import { type ConnectedEngine, openEngine } from './app/engine.js';
import { registerRecords } from './app/register-records.js';
import { startRtpProxy } from './app/rtpproxy-process.js';
import { claimDataDir } from './app/run-file.js';
import { LoadMeter } from './app/system-info.js';
import { type CallControl, createCallControl } from './call/call-control.js';
import { openRecords } from './cdr/record-service.js';
import { bracket } from './config/describe.js';
import type { Config } from './config/schema.js';
import { createMediaRelay } from './media/create.js';
import { type Console, startConsole } from './mml/console.js';
import type { SystemInfo } from './mml/services.js';
import { systemClock } from './platform/clock.js';
import { Lifecycle } from './platform/lifecycle.js';
import { detectServerIp } from './platform/local-address.js';
import type { LoggerFactory, LogLevel } from './platform/logger.js';
import { packageVersion } from './platform/version.js';
import { DEFAULT_BINDING_POLICY } from './registrar/apply-register.js';
import { createRegistrar } from './registrar/registrar.js';
import { AuthThrottle } from './security/auth-throttle.js';
import { Authenticator } from './security/authenticator.js';
import { loadNonceSecret } from './security/nonce-secret.js';
import { Nonces } from './security/nonces.js';
import { LocalNames, machineNames } from './signalling/local-names.js';
import { openStore } from './store/open-store.js';
import type { Store } from './store/types.js';

const DRAIN_LOOK_MS = 100;

/** A server that takes calls. */
export interface RunningServer {
  /** What a person wants to know at the start, and tools in the run file. */
  readonly facts: {
    readonly serverIp: string;
    readonly sip: readonly string[];
    readonly mml: string;
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
  /** Refuses new calls, waits up to DRAIN_SEC for those that are up, ends them, and frees everything. Idempotent. */
  stop(): Promise<void>;
}

/** Starts every part in order and wires them; rejects with the first failure, nothing being left running then. */
export async function startServer(config: Config, logs: LoggerFactory): Promise<RunningServer> {
  const claim = claimDataDir(config.DATA_DIR);
  const parts = new Lifecycle(logs.for('app'));
  parts.own('run file', { close: () => Promise.resolve(claim.release()) });
  try {
    const server = new Server(config, logs, parts);
    await server.start();
    const { sip, mml, adminSocket } = server.facts;
    claim.publish({
      pid: process.pid,
      version: server.version,
      startedAt: server.startedAt,
      sip,
      mml,
      adminSocket,
    });
    return server;
  } catch (error) {
    await parts.close();
    throw error;
  }
}

class Server implements RunningServer {
  readonly version = packageVersion();
  readonly startedAt = systemClock.now();
  private state: SystemInfo['state'] = 'starting';
  private readonly serverIp: string;
  private readonly node: string;
  private store!: Store;
  private engine!: ConnectedEngine;
  private calls!: CallControl;
  private console!: Console;
  private relaySetting = '';
  private userCount = 0;
  private generatedPassword: string | undefined;
  private stopping: Promise<void> | undefined;
  readonly failed: Promise<Error>;
  private fail!: (reason: Error) => void;

  constructor(
    private readonly config: Config,
    private readonly logs: LoggerFactory,
    private readonly parts: Lifecycle,
  ) {
    this.serverIp = config.EXTERNAL_IP ?? config.SERVER_IP ?? detectServerIp();
    this.node = config.NODE_NAME ?? hostname();
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  get facts(): RunningServer['facts'] {
    return {
      serverIp: this.serverIp,
      sip: this.engine.listeners,
      mml: this.console.addresses.map(({ host, port }) => `${bracket(host)}:${port}`).join(' '),
      adminSocket: this.adminSocketPath,
      relay: this.relaySetting,
      store: this.store.description,
      engine: this.engine.name,
      realm: this.config.SIP_REALM,
      userCount: this.userCount,
      ...(this.generatedPassword !== undefined && { generatedPassword: this.generatedPassword }),
    };
  }

  async start(): Promise<void> {
    const { config, logs, parts } = this;
    const clock = systemClock;
    this.store = parts.own(
      'store',
      await openStore(config.STORE_URL, { dataDir: config.DATA_DIR, log: logs.for('store') }),
    );
    const users = new StoredUsers({ store: this.store, realm: config.SIP_REALM });
    const operators = new StoredOperators({ store: this.store });
    this.relaySetting = await this.chooseRelay();
    const relay = parts.own(
      'media',
      await createMediaRelay(this.relaySetting, {
        clock,
        log: logs.for('media'),
        address: this.serverIp,
        rtpPorts: { min: config.RTP_PORTS.first, max: config.RTP_PORTS.last },
        sessionTimeoutMs: config.RTP_TIMEOUT_SEC * 1000,
      }),
    );
    this.engine = await openEngine(config, logs, parts);
    const records = parts.own('records', await this.openRecords());
    const { connection, died } = this.engine;
    // Its dialogs are gone with it: a new process serves calls sooner than a repaired one.
    void died?.then((reason) => reason && this.fail(reason));
    const names = new LocalNames([config.SIP_REALM, this.serverIp, ...config.SIP_DOMAINS, ...machineNames()]);
    names.add(...connection.hostports.map(({ address }) => address));
    const nonces = new Nonces({
      secret: await loadNonceSecret(this.store.collection('settings'), logs.for('security')),
    });
    const authenticator = new Authenticator({
      realm: config.SIP_REALM,
      users,
      names,
      nonces,
      throttle: new AuthThrottle(),
      algorithms: config.AUTH_ALGORITHMS,
      log: logs.for('security'),
    });
    const registrations = parts.own(
      'registrar',
      createRegistrar({
        connection,
        authenticator,
        bindings: this.store.bindings,
        realm: config.SIP_REALM,
        names,
        policy: {
          ...DEFAULT_BINDING_POLICY,
          expiry: { minSec: config.REG_MIN_SEC, maxSec: config.REG_MAX_SEC, defaultSec: config.REG_MAX_SEC },
          maxContacts: config.MAX_CONTACTS,
        },
        observer: registerRecords(records, config.SIP_REALM),
        log: logs.for('registrar'),
      }),
    );
    this.calls = parts.own(
      'calls',
      createCallControl({
        connection,
        authenticator,
        users,
        registrations,
        relay,
        records,
        names,
        limits: { maxCalls: config.MAX_CALLS, noAnswerMs: config.NO_ANSWER_SEC * 1000 },
        log: logs.for('call'),
      }),
    );
    const load = parts.own('load meter', new LoadMeter());
    this.console = parts.own(
      'console',
      await startConsole({
        services: {
          users,
          operators,
          registrations,
          calls: this.calls,
          records,
          logs: {
            levels: () => logs.levels(),
            setLevel: (level, module) => logs.setLevel(level as LogLevel, module),
          },
          system: () => this.systemInfo(load, records.backlog().storeAlive),
        },
        listen: [config.MML_LISTEN],
        adminSocketPath: this.adminSocketPath,
        log: logs.for('mml'),
        clock,
        product: { name: 'ims-server', version: this.version },
      }),
    );
    // Last: a made-up password must not be lost because something above failed before it could be shown.
    await this.prepareAccounts(users, operators);
    this.state = 'running';
  }

  stop(): Promise<void> {
    this.stopping ??= this.drainAndClose();
    return this.stopping;
  }

  private get adminSocketPath(): string {
    return join(this.config.DATA_DIR, 'ims.sock');
  }

  private async drainAndClose(): Promise<void> {
    this.state = 'draining';
    this.calls.setDraining(true);
    const until = systemClock.monotonic() + this.config.DRAIN_SEC * 1000;
    while (this.calls.count().active > 0 && systemClock.monotonic() < until) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    await this.parts.close();
  }

  /** The relay that MEDIA_RELAY names; with RTPPROXY_AUTO_START an rtpproxy of ours takes the built-in one's place. */
  private async chooseRelay(): Promise<string> {
    const { MEDIA_RELAY, RTPPROXY_AUTO_START, RTP_PORTS, RTP_TIMEOUT_SEC } = this.config;
    if (!RTPPROXY_AUTO_START || MEDIA_RELAY !== 'embedded') return MEDIA_RELAY;
    const rtpproxy = this.parts.own(
      'rtpproxy',
      await startRtpProxy({
        address: this.config.SERVER_IP ?? detectServerIp(),
        ports: RTP_PORTS,
        timeoutSec: RTP_TIMEOUT_SEC,
        log: this.logs.for('media'),
      }),
    );
    void rtpproxy.died.then((reason) => reason && this.fail(reason));
    return rtpproxy.url;
  }

  /** A new Store gets its first operator; a Store that is away is no reason not to take calls. */
  private async prepareAccounts(users: StoredUsers, operators: StoredOperators): Promise<void> {
    try {
      const { generatedPassword } = await operators.ensureAdmin(this.config.ADMIN_PASSWORD);
      this.generatedPassword = generatedPassword;
      this.userCount = await users.count();
    } catch (error) {
      this.logs
        .for('app')
        .warn(
          { err: error },
          'the Store is away; starting on what is known, operators cannot log in until it is back',
        );
    }
  }

  private openRecords() {
    return openRecords({
      journalDir: join(this.config.DATA_DIR, 'journal'),
      store: this.store,
      clock: systemClock,
      log: this.logs.for('cdr'),
      node: {
        node: this.node,
        engine: this.config.SIP_ENGINE === 'embedded' ? 'embedded' : 'drachtio',
        serverIp: this.serverIp,
        serverPort: Number(this.engine.listeners[0]?.split(':').at(-1) ?? 5060),
      },
    });
  }

  private systemInfo(load: LoadMeter, storeAlive: boolean): SystemInfo {
    return {
      product: 'ims-server',
      version: this.version,
      node: this.node,
      pid: process.pid,
      startedAt: this.startedAt,
      state: this.state,
      realm: this.config.SIP_REALM,
      engine: this.engine.name,
      engineConnected: this.engine.connection.connected,
      relay: this.relaySetting,
      store: this.store.description,
      storeAlive,
      listeners: this.engine.listeners,
      ...load.look(),
    };
  }
}
