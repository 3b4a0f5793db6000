import type { SipRequest, SipResponse } from '../../sip/message.js';
import { MAGIC_COOKIE, type Via } from '../../sip/via.js';

/**
 * What a request shares with its server transaction (RFC 3261 §17.2.3): branch, sent-by and method, where ACK counts
 * as INVITE. `method` is another than the request's when a CANCEL looks for what it cancels (RFC 3261 §9.2).
 */
export function serverKey(request: SipRequest, topVia: Via, method = request.method): string {
  const asked = method === 'ACK' ? 'INVITE' : method;
  const { branch } = topVia;
  if (!branch?.startsWith(MAGIC_COOKIE)) return legacyKey(request, topVia, asked);
  return `${branch} ${topVia.host.toLowerCase()}:${topVia.port ?? ''} ${asked}`;
}

/** Whether the branch was made by an element that does not obey RFC 3261. */
export function isLegacy(topVia: Via): boolean {
  return topVia.branch?.startsWith(MAGIC_COOKIE) !== true;
}

/** Matching for RFC 2543 peers. The To tag, which an ACK and its INVITE do not share, is left out for these two. */
function legacyKey(request: SipRequest, topVia: Via, method: string): string {
  const { protocol, host, port, branch } = topVia;
  const via = `${protocol} ${host}:${port ?? ''} ${branch ?? ''}`;
  const toTag = method === 'INVITE' ? '' : request.toTag;
  const { callId, fromTag, requestUri, cseq } = request;
  return JSON.stringify([via, requestUri, callId, fromTag, toTag, cseq?.seq, method]);
}

/** What a response shares with its client transaction: branch and the method in CSeq (RFC 3261 §17.1.3). */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

/** The same from a response; undefined when it lacks either. */
export function clientKeyOf(response: SipResponse): string | undefined {
  const branch = response.topVia?.branch;
  const method = response.cseq?.method;
  return branch === undefined || method === undefined ? undefined : clientKey(branch, method);
}
