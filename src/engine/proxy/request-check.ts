import type { SipRequest, SipResponse } from '../../sip/message.js';
import { parseDigits } from '../../sip/numbers.js';
import { createResponse } from '../../sip/response.js';
import { newTag } from '../core/request-builder.js';

/** Max-Forwards of a request that has none (RFC 3261 §16.6 item 3). */
export const DEFAULT_MAX_FORWARDS = 70;

/** Why a request must not be sent on (RFC 3261 §16.3): the response, and what an application is told. */
export interface Rejection {
  readonly response: SipResponse;
  readonly reason: string;
}

/** Checks of RFC 3261 §16.3 that the parser has not made yet, in its order; undefined when all is well. */
export function findFault(request: SipRequest, isLoop: () => boolean): Rejection | undefined {
  // Item 3
  if (maxForwardsOf(request) === 0)
    return rejection(request, 483, 'Too Many Hops', 'due to Max-Forwards value of 0');
  // Item 4
  if (isLoop()) return rejection(request, 482, 'Loop Detected');
  // Item 5
  const unsupported = request.list('proxy-require');
  if (unsupported.length > 0) {
    const fault = rejection(request, 420, 'Bad Extension');
    fault.response.append('Unsupported', unsupported.join(', '));
    return fault;
  }
  // RFC 5393 §5.3.3
  if (request.get('max-breadth')?.trim() === '0') return rejection(request, 440, 'Max-Breadth Exceeded');
  return undefined;
}

/** 0..255; a malformed one counts as 0, since it can only get worse (RFC 3261 §20.22). */
export function maxForwardsOf(request: SipRequest): number {
  const text = request.get('max-forwards');
  return text === undefined ? DEFAULT_MAX_FORWARDS : Math.min(parseDigits(text) ?? 0, 255);
}

function rejection(request: SipRequest, statusCode: number, phrase: string, why = ''): Rejection {
  return {
    response: createResponse(request, statusCode, phrase, newTag()),
    reason: `Rejected with ${statusCode} ${phrase} ${why}`.trimEnd(),
  };
}
