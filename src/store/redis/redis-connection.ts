import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { withDeadline } from '../../platform/deadline.js';
import { ClosedError, errorMessage } from '../../platform/errors.js';
import type { Logger } from '../../platform/logger.js';
import { Availability } from '../availability.js';
import { StoreError, unavailable } from '../errors.js';
import { describeTarget, type RedisTarget } from '../store-url.js';
import type { Script } from './script.js';

/** Version of the key layout (docs/store.md), kept at `ims:schema`; another one is refused. */
const SCHEMA_VERSION = '1';
/** A command without an answer for this long has failed and the connection is made anew. Milliseconds. */
const COMMAND_TIMEOUT_MS = 2000;
const CONNECT_TIMEOUT_MS = 2000;
/** Back-off between attempts to connect: doubles from the first to the last. Milliseconds. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3000;

/** Redis was reached and refuses for good or for now: nothing was written. */
const REFUSALS = /^(READONLY|LOADING|OOM|MISCONF|NOAUTH|WRONGPASS|NOPERM|MASTERDOWN|NOREPLICAS)\b/;

/**
 * One connection to Redis with every call bounded in time. While Redis is away calls reject at once with
 * StoreError (STORE_UNAVAILABLE); the connection is retried with back-off until closed.
 */
export class RedisConnection {
  readonly availability = new Availability(false);
  private readonly redis: Redis;
  private schemaFault: StoreError | undefined;
  private lastFault = 'not connected yet';
  private schemaCheck: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    private readonly target: RedisTarget,
    private readonly log: Logger,
  ) {
    this.redis = new Redis(toOptions(target));
    this.redis.on('error', (error) => this.noteFault(error));
    this.redis.on('ready', () => {
      this.schemaCheck = this.checkSchema();
    });
    this.redis.on('close', () => this.setAlive(false));
  }

  /**
   * Connects. Resolves when Redis answers or when it is clear that it does not for now; rejects with StoreError
   * (STORE_SCHEMA_UNKNOWN) when its data belongs to another version.
   */
  async start(): Promise<void> {
    const connected = this.redis.connect().then(() => this.schemaCheck);
    await withDeadline(connected, CONNECT_TIMEOUT_MS + COMMAND_TIMEOUT_MS, 'connect').catch(() => undefined);
    if (this.schemaFault) throw this.schemaFault;
    if (!this.availability.alive)
      this.log.warn({ store: describeTarget(this.target), fault: this.lastFault }, 'store is away');
  }

  /** Runs one command. */
  async call(command: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    return await this.bounded(command, () => this.redis.call(command, ...args));
  }

  /** Runs one command; bulk strings arrive as bytes. */
  async callBuffer(command: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    return await this.bounded(command, () => this.redis.callBuffer(command, ...args));
  }

  /** Runs a script as one step, by its hash when Redis knows it. */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    return await this.bounded(script.name, async () => {
      try {
        return await this.redis.call('EVALSHA', script.sha1, ...rest);
      } catch (error) {
        if (!errorMessage(error).startsWith('NOSCRIPT')) throw error;
        return await this.redis.call('EVAL', script.source, ...rest);
      }
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.redis.status === 'ready')
      await withDeadline(this.redis.quit(), COMMAND_TIMEOUT_MS, 'quit').catch(() => undefined);
    this.redis.disconnect();
    this.availability.set(false);
  }

  private async bounded<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw new ClosedError('store');
    if (this.schemaFault) throw this.schemaFault;
    if (!this.availability.alive) throw unavailable(what, this.lastFault);
    try {
      return await work();
    } catch (error) {
      this.noteFailure(error);
      throw unavailable(what, error);
    }
  }

  /** A command without an answer means a connection that nobody listens to: it is dropped, and made anew. */
  private noteFailure(error: unknown): void {
    const message = errorMessage(error);
    if (message !== 'Command timed out') return;
    this.lastFault = message;
    this.setAlive(false);
    if (this.redis.status === 'ready') this.redis.disconnect(true);
  }

  private noteFault(error: unknown): void {
    this.lastFault = errorMessage(error);
    this.log.debug({ fault: this.lastFault }, 'store connection failed');
  }

  private setAlive(alive: boolean): void {
    if (alive === this.availability.alive || (alive && this.isClosed)) return;
    const facts = { store: describeTarget(this.target) };
    if (alive) this.log.info(facts, 'store answers');
    else if (!this.isClosed) this.log.warn({ ...facts, fault: this.lastFault }, 'store is away');
    this.availability.set(alive);
  }

  /** On each new connection: the database may be another one than before. */
  private async checkSchema(): Promise<void> {
    try {
      await this.redis.call('SET', 'ims:schema', SCHEMA_VERSION, 'NX').catch((error: unknown) => {
        if (!REFUSALS.test(errorMessage(error))) throw error;
      });
      const found = await this.redis.call('GET', 'ims:schema');
      this.schemaFault =
        found === SCHEMA_VERSION || found === null ? undefined : schemaFault(this.target, String(found));
      this.setAlive(this.schemaFault === undefined);
    } catch (error) {
      this.noteFault(error);
      this.redis.disconnect(true);
    }
  }
}

function schemaFault(target: RedisTarget, found: string): StoreError {
  const where = describeTarget(target);
  const message = `${where} has schema ${found.slice(0, 20)}, this version knows ${SCHEMA_VERSION}`;
  return new StoreError('STORE_SCHEMA_UNKNOWN', message);
}

function toOptions(target: RedisTarget): RedisOptions & { replyMapping: 'legacy' } {
  const login = {
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
  };
  const tls = target.tls && {
    tls: { ...(target.caFile !== undefined && { ca: readAuthority(target.caFile) }) },
  };
  const place =
    target.sentinelMaster === undefined
      ? target.hosts[0]!
      : { sentinels: [...target.hosts], name: target.sentinelMaster };
  return {
    ...place,
    ...login,
    ...tls,
    db: target.database,
    protocol: 2,
    replyMapping: 'legacy',
    lazyConnect: true,
    disableClientInfo: true,
    // Nothing waits for a Redis that is away, and nothing is sent twice behind our back.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: backOffMs,
    sentinelRetryStrategy: backOffMs,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    // After a failover the old master may live on as a replica.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** Doubles up to LAST_RETRY_MS, with a fifth of jitter so that nodes do not come all at once. */
function backOffMs(attempt: number): number {
  const delayMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(delayMs * (0.8 + 0.2 * Math.random()));
}

function readAuthority(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StoreError('STORE_URL_INVALID', `STORE_URL: ca cannot be read: ${errorMessage(error)}`);
  }
}
