import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/platform/clock.js';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/types.js';

/** A real LMDB Store in a directory of its own. `close` removes both. */
export async function openTempStore(
  clock?: Clock,
): Promise<{ store: Store; directory: string; close: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'ims-temp-store-'));
  const store = await openStore('embedded:', {
    dataDir: directory,
    log: silentLogger,
    ...(clock && { clock }),
  });
  const close = async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { store, directory, close };
}
