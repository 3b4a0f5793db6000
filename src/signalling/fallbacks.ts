import { hasToTag, headerList } from './request.js';
import { respondOnly } from './respond.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';

/** Allow for requests outside dialogs: what this server acts on (RFC 3261 §20.5). */
export const ALLOW =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, INFO, MESSAGE, REFER, SUBSCRIBE, PUBLISH';

/** Event packages of this server (RFC 6665 §8.2.2). */
const ALLOW_EVENTS = 'message-summary, dialog, presence';

/** Methods that act outside dialogs too, for when nobody takes them; all others there belong to a dialog that is over. */
const NOT_TAKEN: readonly string[] = ['MESSAGE', 'SUBSCRIBE', 'PUBLISH'];

/**
 * The final answer for a request that nobody takes: OPTIONS 200 with what we can do (RFC 3261 §11.2), requests of a dialog
 * that is over 481 (RFC 3261 §12.2.2), other methods 405 with Allow (RFC 3261 §8.2.1). An ACK gets none (RFC 3261 §17).
 */
export function answerStray(req: SrfRequest, res: SrfResponse, supported: readonly string[] = []): void {
  const { method } = req;
  if (method === 'ACK') return;
  if (hasToTag(req)) respondOnly(res, 481);
  else if (method === 'OPTIONS') answerOptions(req, res, supported);
  else if (NOT_TAKEN.includes(method)) respondOnly(res, 405, { headers: { Allow: ALLOW } });
  else respondOnly(res, 481);
}

function answerOptions(req: SrfRequest, res: SrfResponse, supported: readonly string[]): void {
  const unknown = headerList(req, 'require').filter((tag) => !supported.includes(tag.toLowerCase()));
  // RFC 3261 §8.2.2.3
  if (unknown.length > 0) respondOnly(res, 420, { headers: { Unsupported: unknown.join(', ') } });
  else respondOnly(res, 200, { headers: capabilities(supported) });
}

function capabilities(supported: readonly string[]): Record<string, string> {
  return {
    Allow: ALLOW,
    'Allow-Events': ALLOW_EVENTS,
    Accept: 'application/sdp',
    'Accept-Encoding': 'identity',
    'Accept-Language': 'en',
    Supported: supported.join(', '),
  };
}
