import type { HeaderField, SipRequest, SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import { newTag } from '../core/request-builder.js';

/** How a branch ended without success. */
export interface Outcome {
  readonly statusCode: number;
  /** Undefined when no next hop sent one, and the status is ours (RFC 3261 §16.8, §16.9). */
  readonly response: SipResponse | undefined;
}

/** They tell the caller how to send the request again (RFC 3261 §16.7 item 6). */
const INSTRUCTIVE = new Set([401, 407, 415, 420, 484]);
/** No more than signs that a branch was given up. */
const EMPTY = new Set([408, 487]);

/**
 * The response for upstream when no branch had success (RFC 3261 §16.7 item 6): a 6xx if there is one, else of the lowest
 * class, and there first what tells the caller how to try again. `given` are in the order they came in.
 */
export function bestOutcome(given: readonly Outcome[], wasCancelled: boolean): Outcome {
  let best: Outcome = { statusCode: wasCancelled ? 487 : 408, response: undefined };
  let bestRank = Number.POSITIVE_INFINITY;
  for (const outcome of given) {
    const rank = rankOf(outcome, wasCancelled);
    if (rank < bestRank) {
      best = outcome;
      bestRank = rank;
    }
  }
  return best;
}

function rankOf({ statusCode, response }: Outcome, wasCancelled: boolean): number {
  if (statusCode >= 600) return 0;
  // The caller who gave up expects no other (RFC 3261 §9.1).
  if (wasCancelled && statusCode === 487) return response ? 1 : 2;
  const within = INSTRUCTIVE.has(statusCode) ? 0 : EMPTY.has(statusCode) ? 2 : 1;
  return Math.floor(statusCode / 100) * 10 + within * 2 + (response ? 0 : 1);
}

/** That response, our Via still on top; one of our own when no next hop sent it. */
export function toUpstream(request: SipRequest, best: Outcome, given: readonly Outcome[]): SipResponse {
  const { statusCode, response } = best;
  // RFC 3261 §16.7 item 6: a 503 would tell the caller that we are out of order.
  if (statusCode === 503) return createResponse(request, 500, undefined, newTag());
  if (!response) return createResponse(request, statusCode, undefined, newTag());
  response.removeFirst('via');
  if (statusCode === 401 || statusCode === 407) addChallenges(response, given);
  return response;
}

/** RFC 3261 §16.7 item 7: one answer of the caller has to satisfy all that asked. */
function addChallenges(response: SipResponse, given: readonly Outcome[]): void {
  for (const { response: other } of given) {
    if (!other || other === response || (other.statusCode !== 401 && other.statusCode !== 407)) continue;
    for (const field of other.headers)
      if (isChallenge(field) && !hasField(response, field)) response.headers.push(field);
  }
}

function isChallenge({ key }: HeaderField): boolean {
  return key === 'www-authenticate' || key === 'proxy-authenticate';
}

function hasField(response: SipResponse, field: HeaderField): boolean {
  return response.headers.some(({ key, value }) => key === field.key && value === field.value);
}
