import { type Clock, systemClock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { parseStoreUrl } from './store-url.js';
import type { Store } from './types.js';

export interface StoreOptions {
  /** Holds `store/` when the URL is `embedded:` alone. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

/**
 * Opens the Store that `url` names (docs/store.md). A Redis that is away does not stop the start: the Store then
 * resolves with `alive` false and goes on trying. Rejects with StoreError: STORE_URL_INVALID, STORE_SCHEMA_UNKNOWN, or
 * STORE_UNAVAILABLE when the embedded directory cannot be opened.
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  const target = parseStoreUrl(url, options.dataDir);
  const clock = options.clock ?? systemClock;
  // Only what is used is loaded: the `ims` command opens a Store for a moment, too.
  if (target.kind === 'embedded') {
    const { EmbeddedStore } = await import('./embedded/embedded-store.js');
    return EmbeddedStore.open(target, clock);
  }
  const { RedisStore } = await import('./redis/redis-store.js');
  return RedisStore.open(target, clock, options.log);
}
