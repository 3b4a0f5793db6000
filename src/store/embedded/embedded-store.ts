import type { Clock } from '../../platform/clock.js';
import { describeTarget, type EmbeddedTarget } from '../store-url.js';
import { COLLECTION_NAMES, type Collection, type CollectionName, type Store } from '../types.js';
import { EmbeddedBindings } from './embedded-bindings.js';
import { EmbeddedCollection } from './embedded-collection.js';
import { EmbeddedRecords } from './embedded-records.js';
import { LmdbEnvironment } from './lmdb-environment.js';

/** The Store in an LMDB directory. Several processes may have it open. */
export class EmbeddedStore implements Store {
  readonly bindings: EmbeddedBindings;
  readonly records: EmbeddedRecords;
  private readonly collections: ReadonlyMap<CollectionName, EmbeddedCollection>;

  private constructor(
    readonly description: string,
    private readonly environment: LmdbEnvironment,
    clock: Clock,
  ) {
    this.collections = new Map(
      COLLECTION_NAMES.map((name) => [name, new EmbeddedCollection(environment, name)]),
    );
    this.bindings = new EmbeddedBindings(environment, clock);
    this.records = new EmbeddedRecords(environment);
  }

  /** Opens or makes the directory. Rejects with StoreError. */
  static async open(target: EmbeddedTarget, clock: Clock): Promise<EmbeddedStore> {
    const environment = await LmdbEnvironment.open(target.directory);
    return new EmbeddedStore(describeTarget(target), environment, clock);
  }

  get alive(): boolean {
    return this.environment.availability.alive;
  }

  onAvailability(listener: (alive: boolean) => void): () => void {
    return this.environment.availability.subscribe(listener);
  }

  collection(name: CollectionName): Collection {
    return this.collections.get(name)!;
  }

  /** Writes nothing, but takes the write lock, so a stuck or full environment is seen. */
  async ping(): Promise<void> {
    await this.environment.write('ping', () => undefined);
  }

  async close(): Promise<void> {
    await this.environment.close();
  }
}
