import { party } from '../signalling/request.js';
import type { Call } from './call.js';
import { wantsPrivacy } from './header-policy.js';
import type { ShownDialogs } from './shown-dialogs.js';

/** The other side of a dialog, as the one who is in it may see it. */
export interface RemoteParty {
  /** Number or user name; '' for one that hides. */
  readonly number: string;
  readonly displayName: string;
}

/** A subscriber's side of a live call, as those see it who watch that subscriber (RFC 4235 §3.7.1). */
export interface CallDialog {
  readonly username: string;
  readonly direction: 'initiator' | 'recipient';
  readonly state: 'trying' | 'early' | 'confirmed';
  /** Names for watchers, see `ShownDialogs`. */
  readonly callId: string;
  readonly localTag?: string;
  readonly remoteTag?: string;
  readonly remote: RemoteParty;
}

/** The subscribers' sides of a call, one for each of them; none once it ends. */
export function dialogsOf(call: Call, shown: ShownDialogs): CallDialog[] {
  if (call.isEnding) return [];
  const { near, fork, parties, a } = call;
  const caller = call.userOf(near);
  const from = party(a.req, 'from');
  const isHidden = near === a && wantsPrivacy(a.req, from.uri);
  const callerShown = {
    number: isHidden ? '' : (caller ?? parties.caller),
    displayName: isHidden || near !== a ? '' : from.displayName,
  };
  const state = call.isConnected ? 'confirmed' : call.state === 'routing' ? 'trying' : 'early';
  const dialogs: CallDialog[] = [];
  if (caller !== undefined) {
    const remote = { number: parties.callee, displayName: '' };
    dialogs.push({ username: caller, direction: 'initiator', state, ...shown.nameOf(near), remote });
  }
  for (const leg of fork.winner ? [fork.winner] : fork.ringing) {
    const { username } = leg.target;
    if (username !== undefined && !dialogs.some((one) => one.username === username))
      dialogs.push({ username, direction: 'recipient', state, ...shown.nameOf(leg), remote: callerShown });
  }
  return dialogs;
}
