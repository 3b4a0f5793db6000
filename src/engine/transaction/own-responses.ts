import type { SipRequest, SipResponse } from '../../sip/message.js';
import { createStatelessResponse } from '../transport/stateless-response.js';
import { OVERLOAD_RETRY_AFTER_SEC } from './limits.js';

/** Too many transactions are under way, or too much else (RFC 3261 §21.5.4). */
export function overloadResponse(request: SipRequest): SipResponse {
  const response = createStatelessResponse(request, 503);
  return response.append('Retry-After', String(retryAfterSec(request.callId ?? '')));
}

/** Spread over callers, the same for a request that comes again (RFC 3261 §8.2.7). */
function retryAfterSec(callId: string): number {
  const { min, max } = OVERLOAD_RETRY_AFTER_SEC;
  let sum = 0;
  for (let i = 0; i < callId.length; i++) sum += callId.charCodeAt(i);
  return min + (sum % (max - min + 1));
}

/** The user failed on a request (RFC 3261 §21.5.1). */
export function serverErrorResponse(request: SipRequest): SipResponse {
  return createStatelessResponse(request, 500);
}
