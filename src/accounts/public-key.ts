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
const MIN_RSA_BITS = 2048;
/** More makes each signature dear to check, for whoever asks. */
const MAX_EXPONENT_BYTES = 8;
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
  if (type === 'ssh-rsa') checkRsa(bytes.subarray(4 + name.length));
  const comment = rest.join(' ').replace(/\p{C}/gu, '').slice(0, MAX_COMMENT);
  const hash = createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '');
  return { type, fingerprint: `SHA256:${hash}`, comment, line: `${type} ${data} ${comment}`.trim() };
}

/** RFC 4253 §6.6: exponent and modulus, each a length and a positive number (an mpint), and nothing after them. */
function checkRsa(bytes: Buffer): void {
  const exponent = mpintAt(bytes, 0);
  const modulus = exponent && mpintAt(bytes, 4 + exponent.length);
  if (!modulus || 8 + exponent.length + modulus.length !== bytes.length)
    throw invalid('this is no whole key of type ssh-rsa');
  if (exponent.length > MAX_EXPONENT_BYTES) throw invalid('the exponent of this RSA key is too large');
  if (bitsOf(modulus) < MIN_RSA_BITS) throw invalid(`RSA keys need ${MIN_RSA_BITS} bits`);
}

function mpintAt(bytes: Buffer, at: number): Buffer | undefined {
  if (bytes.length < at + 4) return undefined;
  const end = at + 4 + bytes.readUInt32BE(at);
  return end > at + 4 && end <= bytes.length ? bytes.subarray(at + 4, end) : undefined;
}

function bitsOf(number: Buffer): number {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (number.length - first) * 8 - Math.clz32(number[first]!) + 24;
}

const invalid = (message: string) => new AccountError('FIELD_INVALID', message);
