import type { Clock } from '../platform/clock.js';
import type { HuntGroup } from '../routing/types.js';
import { holdAnswer } from '../sdp/hold-answer.js';
import type { SrfAck, SrfResponse } from '../signalling/srf-types.js';
import type { ALeg } from './a-leg.js';
import type { Call } from './call.js';
import { CallRefusedError } from './errors.js';
import { ownHeaders } from './header-policy.js';
import { PersistentReinvite } from './persistent-reinvite.js';

const NOTHING = 'No call to pick up';

/**
 * The call that rings longest among those that a user may pick up: calls for members of its own groups, or for the groups
 * themselves. With `number` only one for that user or group.
 */
export function findPickUp(
  calls: Iterable<Call>,
  username: string,
  groups: readonly HuntGroup[],
  number?: string,
): Call | undefined {
  const allowed = new Set(groups.flatMap((group) => [group.number, ...group.members]));
  for (const call of calls) {
    if (!call.mayBePickedUp || call.caller === username) continue;
    const rung = [call.parties.callee, ...call.fork.ringing.map(({ target }) => target.username ?? '')];
    const isWanted = number === undefined || [...rung, call.parties.dialled].includes(number);
    if (isWanted && rung.some((name) => allowed.has(name) && name !== username)) return call;
  }
  return undefined;
}

/**
 * Answers a ringing call by the phone that dialled the code (RFC 3264 §8): its INVITE is answered with
 * silent streams, then it takes the place of the phones that ring and gets the caller's offer in a re-INVITE, whose answer
 * goes to the caller. Throws CallRefusedError when that cannot be.
 */
export async function pickUp(picker: Call, username: string, call: Call | undefined): Promise<void> {
  const refuse = (): CallRefusedError => new CallRefusedError('feature-code-refused', NOTHING, {}, NOTHING);
  const silent = holdAnswer(picker.a.req.body ?? '');
  if (!call || silent === undefined) throw refuse();
  await picker.a.answer(ownHeaders(picker.allow, 'Server'), silent);
  // Its BYE may come in one breath with the news that the 200 is out.
  if (picker.isEnding || !call.mayBePickedUp) throw refuse();
  const leg = picker.handOver('call-picked-up');
  call.pickUp(leg, username);
}

/** The answer of a phone that picked a call up; the re-INVITE's 2xx stands for that of an INVITE. */
export interface PickedUpAnswer {
  onAnswer(res: SrfResponse, ack: SrfAck): void;
  onFailure(): void;
}

/**
 * Offers the caller's description to the phone, once it has acknowledged our first answer, and again when its own offer crossed ours
 * (RFC 3261 §14.1). Returns what ends that.
 */
export function offerToPicker(
  leg: ALeg,
  clock: Clock,
  allow: string,
  offer: string,
  user: PickedUpAnswer,
): () => void {
  let reinvite: PersistentReinvite | undefined;
  const send = (): void => {
    const { dialog } = leg;
    if (!dialog) {
      user.onFailure();
      return;
    }
    reinvite = new PersistentReinvite(dialog, clock, ownHeaders(allow, 'User-Agent'), {
      offer: () => Promise.resolve(offer),
      onFinal: (res, ack) => {
        if (res.status < 300) user.onAnswer(res, ack);
        else user.onFailure();
      },
      onFailure: () => user.onFailure(),
    });
  };
  // The engine may tell of its ACK in one breath with the 200 that it sent.
  if (leg.isAcknowledged) send();
  else leg.onAck = send;
  return () => {
    leg.onAck = undefined;
    reinvite?.stop();
  };
}
