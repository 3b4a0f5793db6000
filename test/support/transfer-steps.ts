import assert from 'node:assert/strict';
import type { SipRequest, SipResponse } from '../../src/sip/message.js';
import type { DialogState } from '../../src/testkit/dialog.js';
import type { SipPeer } from './sip-peer.js';

/** Sends a REFER in a dialog: the other party is to be transferred to that URI. */
export function refer(phone: SipPeer, dialog: DialogState, to: string, headers = {}): SipRequest {
  return phone.inDialog(dialog, 'REFER', {
    headers: { 'Refer-To': `<${to}>`, Contact: phone.contact, ...headers },
  });
}

/** The same, and the final response to it. */
export function referred(phone: SipPeer, dialog: DialogState, to: string): Promise<SipResponse> {
  return phone.final(refer(phone, dialog, to));
}

/** Replaces as its reader sees the dialog of a phone: from-tag is the phone's, to-tag ours (RFC 3891 §3). */
export const replaces = ({ callId, localTag, remoteTag }: DialogState, more = ''): string =>
  `${callId};to-tag=${remoteTag};from-tag=${localTag}${more}`;

/** A URI whose INVITE is to replace that dialog (RFC 3891 §6.1), as Refer-To has it. */
export const replacing = (uri: string, dialog: DialogState): string =>
  `${uri}?Replaces=${encodeURIComponent(replaces(dialog))}`;

/** Answers the next NOTIFY of a transfer, which has exactly that to say; of a dialog's second REFER `event` has its id. */
export async function notified(
  phone: SipPeer,
  sipfrag: string,
  state: RegExp,
  event = 'refer',
): Promise<SipRequest> {
  const notify = await phone.next('NOTIFY');
  assert.equal(notify.body.toString(), `SIP/2.0 ${sipfrag}\r\n`);
  assert.match(notify.get('subscription-state') ?? '', state);
  assert.equal(notify.get('event'), event);
  assert.equal(notify.get('content-type'), 'message/sipfrag;version=2.0');
  phone.respond(notify, 200);
  return notify;
}

/** Answers NOTIFYs until the last one; resolves what they told, each the first line of its body. */
export async function untilTerminated(phone: SipPeer): Promise<string[]> {
  for (const told: string[] = []; ; ) {
    const notify = await phone.next('NOTIFY');
    phone.respond(notify, 200);
    told.push(notify.body.toString().trimEnd());
    if (/^terminated/.test(notify.get('subscription-state') ?? '')) return told;
  }
}
