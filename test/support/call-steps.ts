import type { SipRequest, SipResponse } from '../../src/sip/message.js';
import type { DialogState } from '../../src/testkit/dialog.js';
import type { SipPeer } from './sip-peer.js';

/** A call between two phones as each of them holds it. */
export interface UpCall {
  readonly invite: SipRequest;
  readonly ok: SipResponse;
  /** The INVITE as the callee's phone got it. */
  readonly atB: SipRequest;
  readonly a: DialogState;
  readonly b: DialogState;
}

/** Calls `b` from `a` and carries the call to where both have acknowledged it. */
export async function connect(a: SipPeer, b: SipPeer): Promise<UpCall> {
  const invite = await a.invite(b.username);
  const atB = await b.next('INVITE');
  b.respond(atB, 180);
  await a.response(invite, 180);
  b.respond(atB, 200, { sdp: b.sdp() });
  const ok = await a.response(invite, 200);
  await b.next('ACK');
  const aDialog = a.ack(invite, ok);
  return { invite, ok, atB, a: aDialog, b: b.dialogAsUas(atB) };
}

/** Ends a call from the caller's side. */
export async function hangUp(a: SipPeer, b: SipPeer, call: UpCall): Promise<void> {
  const answer = a.bye(call.a);
  await b.expectBye();
  await answer;
}

/** Port of the first m-line of a kind in a description; undefined without one. */
export function mediaPort(message: { readonly body: Buffer }, kind = 'audio'): number | undefined {
  const port = new RegExp(`^m=${kind} (\\d+)`, 'm').exec(message.body.toString())?.[1];
  return port === undefined ? undefined : Number(port);
}
