import { computeResponse, ha1 } from './digest.js';
import { chooseChallenge, formatCredentials, parseChallenges } from './digest-headers.js';

export interface ClientCredentials {
  readonly username: string;
  readonly password: string;
}

/** A request that is to be sent again with credentials. */
export interface ChallengedRequest {
  readonly method: string;
  readonly uri: string;
  /** Random, for each answer another one. */
  readonly cnonce: string;
}

/**
 * The value of Authorization or Proxy-Authorization that answers a challenge (RFC 3261 §22.2, RFC 7616 §3.4, RFC 8760 §2.4);
 * undefined when none of `challenges`, as they stand in the response's header, can be answered.
 */
export function answerChallenge(
  challenges: readonly string[],
  { method, uri, cnonce }: ChallengedRequest,
  { username, password }: ClientCredentials,
): { readonly value: string; readonly isStale: boolean } | undefined {
  const offered = parseChallenges(challenges).filter(({ qop }) => qop === undefined || qop.includes('auth'));
  const chosen = chooseChallenge(offered);
  if (!chosen) return undefined;
  const { challenge, choice } = chosen;
  const { realm, nonce, opaque } = challenge;
  const isProtected = challenge.qop !== undefined;
  const parts = {
    nonce,
    uri,
    // RFC 7616 §3.4.2: the -sess variant needs a cnonce of its own even without qop.
    ...((isProtected || choice.isSession) && { cnonce }),
    ...(isProtected && { nc: '00000001', qop: 'auth' as const }),
  };
  const response = computeResponse({
    ...parts,
    method,
    algorithm: choice.algorithm,
    isSession: choice.isSession,
    ha1: ha1(username, realm, password, choice.algorithm),
  });
  const value = formatCredentials({
    ...parts,
    username,
    realm,
    opaque,
    algorithm: challenge.algorithm,
    response,
  });
  return { value, isStale: challenge.stale === true };
}
