import { randomBytes } from 'node:crypto';
import { withDeadline } from '../platform/deadline.js';
import type { Logger } from '../platform/logger.js';
import type { Collection } from '../store/types.js';

/** Key in the `settings` collection. Consoles hide keys that begin with `secret.`. */
export const NONCE_SECRET_KEY = 'secret.nonce';

const SECRET_BYTES = 32;
const STORE_WAIT_MS = 2000;

/**
 * The secret that nonces are made with: one for each Store, so that several processes on one Store take each other's
 * nonces. Made at first use; this process's own when the Store is away.
 */
export async function loadNonceSecret(settings: Collection, log: Logger): Promise<Buffer> {
  const fresh = randomBytes(SECRET_BYTES);
  try {
    return await withDeadline(shareSecret(settings, fresh), STORE_WAIT_MS, 'reading the nonce secret');
  } catch (error) {
    log.warn({ err: error }, 'no nonce secret from the Store; using one of this process');
    return fresh;
  }
}

async function shareSecret(settings: Collection, fresh: Buffer): Promise<Buffer> {
  await settings.put(NONCE_SECRET_KEY, fresh.toString('hex'), 'create');
  const stored = await settings.get(NONCE_SECRET_KEY);
  const secret = typeof stored === 'string' ? Buffer.from(stored, 'hex') : fresh;
  return secret.length === SECRET_BYTES ? secret : fresh;
}
