import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfMessage, SrfResponse } from '../signalling/srf-types.js';
import { hasOption, SUPPORTED } from './header-policy.js';
import { intervalIn, offerLongerSession } from './session-policy.js';

/** An INVITE to a phone, as it is open. */
export interface Invitation {
  readonly headers: OutgoingHeaders;
  readonly body: string | undefined;
  readonly timeoutMs: number;
  readonly tries: number;
  /** Its dialog, once it is on the wire. */
  readonly sent?: { readonly from: string | undefined; readonly callId: string; readonly seq: number };
}

/** Proxies on the way may each ask for a longer session interval. */
const MAX_TRIES = 4;

/**
 * The INVITE in place of one that the phone refused for want of something we can give: a longer session after 422 (RFC 4028
 * §7.3), reliable provisionals after 421 (RFC 3261 §21.4.16). It has the same Call-ID and From, and the next CSeq (RFC 3261 §8.1.3.5).
 * Undefined when there is nothing to do better.
 */
export function betterInvitation(open: Invitation, refusal: SrfResponse): Invitation | undefined {
  const { headers, sent, tries } = open;
  const better = betterHeaders(headers, refusal);
  if (!better || !sent || tries >= MAX_TRIES) return undefined;
  const same = { From: sent.from, 'Call-ID': sent.callId, CSeq: `${sent.seq + 1} INVITE` };
  return { ...open, headers: { ...headers, ...same, ...better }, tries: tries + 1 };
}

function betterHeaders(
  headers: OutgoingHeaders,
  refusal: SrfMessage & { readonly status: number },
): OutgoingHeaders | undefined {
  if (refusal.status === 422) return offerLongerSession(refusal, intervalIn(headers));
  const wants100rel = refusal.status === 421 && hasOption(refusal, 'require', '100rel');
  const isOffered = String(headers['Supported']).includes('100rel');
  return wants100rel && !isOffered ? { Supported: `${SUPPORTED}, 100rel` } : undefined;
}
