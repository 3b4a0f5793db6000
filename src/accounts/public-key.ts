import { createHash } from 'node:crypto';
import { AccountError } from './errors.js';

/** A public key of an operator, for SSH. */
export interface PublicKey {
  readonly type: string;
  /** As `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  readonly comment: string;
  /** `type base64 comment`, as in the file of OpenSSH. */
  readonly line: string;
}

/** Types that are taken, with the length of their keys in bytes; RSA ones differ. */
const LENGTHS: Readonly<Record<string, number | undefined>> = {
  'ssh-ed25519': 51,
  'ecdsa-sha2-nistp256': 104,
  'ecdsa-sha2-nistp384': 136,
  'ecdsa-sha2-nistp521': 172,
  'ssh-rsa': undefined,
};
/** Its modulus alone is 256 bytes. */
const MIN_RSA_BYTES = 256 + 4 + 'ssh-rsa'.length;
const MAX_BYTES = 2048;
const MAX_COMMENT = 64;

/** Reads a line of a `.pub` file of OpenSSH. Throws AccountError FIELD_INVALID for what is no key that we take. */
export function parsePublicKey(text: string): PublicKey {
  const [type = '', data = '', ...rest] = text.trim().split(/\s+/);
  if (!Object.hasOwn(LENGTHS, type))
    throw invalid(`a public key is a line that begins with one of ${Object.keys(LENGTHS).join(', ')}`);
  const bytes = Buffer.from(data, 'base64');
  const name = Buffer.from(type);
  const isWhole =
    bytes.toString('base64').replace(/=+$/, '') === data.replace(/=+$/, '') &&
    bytes.length >= (LENGTHS[type] ?? 4 + name.length) &&
    bytes.length <= (LENGTHS[type] ?? MAX_BYTES) &&
    bytes.readUInt32BE(0) === name.length &&
    bytes.subarray(4, 4 + name.length).equals(name);
  if (!isWhole) throw invalid(`this is no whole key of type ${type}`);
  if (type === 'ssh-rsa' && bytes.length < MIN_RSA_BYTES) throw invalid('RSA keys need 2048 bits');
  const comment = rest.join(' ').replace(/\p{C}/gu, '').slice(0, MAX_COMMENT);
  const hash = createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '');
  return { type, fingerprint: `SHA256:${hash}`, comment, line: `${type} ${data} ${comment}`.trim() };
}

const invalid = (message: string) => new AccountError('FIELD_INVALID', message);
