import { createHash } from 'node:crypto';
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import type { Logger } from '../../platform/logger.js';
import { ConsoleStartError } from '../errors.js';

export interface HostKey {
  /** In the format of OpenSSH. */
  readonly privateKey: string;
  /** `SHA256:…`, as `ssh` shows it and `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
}

/** The generator of ssh2 drops leading zeros of a key now and then; such a key cannot be read again. */
const MAX_TRIES = 20;

/**
 * The ed25519 key that this server proves itself with; made at the first call, mode 0600. A file that is there and cannot
 * be used is never replaced, as clients would take the new key for an attack: rejects with ConsoleStartError then.
 */
export async function loadHostKey(path: string, log: Logger): Promise<HostKey> {
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ConsoleStartError(`SSH host key ${path}: ${error.message}`, error);
  });
  if (found === undefined) return makeHostKey(path);
  const fingerprint = fingerprintOf(found);
  if (fingerprint === undefined) {
    throw new ConsoleStartError(
      `SSH host key ${path} is no ed25519 key without passphrase. Put the right file back, or remove it to have a new one made`,
    );
  }
  if (((await stat(path)).mode & 0o077) !== 0) {
    log.warn({ path }, 'SSH host key could be read by others, made private again');
    await chmod(path, 0o600);
  }
  return { privateKey: found, fingerprint };
}

async function makeHostKey(path: string): Promise<HostKey> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const privateKey = ssh2.utils.generateKeyPairSync('ed25519').private;
    const fingerprint = fingerprintOf(privateKey);
    if (fingerprint === undefined) continue;
    try {
      // Under its name there is never half a key.
      await writeFile(`${path}.new`, privateKey, { mode: 0o600 });
      await rename(`${path}.new`, path);
    } catch (error) {
      throw new ConsoleStartError(`SSH host key ${path}: ${(error as Error).message}`, error);
    }
    return { privateKey, fingerprint };
  }
  throw new ConsoleStartError(`SSH host key ${path}: none could be made`);
}

/** Fingerprint of a private key; undefined when it is not one that we can use. */
function fingerprintOf(privateKey: string): string | undefined {
  const parsed = ssh2.utils.parseKey(privateKey);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error || key.type !== 'ssh-ed25519' || !key.isPrivateKey())
    return undefined;
  const hash = createHash('sha256').update(key.getPublicSSH()).digest('base64').replace(/=+$/, '');
  return `SHA256:${hash}`;
}
