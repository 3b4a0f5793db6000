import type { User } from '../accounts/types.js';
import { cseqNumber, party } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import { escapeUser } from '../sip/escape.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { CallRefusedError } from './errors.js';
import { type CallerIdentity, wantsPrivacy } from './header-policy.js';
import type { DialPlan } from './hunt.js';
import type { CalleeLeg, Leg } from './leg.js';
import { dialogIdOf } from './leg-dialog.js';
import { type Referral, readRefer } from './refer.js';
import { ReferSubscription } from './refer-subscription.js';
import type { ReplacedDialog } from './replaces.js';
import { CallRouter } from './route-call.js';
import { type Consulted, Transfer } from './transfer.js';
import type { TrunkPlace } from './trunk-port.js';

/**
 * Judges a REFER inside a call (RFC 3515, RFC 5589). With 202 `call.transfer` is set and waits for `begin`. Refused: 491 while
 * something is open (RFC 3261 §14.2), 403 for who is no subscriber and for foreign hosts, 404 when the call that Replaces
 * names is none of the subscriber's.
 */
export function startTransfer(
  call: Call,
  deps: CallDeps,
  leaves: Leg,
  req: SrfRequest,
): { status: number; headers?: OutgoingHeaders } {
  const stays = call.other(leaves);
  if (!call.mayTransfer || !stays?.dialog || !leaves.dialog) return { status: 491 };
  const by = call.userOf(leaves);
  if (by === undefined) return { status: 403 };
  const referral = readRefer(req, deps.router.isLocalHost);
  if (typeof referral === 'number') return { status: referral };
  const { number, replaces, wantsNotify } = referral;
  const consulted = replaces && findConsulted(deps, call, by, replaces);
  if (replaces && !consulted) return { status: 404 };
  if (consulted && !consulted.call.mayTransfer) return { status: 491 };
  const id = leaves === call.lastReferrer ? cseqNumber(req) : undefined;
  call.lastReferrer = leaves;
  const told = new ReferSubscription(leaves, wantsNotify, id);
  const to = consulted?.username ?? number.number;
  const route = (keep: (place: TrunkPlace) => void) => findPlan(call, deps, stays, by, req, referral, keep);
  const task = { call, leaves, stays, by, to, told, route, ...(consulted && { consulted }) };
  call.transfer = new Transfer(task, deps);
  if (consulted) consulted.call.transfer = call.transfer;
  return { status: 202, headers: wantsNotify ? {} : { 'Refer-Sub': 'false' } };
}

/**
 * The other call of the same subscriber that Replaces names. Our own tag of its dialog is the engine's affair, so either tag may be
 * the one that made it; which side wrote it as From depends on the phone (RFC 5589 §7.3).
 */
function findConsulted(
  { registry }: CallDeps,
  call: Call,
  by: string,
  { callId, fromTag, toTag }: ReplacedDialog,
): Consulted | undefined {
  const found = registry.find(dialogIdOf(callId, fromTag)) ?? registry.find(dialogIdOf(callId, toTag));
  if (!found || found.call === call || found.call.userOf(found.leg) !== by) return undefined;
  const leg = found.call.other(found.leg) as CalleeLeg | undefined;
  if (!found.call.isConnected || !leg?.dialog || !found.call.legs.includes(found.leg)) return undefined;
  return { call: found.call, leaves: found.leg, leg, username: found.call.nameOf(leg) };
}

/** The way to the number, by the rules that a call of the one who transfers would meet. Throws CallRefusedError. */
async function findPlan(
  call: Call,
  { router }: CallDeps,
  stays: Leg,
  by: string,
  req: SrfRequest,
  { number }: Referral,
  keep: (place: TrunkPlace) => void,
): Promise<DialPlan> {
  const user: User | undefined = await router.directory.users.authData(by);
  if (!user) throw new CallRefusedError('callee-unknown', 'the account is gone');
  const trunk = trunkOf(call, stays);
  const invite = {
    req,
    from: party(req, 'from'),
    user,
    scheme: 'tel',
    host: '',
    number,
    transfer: {
      shownAs: identityOf(call, stays),
      // RFC 3892 §2.2
      headers: { 'Referred-By': `<sip:${escapeUser(by)}@${user.realm}>` },
      ...(trunk !== undefined && { trunk }),
      keep,
    },
  };
  const plan = await new CallRouter(router, invite, call).route();
  if (!plan) throw new CallRefusedError('callee-unknown', 'nobody to talk to');
  return plan;
}

/** The trunk that a party of the call is beyond. */
function trunkOf(call: Call, leg: Leg): string | undefined {
  if (leg === call.a) return call.trunkIn;
  return call.fork.legs.find((one) => one === leg)?.target.trunk?.name;
}

/** Who stays, as the new phone may see it. */
function identityOf(call: Call, stays: Leg): CallerIdentity {
  const user = call.nameOf(stays);
  if (stays !== call.a) return { user, displayName: '', isAnonymous: false };
  const from = party(call.a.req, 'from');
  return { user, displayName: from.displayName, isAnonymous: wantsPrivacy(call.a.req, from.uri) };
}
