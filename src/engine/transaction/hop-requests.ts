import { SipRequest, type SipResponse } from '../../sip/message.js';

const MAX_FORWARDS = '70';

/** What CANCEL and the ACK of a non-2xx copy from their INVITE: one Via, the top one, and the route. */
function createSibling(invite: SipRequest, method: string, to: string): SipRequest {
  const request = new SipRequest(method, invite.requestUri);
  request.append('Via', invite.get('via') ?? '');
  for (const route of invite.getAll('route')) request.append('Route', route);
  request.append('Max-Forwards', MAX_FORWARDS);
  request.append('From', invite.get('from') ?? '');
  request.append('To', to);
  request.append('Call-ID', invite.callId ?? '');
  return request.append('CSeq', `${invite.cseq?.seq ?? 0} ${method}`);
}

/** The ACK that ends the retransmission of a final response other than 2xx (RFC 3261 §17.1.1.3). */
export function createAck(invite: SipRequest, response: SipResponse): SipRequest {
  return createSibling(invite, 'ACK', response.get('to') ?? invite.get('to') ?? '');
}

/** The CANCEL of an INVITE (RFC 3261 §9.1); `extraHeaders` are added, e.g. Reason (RFC 3326). */
export function createCancel(
  invite: SipRequest,
  extraHeaders: readonly { name: string; value: string }[],
): SipRequest {
  const cancel = createSibling(invite, 'CANCEL', invite.get('to') ?? '');
  for (const { name, value } of extraHeaders) cancel.append(name, value);
  return cancel;
}
