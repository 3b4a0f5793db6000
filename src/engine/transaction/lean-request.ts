import { SipRequest } from '../../sip/message.js';

/** What a response is built from (RFC 3261 §8.2.6.2). */
const KEPT = new Set(['via', 'from', 'to', 'call-id', 'cseq']);

/**
 * What is left of a request in a transaction that only absorbs retransmissions any more: most of an engine's memory
 * would be requests whose final response was sent or taken up to 32 s ago.
 */
export function leanRequest(request: SipRequest): SipRequest {
  const lean = new SipRequest(request.method, request.requestUri);
  for (const field of request.headers) if (KEPT.has(field.key)) lean.headers.push(field);
  return lean;
}
