import { randomToken } from '../platform/ids.js';
import { computeResponse, ha1, parseAlgorithm } from '../sip/digest.js';
import { chooseChallenge, formatCredentials, parseChallenges } from '../sip/digest-headers.js';
import type { SipRequest, SipResponse } from '../sip/message.js';

export interface PhoneCredentials {
  readonly username: string;
  readonly password: string;
  /** The only one used; by default the first offered that is known (RFC 8760 §2.4). */
  readonly algorithm?: 'SHA-256' | 'MD5';
}

/** Adds the credentials that a 401 or 407 asks for; false when the response is no challenge that can be met. */
export function answerChallenge(
  request: SipRequest,
  response: SipResponse,
  credentials: PhoneCredentials,
): boolean {
  const isProxy = response.statusCode === 407;
  if (!isProxy && response.statusCode !== 401) return false;
  const offered = parseChallenges(response.getAll(isProxy ? 'proxy-authenticate' : 'www-authenticate'));
  const wanted = credentials.algorithm;
  const chosen = chooseChallenge(
    wanted ? offered.filter(({ algorithm }) => parseAlgorithm(algorithm)?.algorithm === wanted) : offered,
  );
  if (!chosen) return false;
  const { realm, nonce, opaque } = chosen.challenge;
  const { algorithm } = chosen.choice;
  const { username, password } = credentials;
  const parts = {
    nonce,
    nc: '00000001',
    cnonce: randomToken(12),
    qop: 'auth',
    uri: request.requestUri,
  } as const;
  const secret = ha1(username, realm, password, algorithm);
  const digest = computeResponse({ ha1: secret, method: request.method, algorithm, ...parts });
  request.set(
    isProxy ? 'Proxy-Authorization' : 'Authorization',
    formatCredentials({ username, realm, opaque, algorithm, response: digest, ...parts }),
  );
  return true;
}
