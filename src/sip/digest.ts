import { createHash, timingSafeEqual } from 'node:crypto';

/** Hash of a digest (RFC 7616 §6.1, RFC 8760 §2.1), in the RFC's spelling. */
export type DigestAlgorithm = 'MD5' | 'SHA-256' | 'SHA-512-256';

/** All of them, the best first: the order to offer them in (RFC 8760 §2.3). */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = ['SHA-512-256', 'SHA-256', 'MD5'];

const OPENSSL_NAMES: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
};

/** An `algorithm` value taken apart. */
export interface AlgorithmChoice {
  readonly algorithm: DigestAlgorithm;
  /** The `-sess` variant (RFC 7616 §3.4.2). */
  readonly isSession: boolean;
}

/** Reads an algorithm name without regard to case; absent means MD5. Undefined when unknown (RFC 8760 §2.2). */
export function parseAlgorithm(text: string | undefined): AlgorithmChoice | undefined {
  const upper = (text ?? 'MD5').toUpperCase();
  const isSession = upper.endsWith('-SESS');
  const name = isSession ? upper.slice(0, -'-SESS'.length) : upper;
  const algorithm = DIGEST_ALGORITHMS.find((known) => known === name);
  return algorithm && { algorithm, isSession };
}

/** Hash of latin1 text or octets, in lower-case hex. */
function hash(algorithm: DigestAlgorithm, data: string | Buffer): string {
  const digest = createHash(OPENSSL_NAMES[algorithm]);
  return (typeof data === 'string' ? digest.update(data, 'latin1') : digest.update(data)).digest('hex');
}

/**
 * H(username:realm:password) (RFC 7616 §3.4.2): what a server stores in place of a password. A secret.
 * Text that came from a message is latin1 octets; `encoding` says whether these strings are that or ordinary text,
 * which is hashed as UTF-8 (RFC 7616 §4).
 */
export function ha1(
  username: string,
  realm: string,
  password: string,
  algorithm: DigestAlgorithm = 'MD5',
  encoding: 'utf8' | 'latin1' = 'utf8',
): string {
  return hash(algorithm, Buffer.from(`${username}:${realm}:${password}`, encoding));
}

/** H(username:realm): how a client hides its name with userhash=true (RFC 7616 §3.4.4). */
export function userHash(username: string, realm: string, algorithm: DigestAlgorithm): string {
  return hash(algorithm, Buffer.from(`${username}:${realm}`, 'utf8'));
}

/** What a digest response is computed from (RFC 7616 §3.4.1). Strings from messages are latin1 octets, unquoted. */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  /** -sess: the HA1 is bound to nonce and cnonce. Default false. */
  readonly isSession?: boolean;
  /** H(username:realm:password) in hex. */
  readonly ha1: string;
  readonly method: string;
  /** The `uri` parameter as sent, which need not be the Request-URI (RFC 3261 §22.4 item 5). */
  readonly uri: string;
  readonly nonce: string;
  /** Eight hex digits; with qop only. */
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
  /** Absent for the RFC 2069 form, which RFC 3261 §22.4 item 8 still allows. */
  readonly qop?: 'auth' | 'auth-int' | undefined;
  /** For auth-int; default empty. */
  readonly body?: Buffer | undefined;
}

function sessionHa1(input: DigestInput): string {
  const bare = input.ha1.toLowerCase();
  return input.isSession ? hash(input.algorithm, `${bare}:${input.nonce}:${input.cnonce ?? ''}`) : bare;
}

/** Computes the `response` value in lower-case hex (RFC 7616 §3.4.1, RFC 3261 §22.4). */
export function computeResponse(input: DigestInput): string {
  const { algorithm, method, uri, nonce, nc, cnonce, qop } = input;
  // RFC 3261 §22.4 item 9: the hash of an empty body is that of the empty string.
  const a2 =
    qop === 'auth-int'
      ? `${method}:${uri}:${hash(algorithm, input.body ?? Buffer.alloc(0))}`
      : `${method}:${uri}`;
  const protection = qop === undefined ? '' : `:${nc ?? ''}:${cnonce ?? ''}:${qop}`;
  return hash(algorithm, `${sessionHa1(input)}:${nonce}${protection}:${hash(algorithm, a2)}`);
}

/** Compares two hex digests in constant time, letters without regard to case. */
export function digestsEqual(a: string, b: string): boolean {
  const left = Buffer.from(a.toLowerCase(), 'latin1');
  const right = Buffer.from(b.toLowerCase(), 'latin1');
  return left.length === right.length && timingSafeEqual(left, right);
}
