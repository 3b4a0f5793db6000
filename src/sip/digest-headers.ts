import { type AuthValue, parseAuthValues } from './auth-params.js';
import { type AlgorithmChoice, parseAlgorithm } from './digest.js';
import { quoteString } from './quoted-string.js';

/** A Digest challenge (RFC 3261 §20.44, RFC 7616 §3.3). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string | undefined;
  /** As written; absent means MD5. */
  readonly algorithm?: string | undefined;
  /** Offered qualities of protection in lower case; absent when the challenge has no qop (RFC 2069). */
  readonly qop?: readonly string[] | undefined;
  readonly stale?: boolean | undefined;
  readonly domain?: string | undefined;
  readonly userhash?: boolean | undefined;
}

/** Digest credentials (RFC 3261 §20.7, RFC 7616 §3.4). Values unquoted. */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** As written; absent means MD5. */
  readonly algorithm?: string | undefined;
  readonly cnonce?: string | undefined;
  readonly opaque?: string | undefined;
  /** Lower case. */
  readonly qop?: string | undefined;
  /** Eight hex digits as written. */
  readonly nc?: string | undefined;
  readonly userhash?: boolean | undefined;
}

const isDigest = (value: AuthValue): boolean => value.scheme.toLowerCase() === 'digest';
const isTrue = (text: string | undefined): boolean | undefined =>
  text === undefined ? undefined : text.toLowerCase() === 'true';

function toChallenge({ params }: AuthValue): DigestChallenge | undefined {
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  if (realm === undefined || nonce === undefined) return undefined;
  const qop = params
    .get('qop')
    ?.toLowerCase()
    .split(',')
    .map((option) => option.trim())
    .filter(Boolean);
  return {
    realm,
    nonce,
    opaque: params.get('opaque'),
    algorithm: params.get('algorithm'),
    qop,
    stale: isTrue(params.get('stale')),
    domain: params.get('domain'),
    userhash: isTrue(params.get('userhash')),
  };
}

/**
 * The Digest challenges in the values of WWW-Authenticate or Proxy-Authenticate, in order: one a line or several in one
 * (RFC 8760 §2.3). Other schemes and malformed challenges are left out.
 */
export function parseChallenges(values: readonly string[]): DigestChallenge[] {
  const challenges: DigestChallenge[] = [];
  for (const value of values)
    for (const auth of parseAuthValues(value) ?? []) {
      const challenge = isDigest(auth) ? toChallenge(auth) : undefined;
      if (challenge) challenges.push(challenge);
    }
  return challenges;
}

/** The first challenge that we can answer: servers list the one they like best first (RFC 8760 §2.4). */
export function chooseChallenge(
  challenges: readonly DigestChallenge[],
): { challenge: DigestChallenge; choice: AlgorithmChoice } | undefined {
  for (const challenge of challenges) {
    const choice = parseAlgorithm(challenge.algorithm);
    const isPossible =
      challenge.qop === undefined || challenge.qop.includes('auth') || challenge.qop.includes('auth-int');
    if (choice && isPossible) return { challenge, choice };
  }
  return undefined;
}

/** `username*=UTF-8''J%C3%A4s` (RFC 5987 §3.2.1) as latin1 octets; undefined when malformed or of another charset. */
function parseExtValue(text: string): string | undefined {
  const match = /^utf-8'[^']*'((?:[^%']|%[0-9a-f]{2})*)$/i.exec(text);
  return match?.[1]?.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The name in credentials: `username` or `username*`, never both (RFC 7616 §3.4). */
function usernameOf(params: ReadonlyMap<string, string>): string | undefined {
  const plain = params.get('username');
  const extended = params.get('username*');
  if (extended === undefined) return plain;
  return plain === undefined ? parseExtValue(extended) : undefined;
}

/**
 * Parses the value of Authorization or Proxy-Authorization. Undefined when it is not Digest, lacks what every digest has,
 * or is malformed: a parameter given twice, a `nc` that is not eight hex digits, qop without nc and cnonce.
 */
export function parseCredentials(value: string): DigestCredentials | undefined {
  const values = parseAuthValues(value);
  const auth = values?.length === 1 ? values[0] : undefined;
  if (!auth || !isDigest(auth)) return undefined;
  const { params } = auth;
  const username = usernameOf(params);
  const [realm, nonce, uri, response] = ['realm', 'nonce', 'uri', 'response'].map((name) => params.get(name));
  if (username === undefined || realm === undefined || nonce === undefined) return undefined;
  if (uri === undefined || response === undefined) return undefined;
  const [qop, nc, cnonce] = [params.get('qop')?.toLowerCase(), params.get('nc'), params.get('cnonce')];
  if (nc !== undefined && !/^[0-9a-f]{8}$/i.test(nc)) return undefined;
  if (qop !== undefined && (nc === undefined || cnonce === undefined)) return undefined;
  const [algorithm, opaque] = [params.get('algorithm'), params.get('opaque')];
  const userhash = isTrue(params.get('userhash'));
  return { username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc, userhash };
}

/** Writes a challenge. Algorithm and stale are tokens, all else is quoted (RFC 3261 §25.1). */
export function formatChallenge(challenge: DigestChallenge): string {
  const parts = [`realm=${quoteString(challenge.realm)}`, `nonce=${quoteString(challenge.nonce)}`];
  if (challenge.domain !== undefined) parts.push(`domain=${quoteString(challenge.domain)}`);
  if (challenge.opaque !== undefined) parts.push(`opaque=${quoteString(challenge.opaque)}`);
  if (challenge.stale) parts.push('stale=true');
  if (challenge.algorithm !== undefined) parts.push(`algorithm=${challenge.algorithm}`);
  if (challenge.qop !== undefined) parts.push(`qop="${challenge.qop.join(',')}"`);
  if (challenge.userhash) parts.push('userhash=true');
  return `Digest ${parts.join(', ')}`;
}

/** Writes credentials; qop, nc and algorithm are tokens (RFC 3261 §25.1). */
export function formatCredentials(credentials: DigestCredentials): string {
  const { username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc } = credentials;
  const parts = [
    `username=${quoteString(username)}`,
    `realm=${quoteString(realm)}`,
    `nonce=${quoteString(nonce)}`,
    `uri=${quoteString(uri)}`,
    `response="${response}"`,
  ];
  if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`);
  if (cnonce !== undefined) parts.push(`cnonce=${quoteString(cnonce)}`);
  if (opaque !== undefined) parts.push(`opaque=${quoteString(opaque)}`);
  if (qop !== undefined) parts.push(`qop=${qop}`);
  if (nc !== undefined) parts.push(`nc=${nc}`);
  if (credentials.userhash) parts.push('userhash=true');
  return `Digest ${parts.join(', ')}`;
}
