import type { SrfRequest } from '../signalling/srf-types.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import type { CallRegistry } from './call-registry.js';
import { CallRefusedError } from './errors.js';
import type { CalleeLeg, Leg } from './leg.js';
import { dialogIdOf } from './leg-dialog.js';
import { findPickUp, pickUp } from './pick-up.js';
import { Replacement } from './replacement.js';
import { fitsTags, type ReplacedDialog, readReplaces } from './replaces.js';

/** A dialog of ours that an INVITE wants to replace. */
interface Found {
  readonly call: Call;
  readonly leg: Leg;
}

/**
 * An INVITE with Replaces takes the place of a party in a call, or picks up a phone that rings (RFC 3891 §3, §4). `own` is the call that
 * the INVITE opened; it is over when this resolves, unless there is no Replaces. Throws CallRefusedError: 400 for a header
 * that cannot be read, 481 when no dialog of that name is to be replaced, 603 for one that is over, 486 for `early-only` and
 * an answered call, 403 for who may not.
 */
export async function replaceCall(
  deps: CallDeps,
  own: Call,
  username: string,
  invite: SrfRequest,
): Promise<void> {
  const replaces = readReplaces(invite);
  if (replaces === undefined) return;
  if (replaces === null) throw new CallRefusedError('request-malformed', 'bad Replaces');
  const { call, leg } = findReplaced(deps.registry, replaces);
  if (!call.isConnected) return pickUpEarly(deps, own, username, { call, leg });
  if (replaces.isEarlyOnly) throw new CallRefusedError('replaced-call-answered', 'early-only');
  if (!mayReplace(deps.registry, call, leg, username))
    throw new CallRefusedError('replacement-forbidden', 'no party of that call');
  const stays = call.other(leg);
  if (!call.mayTransfer || !stays?.dialog || !leg.dialog)
    throw new CallRefusedError('replaced-call-busy', 'something is open in that call');
  await new Replacement({ call, own, leaves: leg, stays, username }, deps).done;
}

/** Throws CallRefusedError for what is not there, or is over (RFC 3891 §3). */
function findReplaced(registry: CallRegistry, replaces: ReplacedDialog): Found {
  // The dialog has the name of who sent its INVITE.
  const ids = [replaces.fromTag, replaces.toTag].map((tag) => dialogIdOf(replaces.callId, tag));
  const shown = registry.shown.find(replaces) as CalleeLeg | undefined;
  const found = [shown?.dialogId, ...ids]
    .map((id) => id && registry.find(id))
    .find((one) => typeof one === 'object');
  const isPast = ids.some((id) => registry.isPast(id));
  if (!found && isPast) throw new CallRefusedError('replaced-call-over', 'that call is over');
  if (!found || (found.leg !== shown && !fitsTags(found.leg, replaces)))
    throw new CallRefusedError('replaced-call-unknown', 'no such dialog');
  const { call, leg } = found;
  const isParty = call.isConnected ? call.legs.includes(leg) : leg === call.a || isRinging(call, leg);
  if (call.isEnding || !isParty) throw new CallRefusedError('replaced-call-over', 'that leg is over');
  return found;
}

function isRinging(call: Call, leg: Leg): boolean {
  return call.fork.ringing.some((one) => one === leg);
}

/** RFC 3891 §3: of an early dialog only one that we began, towards a phone that rings. Who may is as for pick-up by code. */
async function pickUpEarly(deps: CallDeps, own: Call, username: string, { call, leg }: Found): Promise<void> {
  if (leg === call.a) throw new CallRefusedError('replaced-call-unknown', 'an early dialog of its caller');
  const rung = (leg as CalleeLeg).target.username;
  const groups = (await deps.router.directory.numbering?.groupsOf(username)) ?? [];
  const isOwn = rung === username;
  if (!isOwn && !findPickUp([call], username, groups, rung))
    throw new CallRefusedError('replacement-forbidden', 'no group in common');
  await pickUp(own, username, call.mayBePickedUp ? call : undefined);
}

/**
 * Whether a subscriber may take a party's place (RFC 3891 §8): with another phone of that party, or when that party holds another
 * call with it, as who transfers does (RFC 5589 §7.3). To know the dialog's name is not enough: watchers of dialogs know it, too.
 */
function mayReplace(registry: CallRegistry, replaced: Call, leaves: Leg, username: string): boolean {
  const owner = replaced.userOf(leaves);
  if (owner === undefined) return false;
  if (owner === username) return true;
  for (const call of registry.values()) {
    if (call === replaced || !call.isConnected || !call.users.has(username)) continue;
    if (call.legs.some((leg) => call.isHeldBy(leg) && call.userOf(leg) === owner)) return true;
  }
  return false;
}
