import ssh2, { type PublicKeyAuthContext } from 'ssh2';
import type { OperatorView } from '../../accounts/types.js';

/**
 * Whether a key that a client shows is one of the operator's; with a signature also whether that is right (RFC 4252 §7).
 * Signatures by SHA-1 are not taken.
 */
export function isKeyOf(operator: OperatorView | undefined, context: PublicKeyAuthContext): boolean {
  const { key, signature, blob, hashAlgo } = context;
  const shown = key.data.toString('base64');
  const line = operator?.keys?.find(
    (one) => one.split(' ')[1]?.replace(/=+$/, '') === shown.replace(/=+$/, ''),
  );
  if (line === undefined || (key.algo === 'ssh-rsa' && hashAlgo === undefined)) return false;
  if (signature === undefined) return true;
  const parsed = ssh2.utils.parseKey(line);
  const own = Array.isArray(parsed) ? parsed[0] : parsed;
  if (own === undefined || own instanceof Error || blob === undefined) return false;
  return own.verify(blob, signature, hashAlgo) === true;
}
