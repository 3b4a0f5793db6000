import type { Clock } from '../platform/clock.js';
import type { Collection, Json } from '../store/types.js';

/** How long an entry is taken as unchanged: a change made by another process is seen after this at the latest. */
const FRESH_MS = 2000;
/** Entries and free keys remembered; beyond, the one asked for longest ago is forgotten. */
const MAX_REMEMBERED = 20_000;

/** A collection whose entries every call asks for: remembered for a moment, and served as last seen when the Store is away. */
export class CachedCollection<T> {
  private readonly looks = new Map<string, { readonly value: T | undefined; readonly at: number }>();
  /** Changes made here so far; a look that began before the last one is not remembered. */
  private changes = 0;

  constructor(
    private readonly collection: Collection,
    private readonly clock: Clock,
  ) {}

  /** For calls. Rejects with StoreError when the Store is away and the key was never asked for. */
  async get(key: string): Promise<T | undefined> {
    const known = this.looks.get(key);
    const at = this.clock.monotonic();
    if (known && at - known.at < FRESH_MS) return known.value;
    const { changes } = this;
    try {
      const value = await this.read(key);
      if (changes === this.changes) this.remember(key, value, at);
      return value;
    } catch (error) {
      if (known) return known.value;
      throw error;
    }
  }

  /** As it is in the Store now. */
  async read(key: string): Promise<T | undefined> {
    return (await this.collection.get(key)) as T | undefined;
  }

  /** Resolves whether it was written, as the Store's `put`. */
  async put(key: string, value: T, mode?: 'create' | 'update'): Promise<boolean> {
    const done = await this.collection.put(key, value as unknown as Json, mode);
    this.forget(key);
    return done;
  }

  async remove(key: string): Promise<boolean> {
    const done = await this.collection.remove(key);
    this.forget(key);
    return done;
  }

  /** A page in key order. */
  async list(options: { after?: string; limit?: number } = {}): Promise<T[]> {
    const entries = await this.collection.list(options);
    return entries.map(({ value }) => value as T);
  }

  count(): Promise<number> {
    return this.collection.count();
  }

  private forget(key: string): void {
    this.changes++;
    this.looks.delete(key);
  }

  private remember(key: string, value: T | undefined, at: number): void {
    this.looks.delete(key);
    this.looks.set(key, { value, at });
    if (this.looks.size > MAX_REMEMBERED) this.looks.delete(this.looks.keys().next().value!);
  }
}
