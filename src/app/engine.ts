import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { bracket } from '../config/describe.js';
import type { Config } from '../config/schema.js';
import type { EngineOptions, EngineStats } from '../engine/engine.js';
import { startEngineWorker } from '../engine/host.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { Logger, LoggerFactory } from '../platform/logger.js';
import type { SourceGuard } from '../security/source-guard.js';
import { connectEngine, type SignallingConnection } from '../signalling/connection.js';
import { parseEngineUrl } from '../signalling/engine-url.js';
import type { TraceService } from '../trace/types.js';
import { prepareTls } from './tls.js';

/** An engine that call control is connected to. */
export interface ConnectedEngine {
  readonly connection: SignallingConnection;
  /** For people: `embedded`, or the URL without its secret. */
  readonly name: string;
  /** Where SIP is taken: `udp:127.0.0.1:5060`. */
  readonly listeners: readonly string[];
  /** The built-in engine's end: undefined after a close, else why it died. */
  readonly died?: Promise<Error | undefined>;
  /** The built-in engine's figures. */
  readonly stats?: () => Promise<EngineStats>;
  /** The built-in engine's messages on the wire. */
  readonly traces?: TraceService;
  /** Has the built-in engine read its certificates anew. */
  readonly reload?: () => void;
}

function shown({ protocol, address, port }: { protocol: string; address: string; port: number }): string {
  return `${protocol}:${bracket(address)}:${port}`;
}

/**
 * What peers are told: what ADVERTISE says for their network, the public address outside, SERVER_IP where one is set, else
 * the address on the route to each.
 */
export function advertised(
  config: Pick<Config, 'ADVERTISE' | 'EXTERNAL_IP' | 'SERVER_IP' | 'LOCAL_NETWORK_CIDR'>,
): Pick<EngineOptions, 'advertise' | 'advertised'> {
  const { ADVERTISE: advertise, EXTERNAL_IP, SERVER_IP, LOCAL_NETWORK_CIDR: localNetworks } = config;
  if (EXTERNAL_IP !== undefined) return { advertise, advertised: { address: EXTERNAL_IP, localNetworks } };
  return { advertise, ...(SERVER_IP === undefined ? {} : { advertised: { address: SERVER_IP } }) };
}

/** How much of one source the engine takes, and when it takes no more of anyone. */
export function bounds(
  config: Pick<
    Config,
    | 'SIP_SOURCE_RATE'
    | 'SIP_SOURCE_BURST'
    | 'SIP_TRUSTED'
    | 'OVERLOAD_DELAY_MS'
    | 'OVERLOAD_WAITING'
    | 'SIP_PACE_MS'
  >,
): Pick<EngineOptions, 'admission' | 'overload' | 'paceMs'> {
  const { SIP_SOURCE_RATE: ratePerSec, SIP_SOURCE_BURST: burst, SIP_TRUSTED: trusted } = config;
  return {
    admission: { ratePerSec, burst, trusted },
    overload: { loopDelayMs: config.OVERLOAD_DELAY_MS, waitingRequests: config.OVERLOAD_WAITING },
    paceMs: config.SIP_PACE_MS,
  };
}

/** What the engine's sockets are told besides where to listen; makes a certificate where one is needed and none set. */
export function transports(
  config: Config,
  log: Logger,
): Pick<EngineOptions, 'tls' | 'origins' | 'transportLimits'> {
  return {
    ...prepareTls(config, log),
    origins: config.SIP_WS_ORIGINS,
    transportLimits: { maxConnectionsPerSource: config.SIP_SOURCE_CONNECTIONS },
  };
}

/** How the engine finds next hops. */
export function nextHopOptions(
  config: Pick<Config, 'DNS_SERVERS' | 'SIP_UDP_MAX_BYTES'>,
): Pick<EngineOptions, 'dnsServers' | 'udpMaxBytes'> {
  const { DNS_SERVERS, SIP_UDP_MAX_BYTES } = config;
  return { ...(DNS_SERVERS.length > 0 && { dnsServers: DNS_SERVERS }), udpMaxBytes: SIP_UDP_MAX_BYTES };
}

/** Where the engine keeps its dialogs, when calls go on after a restart. */
export function survival(
  config: Pick<Config, 'CALL_RESTORE_SEC' | 'DATA_DIR'>,
): Pick<EngineOptions, 'dialogJournal'> {
  const { CALL_RESTORE_SEC, DATA_DIR: directory } = config;
  return CALL_RESTORE_SEC > 0 ? { dialogJournal: { directory, maxAwayMs: CALL_RESTORE_SEC * 1000 } } : {};
}

/** What this node's call control calls itself to an engine: after a restart it gets its dialogs back by that. */
function applicationTag(node: string): string {
  return `ims-${createHash('sha256').update(node).digest('hex').slice(0, 20)}`;
}

/** Starts the built-in engine, or goes to the one that SIP_ENGINE names, and connects to it. */
export async function openEngine(
  config: Config,
  logs: LoggerFactory,
  parts: Lifecycle,
  guard: SourceGuard,
): Promise<ConnectedEngine> {
  const screen = guard.screen.bind(guard);
  const log = logs.for('signalling');
  const tags = [applicationTag(config.NODE_NAME ?? hostname())];
  if (config.SIP_ENGINE !== 'embedded') {
    const { host, port, secret, tls } = parseEngineUrl(config.SIP_ENGINE);
    const connection = parts.own(
      'signalling',
      await connectEngine({
        host,
        port,
        secret,
        log,
        tags,
        screen,
        ...(tls && { tls: { servername: host } }),
      }),
    );
    const listeners = connection.hostports.map(shown);
    return { connection, name: connection.description, listeners };
  }
  const engine = parts.own(
    'engine',
    await startEngineWorker({
      sipListen: config.SIP_LISTEN,
      ...advertised(config),
      ...bounds(config),
      ...transports(config, logs.for('engine')),
      ...nextHopOptions(config),
      ...survival(config),
      log: logs.for('engine'),
    }),
  );
  engine.onMalformed = (reports) => {
    for (const { address, isProven, count } of reports) guard.malformed(address, isProven, count);
  };
  guard.useFilter(engine);
  const connection = parts.own(
    'signalling',
    await connectEngine({
      host: '127.0.0.1',
      port: engine.adminPort,
      secret: engine.secret,
      log,
      tags,
      screen,
    }),
  );
  const listeners = engine.listeners.map(shown);
  return {
    connection,
    name: 'embedded',
    listeners,
    died: engine.ended,
    stats: () => engine.stats(),
    traces: {
      start: (filter) => engine.startCapture(filter),
      stop: () => engine.stopCapture(),
      read: () => engine.readCapture(),
    },
    reload: () => engine.reload(),
  };
}
