import type { SipParseError } from '../../sip/errors.js';
import { serialize } from '../../sip/serialize.js';
import type { Source } from '../types.js';
import { isFrom } from './message-gate.js';
import { createStatelessResponse } from './stateless-response.js';
import { markSource } from './via-source.js';

/**
 * The response to a request that cannot be parsed, written without a transaction (RFC 3261 §8.2.7, §18.3, §21.4.1);
 * undefined when silence is due: for responses, for ACK, and when its Via says not where to.
 */
export function parseFailureResponse(error: SipParseError, source: Source): Buffer | undefined {
  const { request } = error;
  if (!request || error.isResponse) return undefined;
  // RFC 3261 §17.1.1.3: an ACK is never answered.
  if (request.method === 'ACK') return undefined;
  const { topVia } = request;
  if (!topVia || !isFrom(topVia, source)) return undefined;
  markSource(request, topVia, source);
  return serialize(createStatelessResponse(request, error.statusCode, error.reasonPhrase));
}
