import { type SipRequest, SipResponse } from './message.js';
import { reasonPhrase } from './reason-phrases.js';

/** What a response takes over from its request, unchanged and in this order (RFC 3261 §8.2.6.2). */
const COPIED = ['via', 'from', 'to', 'call-id', 'cseq'];

function copyFields(request: SipRequest, response: SipResponse, key: string): void {
  for (const field of request.headers) {
    if (field.key !== key) continue;
    response.headers.push(field);
    // A malformed request may have several From; only Via is a list.
    if (key !== 'via') return;
  }
}

/** A malformed request may lack To. */
function addToTag(response: SipResponse, toTag: string): void {
  const to = response.get('to');
  if (to) response.set('To', `${to};tag=${toTag}`);
}

/**
 * Builds a response with the request's Via list, From, To, Call-ID and CSeq (RFC 3261 §8.2.6). `toTag` is added to a To
 * that has none, but not in a 100; the same request always has to get the same tag. A 100 takes over Timestamp
 * (RFC 3261 §8.2.6.1). Record-Route and all else is the caller's. The phrase defaults to the registered one.
 */
export function createResponse(
  request: SipRequest,
  statusCode: number,
  phrase?: string,
  toTag?: string,
): SipResponse {
  const response = new SipResponse(statusCode, phrase ?? reasonPhrase(statusCode));
  for (const key of COPIED) copyFields(request, response, key);
  if (statusCode === 100) copyFields(request, response, 'timestamp');
  else if (toTag !== undefined && request.toTag === undefined) addToTag(response, toTag);
  return response;
}
