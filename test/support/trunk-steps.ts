import type { SipRequest } from '../../src/sip/message.js';
import type { TrunkInput } from '../../src/trunks/types.js';
import type { CallRig } from './call-rig.js';
import type { SipPeer } from './sip-peer.js';

/** Makes a trunk of a gateway on this machine, known by its port, without OPTIONS and quick to be given up. */
export async function addTrunk(
  rig: CallRig,
  name: string,
  gateway: SipPeer,
  input: TrunkInput = {},
): Promise<void> {
  const address = `127.0.0.1:${gateway.port}`;
  await rig.trunks.add(name, { address, sources: [address], optionsSec: 0, trySec: 1, ...input });
}

/** Has every number that begins with 0 go to trunks, one after another. */
export async function routeZero(rig: CallRig, ...trunks: string[]): Promise<void> {
  const list = trunks.map((trunk, i) => ({ trunk, priority: i + 1, weight: 1 }));
  await rig.trunks.addRoute('out', { prefix: '0', trunks: list });
}

/** A call from a phone to a number outside, up to where the gateway has the INVITE. */
export async function reach(
  phone: SipPeer,
  gateway: SipPeer,
  number: string,
): Promise<{ invite: SipRequest; atGateway: SipRequest }> {
  const invite = await phone.invite(number);
  return { invite, atGateway: await gateway.next('INVITE') };
}

/** The gateway answers, and the caller ends the call. */
export async function answerAndEnd(
  phone: SipPeer,
  gateway: SipPeer,
  invite: SipRequest,
  atGateway: SipRequest,
): Promise<void> {
  gateway.respond(atGateway, 200, { sdp: gateway.sdp() });
  const ok = await phone.response(invite, 200);
  await gateway.next('ACK');
  const ended = phone.bye(phone.ack(invite, ok));
  await gateway.expectBye();
  await ended;
}

/** The gateway refuses, and the caller has its refusal acknowledged. */
export async function refuseAndEnd(
  phone: SipPeer,
  gateway: SipPeer,
  invite: SipRequest,
  atGateway: SipRequest,
  status = 603,
): Promise<void> {
  gateway.respond(atGateway, status);
  phone.ackRefusal(invite, await phone.final(invite));
}
