import assert from 'node:assert/strict';
import type { SipRequest, SipResponse } from '../../src/sip/message.js';
import { type DialogState, dialogOfUac } from '../../src/testkit/dialog.js';
import type { SipPeer } from './sip-peer.js';

/** A SUBSCRIBE of a phone, not sent yet. */
export function subscribeRequest(
  phone: SipPeer,
  user: string,
  event: string,
  headers: Record<string, string> = {},
): SipRequest {
  const request = phone.request('SUBSCRIBE', `sip:${user}@${phone.domain}`);
  request.append('Contact', phone.contact).append('Event', event);
  for (const [name, value] of Object.entries(headers)) request.append(name, value);
  return request;
}

/** Subscribes; resolves the dialog, the 200 and the first NOTIFY, which it answers. */
export async function subscribe(
  phone: SipPeer,
  user: string,
  event: string,
  headers: Record<string, string> = {},
): Promise<{ dialog: DialogState; ok: SipResponse; notify: SipRequest }> {
  const request = subscribeRequest(phone, user, event, headers);
  const ok = await phone.withCredentials(request);
  assert.equal(ok.statusCode, 200, `SUBSCRIBE of ${event}`);
  const dialog = dialogOfUac(request, ok);
  return { dialog, ok, notify: await notified(phone) };
}

/** A SUBSCRIBE in the dialog of a subscription; resolves its final answer. */
export async function resubscribe(
  phone: SipPeer,
  dialog: DialogState,
  event: string,
  expires: number,
): Promise<SipResponse> {
  const headers = { Event: event, Expires: String(expires), Contact: phone.contact };
  const request = phone.inDialog(dialog, 'SUBSCRIBE', { headers });
  const challenge = await phone.final(request);
  if (challenge.statusCode !== 401) return challenge;
  const response = await phone.final(phone.sendWithCredentials(request, challenge));
  dialog.localSeq = request.cseq?.seq ?? dialog.localSeq;
  return response;
}

/** The next NOTIFY, answered 200. */
export async function notified(phone: SipPeer, timeoutMs?: number): Promise<SipRequest> {
  const notify = await phone.next('NOTIFY', timeoutMs);
  phone.respond(notify, 200);
  return notify;
}

export function stateOf(notify: SipRequest): string {
  return notify.get('subscription-state') ?? '';
}
