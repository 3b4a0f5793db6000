import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { SignallingError } from './errors.js';
import { handle, type SipHandler } from './handle.js';
import { type HostPort, parseHostPorts } from './hostport.js';
import {
  createSrf,
  type SrfConnectOptions,
  type SrfEngine,
  type SrfLine,
  type SrfRequest,
  type SrfResponse,
} from './srf-types.js';

/** Back-off between attempts: doubles from the first to the last value. */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 10_000;
/** TCP, TLS and the secret's answer together. */
const ATTEMPT_TIMEOUT_MS = 10_000;
/** An engine answers a ping every 15 s; one from which nothing came over three looks is gone. */
const PING_INTERVAL_MS = 15_000;
const SILENT_LOOKS_MAX = 3;
/** How long `close` waits for the engine to take what was written. */
const CLOSE_TIMEOUT_MS = 1000;

export interface EngineConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Presence means TLS. */
  readonly tls?: ConnectionOptions;
  readonly log: Logger;
  readonly clock?: Clock;
  /** How long the first connection may take, milliseconds, default 15000: an engine may be starting beside us. */
  readonly firstWaitMs?: number;
  /**
   * What we call ourselves to the engine, `[A-Za-z0-9_+@:-]{1,32}` each: the built-in one gives the dialogs of an application that
   * is gone to the next one with such a tag. Default: none.
   */
  readonly tags?: readonly string[];
  /** Looks at each request before its handler does; true when it has dealt with it. Those of calls that are up are not its business. */
  readonly screen?: (req: SrfRequest, res: SrfResponse) => boolean;
}

/** What a listener hears: `reason` says why the engine went away. */
export type EngineStateListener = (connected: boolean, reason: string | undefined) => void;

/** The line between call control and one SIP engine. It comes back by itself after the engine was away. */
export interface SignallingConnection extends Closeable {
  readonly srf: SrfEngine;
  /** True while authenticated requests flow. */
  readonly connected: boolean;
  /** The engine's listeners as peers see them, and as bound. */
  readonly hostports: readonly HostPort[];
  readonly localHostports: readonly HostPort[];
  readonly engineVersion: string;
  /** For people: `drachtio://host:port`, without the secret. */
  readonly description: string;
  /** What srf waits for, to see that nothing is forgotten: all are 0 when there is no traffic. */
  waiting(): Readonly<Record<keyof SrfLine, number>>;
  /** Routes requests of a method outside dialogs to `handler`, errors handled. At most once for a method. */
  on(method: string, handler: SipHandler): void;
  /** Calls `listener` at each change of `connected`; returns the function that ends that. */
  onStateChange(listener: EngineStateListener): () => void;
}

/**
 * Connects to an engine. Rejects with SignallingError ENGINE_SECRET_REFUSED at once, or ENGINE_UNREACHABLE after
 * `firstWaitMs`. Later losses are repaired with a bounded back-off and told to listeners. The caller closes it.
 */
export async function connectEngine(options: EngineConnectionOptions): Promise<SignallingConnection> {
  const connection = new EngineConnection(options);
  const waitMs = options.firstWaitMs ?? 15_000;
  try {
    await withDeadline(connection.start(), waitMs, 'connecting to the engine');
    return connection;
  } catch (error) {
    await connection.close();
    if (error instanceof SignallingError) throw error;
    throw new SignallingError(
      'ENGINE_UNREACHABLE',
      `no SIP engine answers at ${connection.description}: ${connection.lastError ?? 'no answer'}`,
      { cause: error },
    );
  }
}

/** srf's own reconnect stays off: it forgets TLS and its back-off starts anew at each refused secret. */
class EngineConnection implements SignallingConnection {
  readonly srf: SrfEngine;
  readonly description: string;
  connected = false;
  hostports: readonly HostPort[] = [];
  localHostports: readonly HostPort[] = [];
  engineVersion = '';
  lastError: string | undefined;

  private readonly log: Logger;
  private readonly clock: Clock;
  private readonly listeners = new Set<EngineStateListener>();
  private readonly methods = new Set<string>();
  private socket: Socket | undefined;
  /** Set between the start of an attempt and its `close`. */
  private attempting = false;
  private failures = 0;
  private silentLooks = 0;
  private bytesSeen = 0;
  private timer: TimerHandle | undefined;
  private pingTimer: TimerHandle | undefined;
  private settleStart: ((error?: SignallingError) => void) | undefined;
  private closing: Promise<void> | undefined;
  private onClosed: (() => void) | undefined;

  constructor(private readonly options: EngineConnectionOptions) {
    this.log = options.log;
    this.clock = options.clock ?? systemClock;
    this.srf = createSrf(options.tags);
    this.description = `drachtio://${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
    this.srf.on('connect', (error, hostports, version, localHostports) =>
      error ? this.onRefused() : this.onConnected(hostports, version, localHostports),
    );
    this.srf.on('error', (error) => {
      this.lastError = error.message;
    });
    this.srf.on('close', () => this.onGone());
  }

  /** Resolves when the engine took the secret, rejects when it refused it. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settleStart = (error) => {
        this.settleStart = undefined;
        if (error) reject(error);
        else resolve();
      };
      this.attempt();
    });
  }

  on(method: string, handler: SipHandler): void {
    const verb = method.toLowerCase();
    if (this.methods.has(verb)) throw new Error(`requests of method ${method} have a handler already`);
    this.methods.add(verb);
    const { screen } = this.options;
    const screened: SipHandler = (req, res) => (screen?.(req, res) ? undefined : handler(req, res));
    this.srf.use(verb, handle(screened, this.log));
  }

  waiting(): Record<keyof SrfLine, number> {
    const total = {
      pendingRequests: 0,
      pendingSipRequests: 0,
      pendingNetworkInvites: 0,
      pendingAckOrPrack: 0,
    };
    for (const line of this.srf._app?.client?.mapServer?.values() ?? [])
      for (const name of Object.keys(total) as (keyof SrfLine)[]) total[name] += line[name].size;
    return total;
  }

  onStateChange(listener: EngineStateListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private attempt(): void {
    this.attempting = true;
    const { host, port, secret, tls } = this.options;
    const settings: SrfConnectOptions = {
      host,
      port,
      secret,
      enablePing: true,
      pingInterval: PING_INTERVAL_MS,
      reconnect: { maxAttempts: 1 },
    };
    const base = tls ? connectTcp({ host, port }) : undefined;
    // srf hears of its failure from the TLS socket on top.
    base?.on('error', () => undefined);
    if (base) settings.tls = { ...(isIP(host) ? {} : { servername: host }), ...tls, socket: base };
    this.socket = base ?? captureSocket(() => this.srf.connect(settings));
    if (base) this.srf.connect(settings);
    this.timer = this.clock.setTimeout(() => {
      this.lastError = `no answer within ${ATTEMPT_TIMEOUT_MS} ms`;
      this.socket?.destroy();
    }, ATTEMPT_TIMEOUT_MS);
  }

  private onConnected(
    hostports: string | undefined,
    version: string | undefined,
    localHostports: string | undefined,
  ): void {
    if (this.closing) return;
    this.clock.clearTimeout(this.timer);
    this.hostports = parseHostPorts(hostports);
    this.localHostports = localHostports ? parseHostPorts(localHostports) : this.hostports;
    this.engineVersion = version ?? '';
    this.connected = true;
    this.failures = 0;
    this.lastError = undefined;
    this.watchForSilence();
    this.log.info({ engine: this.description, version, hostports }, 'connected to the SIP engine');
    this.settleStart?.();
    this.tell(true, undefined);
  }

  private onRefused(): void {
    const message = `the SIP engine at ${this.description} refused the secret`;
    this.lastError = message;
    this.log.error({ engine: this.description }, 'the SIP engine refused the secret');
    this.settleStart?.(new SignallingError('ENGINE_SECRET_REFUSED', message));
    // The engine closes the connection itself; this makes sure of it.
    this.socket?.destroySoon();
  }

  /** An attempt failed or a connection ended: exactly once for each attempt. */
  private onGone(): void {
    if (!this.attempting) return;
    this.attempting = false;
    this.clock.clearTimeout(this.timer);
    this.clock.clearTimeout(this.pingTimer);
    this.onClosed?.();
    if (this.closing) return;
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.failures++, 10));
    const reason = this.lastError ?? 'connection closed by the engine';
    this.log.warn(
      { engine: this.description, reason, delayMs },
      'no connection to the SIP engine, will retry',
    );
    this.timer = this.clock.setTimeout(() => this.attempt(), delayMs);
    if (!this.connected) return;
    this.connected = false;
    this.tell(false, reason);
  }

  /** Ends a connection on which pings stay unanswered: a machine that vanished sends no FIN. */
  private watchForSilence(): void {
    this.silentLooks = 0;
    const look = (): void => {
      const bytes = this.socket?.bytesRead ?? 0;
      this.silentLooks = bytes === this.bytesSeen ? this.silentLooks + 1 : 0;
      this.bytesSeen = bytes;
      if (this.socket && this.silentLooks >= SILENT_LOOKS_MAX) {
        this.lastError = 'the engine has gone silent';
        this.socket.destroy();
        return;
      }
      this.pingTimer = this.clock.setTimeout(look, PING_INTERVAL_MS);
    };
    this.pingTimer = this.clock.setTimeout(look, PING_INTERVAL_MS);
  }

  private tell(connected: boolean, reason: string | undefined): void {
    for (const listener of this.listeners) {
      try {
        listener(connected, reason);
      } catch (error) {
        this.log.error({ err: error }, 'a listener of the engine state failed');
      }
    }
  }

  private async shutDown(): Promise<void> {
    this.listeners.clear();
    this.clock.clearTimeout(this.timer);
    this.clock.clearTimeout(this.pingTimer);
    if (!this.attempting) return;
    const gone = new Promise<void>((resolve) => {
      this.onClosed = resolve;
    });
    // srf's own disconnect throws on a connection that just closed. What was written before goes out first.
    if (this.connected) this.socket?.end();
    else this.socket?.destroy();
    this.connected = false;
    await withDeadline(gone, CLOSE_TIMEOUT_MS, 'closing').catch(() => this.socket?.destroy());
  }
}

/** Runs `connect` and returns the socket it opened, so that an attempt under way can be given up. */
function captureSocket(connect: () => void): Socket | undefined {
  let socket: Socket | undefined;
  const take = (message: unknown): void => {
    socket = (message as { socket?: Socket }).socket;
  };
  subscribe('net.client.socket', take);
  try {
    connect();
  } finally {
    unsubscribe('net.client.socket', take);
  }
  return socket;
}
