import type { SipRequest, SipResponse } from '../../sip/message.js';
import { createStatelessResponse } from '../transport/stateless-response.js';
import { OVERLOAD_RETRY_AFTER_SEC } from './limits.js';

/** Too many transactions are under way (RFC 3261 §21.5.4). */
export function overloadResponse(request: SipRequest): SipResponse {
  const response = createStatelessResponse(request, 503);
  return response.append('Retry-After', String(OVERLOAD_RETRY_AFTER_SEC));
}

/** The user failed on a request (RFC 3261 §21.5.1). */
export function serverErrorResponse(request: SipRequest): SipResponse {
  return createStatelessResponse(request, 500);
}
