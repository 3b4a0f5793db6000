import { randomToken } from '../platform/ids.js';
import { headerList } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfResponse } from '../signalling/srf-types.js';
import { answerChallenge } from '../sip/answer-challenge.js';
import type { Trunk } from './types.js';

const CNONCE_LENGTH = 16;

/** How a trunk's 401 and 407 are answered (RFC 3261 §22.2, §22.3). Never logged. */
export function challengeAnswerer({ username, password }: Pick<Trunk, 'username' | 'password'>) {
  return (res: SrfResponse, method: string, uri: string, isAgain: boolean): OutgoingHeaders | undefined => {
    if (username === '' || password === '') return undefined;
    const isProxy = res.status === 407;
    const challenges = joinChallenges(headerList(res, isProxy ? 'proxy-authenticate' : 'www-authenticate'));
    const request = { method, uri, cnonce: randomToken(CNONCE_LENGTH) };
    const answer = answerChallenge(challenges, request, { username, password });
    // The same credentials once more would be refused once more, unless only the nonce was too old.
    if (!answer || (isAgain && !answer.isStale)) return undefined;
    return { [isProxy ? 'Proxy-Authorization' : 'Authorization']: answer.value };
  };
}

/** A challenge's parameters are divided by commas too: a new one begins with its scheme. */
function joinChallenges(parts: readonly string[]): string[] {
  const challenges: string[] = [];
  for (const part of parts) {
    if (challenges.length === 0 || /^[A-Za-z][\w-]*[ \t]+[\w*-]+[ \t]*=/.test(part)) challenges.push(part);
    else challenges[challenges.length - 1] += `, ${part}`;
  }
  return challenges;
}
