import { SipRequest, type SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import { serializeText } from '../../sip/serialize.js';
import type { Outlet } from '../transport/types.js';
import type { Hop, ServerTransaction } from '../types.js';
import { defaultContact, localEndFor } from './local-addressing.js';
import { lists100rel } from './reliable-provisionals.js';
import { newTag } from './request-builder.js';
import type { Way } from './way.js';

/** Answers a request in the engine's own name; returns the response. */
export function reply(tx: ServerTransaction, statusCode: number, localTag = newTag()): SipResponse {
  const response = createResponse(tx.request, statusCode, PHRASES.get(statusCode), localTag);
  tx.respond(response);
  return response;
}

/** 500 with Retry-After of 0 to 10 s: another request of the kind is still open (RFC 3261 §14.2, RFC 3311 §5.2). */
export function replyLater(tx: ServerTransaction, localTag: string): void {
  const retryAfterSec = Math.floor(Math.random() * 11);
  tx.respond(
    createResponse(tx.request, 500, undefined, localTag).append('Retry-After', String(retryAfterSec)),
  );
}

/** 180 in the application's place, in the dialog that its responses will be in; none when it had to be reliable. */
export function replyRinging(
  ctx: { outlet(hop: Hop): Outlet },
  tx: ServerTransaction,
  localTag: string,
): void {
  const { request, source } = tx;
  if (lists100rel(request, 'require')) return;
  const ringing = createResponse(request, 180, undefined, localTag);
  for (const value of request.getAll('record-route')) ringing.append('Record-Route', value);
  // RFC 3261 §12.1.1
  const contact = defaultContact(localEndFor(ctx, source), request.requestUri.startsWith('sips:'));
  tx.respond(ringing.append('Contact', contact));
}

/** The final response that a router chose; returns it. */
export function replyWith(
  tx: ServerTransaction,
  way: Extract<Way, { kind: 'answer' }>,
  localTag: string,
): SipResponse {
  const phrase = way.reasonPhrase ?? PHRASES.get(way.statusCode);
  const response = createResponse(tx.request, way.statusCode, phrase, localTag);
  for (const contact of way.contacts ?? []) response.append('Contact', contact);
  tx.respond(response);
  return response;
}

/** Phrases that applications and operators know from elsewhere. */
const PHRASES = new Map([[481, 'Call/Transaction Does Not Exist']]);

/**
 * A CANCEL that the peer might have sent for that INVITE (RFC 3261 §9.1), with the Reason of what it sent instead; for a
 * caller who gave up in another way.
 */
export function cancelFor(invite: SipRequest, reasons: readonly string[] = []): SipRequest {
  const cancel = new SipRequest('CANCEL', invite.requestUri);
  for (const { name, key, value } of invite.headers)
    if (key === 'via' || key === 'from' || key === 'to' || key === 'call-id') cancel.append(name, value);
  cancel.append('CSeq', `${invite.cseq?.seq ?? 0} CANCEL`).append('Max-Forwards', '70');
  for (const reason of reasons) cancel.append('Reason', reason);
  cancel.wireText = serializeText(cancel);
  return cancel;
}

/** RFC 6665 §4.1.3: ends the subscription. */
export function isLastNotify(request: SipRequest): boolean {
  return request.method === 'NOTIFY' && /^terminated\b/i.test(request.get('subscription-state') ?? '');
}
