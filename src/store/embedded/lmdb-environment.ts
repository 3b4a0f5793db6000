import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { withDeadline } from '../../platform/deadline.js';
import { ClosedError } from '../../platform/errors.js';
import { Availability } from '../availability.js';
import { StoreError, unavailable } from '../errors.js';

/** Version of the layout below the directory; another one is refused, never guessed at. */
const SCHEMA_VERSION = 1;
/** Another process may hold the write lock; a write that waits longer than this has failed. Milliseconds. */
const WRITE_TIMEOUT_MS = 5000;
const MAX_DATABASES = 32;

/** A database within the environment: keys are plain bytes in byte order, values are JSON. */
export type Table<V> = Database<V, Buffer>;

/**
 * One LMDB environment: a directory that several processes may open at once. Reads come from a memory map and take
 * microseconds; writes are gathered into transactions by a thread of LMDB's own.
 */
export class LmdbEnvironment {
  /** Whether the last write went through. */
  readonly availability = new Availability(true);
  private readonly pending = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;

  private constructor(private readonly root: RootDatabase<unknown, Buffer>) {}

  /** Opens or makes the environment. Throws StoreError when it cannot be opened or has another schema. */
  static async open(directory: string): Promise<LmdbEnvironment> {
    const environment = new LmdbEnvironment(openRoot(directory));
    try {
      await environment.checkSchema(directory);
    } catch (error) {
      await environment.close();
      throw error;
    }
    return environment;
  }

  /** Opens a database by name. */
  table<V>(name: string): Table<V> {
    return this.root.openDB<V, Buffer>({ name, encoding: 'json', keyEncoding: 'binary' });
  }

  /** Runs `action` as one write transaction, alone among all processes; resolves what it returned once committed. */
  async write<T>(what: string, action: () => T): Promise<T> {
    if (this.closing) throw new ClosedError('store');
    const work = this.root.transaction(action);
    this.pending.add(work);
    const forget = (error?: unknown) => {
      this.pending.delete(work);
      silence((error as { commitError?: unknown } | undefined)?.commitError);
    };
    work.then(() => forget(), forget);
    try {
      const result = await withDeadline(work, WRITE_TIMEOUT_MS, what);
      this.availability.set(true);
      return result;
    } catch (error) {
      this.availability.set(false);
      throw error instanceof StoreError ? error : unavailable(what, error);
    }
  }

  /** Runs a read and turns its failure into a StoreError. */
  read<T>(what: string, action: () => T): T {
    if (this.closing) throw new ClosedError('store');
    try {
      return action();
    } catch (error) {
      throw error instanceof StoreError ? error : unavailable(what, error);
    }
  }

  /** Resolves when all that was committed so far has reached the disk. */
  async flushed(): Promise<void> {
    try {
      await withDeadline(Promise.resolve(this.root.flushed), WRITE_TIMEOUT_MS, 'flush');
    } catch (error) {
      throw unavailable('flush', error);
    }
  }

  /** Waits for writes under way, then closes. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.closeRoot();
    return this.closing;
  }

  private async closeRoot(): Promise<void> {
    await Promise.allSettled(this.pending);
    await this.root.flushed;
    await this.root.close();
  }

  private async checkSchema(directory: string): Promise<void> {
    const meta = this.table<number>('ims:meta');
    const key = Buffer.from('schema');
    const found = await this.write('schema check', () => {
      const version = meta.get(key);
      if (version === undefined) void meta.put(key, SCHEMA_VERSION);
      return version ?? SCHEMA_VERSION;
    });
    if (found !== SCHEMA_VERSION)
      throw new StoreError(
        'STORE_SCHEMA_UNKNOWN',
        `${directory} has schema ${found}, this version knows ${SCHEMA_VERSION}`,
      );
  }
}

/** The reason of a failed commit is a rejected promise of its own, which ends the process when nobody takes it. */
function silence(promise: unknown): void {
  Promise.resolve(promise).catch(() => undefined);
}

function openRoot(directory: string): RootDatabase<unknown, Buffer> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return open({
      path: directory,
      noSubdir: false,
      maxDbs: MAX_DATABASES,
      keyEncoding: 'binary',
      // With it a write that fails leaves a rejected promise that nobody can take. Transactions are gathered without it too.
      eventTurnBatching: false,
    });
  } catch (error) {
    throw unavailable(`open of ${directory}`, error);
  }
}
