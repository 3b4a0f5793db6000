import { randomToken } from '../platform/ids.js';
import { computeResponse, formatCredentials, ha1, parseChallenges } from '../sip/digest.js';
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
  const offered = response
    .getAll(isProxy ? 'proxy-authenticate' : 'www-authenticate')
    .flatMap(parseChallenges);
  const wanted = credentials.algorithm;
  const challenge = offered.find(({ algorithm }) =>
    wanted ? algorithm === wanted : algorithm === 'SHA-256' || algorithm === 'MD5',
  );
  if (!challenge) return false;
  const { realm, nonce, algorithm } = challenge;
  const uri = request.requestUri;
  const parts = {
    nonce,
    nc: '00000001',
    cnonce: randomToken(12),
    qop: 'auth',
    uri,
    method: request.method,
    algorithm,
  };
  const secret = ha1(credentials.username, realm, credentials.password, algorithm);
  request.set(
    isProxy ? 'Proxy-Authorization' : 'Authorization',
    formatCredentials({
      username: credentials.username,
      realm,
      ...parts,
      response: computeResponse({ ha1: secret, ...parts }),
    }),
  );
  return true;
}
