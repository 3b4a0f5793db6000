import type { Config } from '../config/schema.js';
import { silentLogger } from '../platform/logger.js';
import { openStore } from '../store/open-store.js';
import type { Store } from '../store/types.js';

/** Opens the Store that a server with these settings uses, lends it, and closes it. A running server is not disturbed. */
export async function withStore<T>(config: Config, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(config.STORE_URL, { dataDir: config.DATA_DIR, log: silentLogger });
  try {
    await store.ping();
    return await use(store);
  } finally {
    await store.close();
  }
}
