import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { describeTarget, type RedisTarget } from '../store-url.js';
import type { Collection, CollectionName, Store } from '../types.js';
import { RedisBindings } from './redis-bindings.js';
import { RedisCollection } from './redis-collection.js';
import { RedisConnection } from './redis-connection.js';
import { RedisRecords } from './redis-records.js';

/** The Store in a Redis (6 or later), by the key layout of docs/store.md. Several nodes may share one. */
export class RedisStore implements Store {
  readonly bindings: RedisBindings;
  readonly records: RedisRecords;
  private readonly collections = new Map<CollectionName, RedisCollection>();

  private constructor(
    readonly description: string,
    private readonly connection: RedisConnection,
    clock: Clock,
  ) {
    this.bindings = new RedisBindings(connection, clock);
    this.records = new RedisRecords(connection);
  }

  /** Connects; resolves with `alive` false when Redis is away. Rejects with StoreError on a foreign schema. */
  static async open(target: RedisTarget, clock: Clock, log: Logger): Promise<RedisStore> {
    const connection = new RedisConnection(target, log);
    try {
      await connection.start();
    } catch (error) {
      await connection.close();
      throw error;
    }
    return new RedisStore(describeTarget(target), connection, clock);
  }

  get alive(): boolean {
    return this.connection.availability.alive;
  }

  onAvailability(listener: (alive: boolean) => void): () => void {
    return this.connection.availability.subscribe(listener);
  }

  collection(name: CollectionName): Collection {
    let collection = this.collections.get(name);
    if (!collection) {
      collection = new RedisCollection(this.connection, name);
      this.collections.set(name, collection);
    }
    return collection;
  }

  async ping(): Promise<void> {
    await this.connection.call('PING');
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
