import { party } from '../signalling/request.js';
import { ALeg } from './a-leg.js';
import type { Call } from './call.js';
import { wantsPrivacy } from './header-policy.js';
import type { CalleeLeg } from './leg.js';

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
  /** Of the dialog with that subscriber's phone; tags as the phone has them, where they are known. */
  readonly callId: string;
  readonly localTag?: string;
  readonly remoteTag?: string;
  readonly remote: RemoteParty;
}

/** The subscribers' sides of a call, one for each of them; none once it ends. */
export function dialogsOf(call: Call): CallDialog[] {
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
    dialogs.push({ username: caller, direction: 'initiator', state, ...namesOf(near), remote });
  }
  for (const leg of fork.winner ? [fork.winner] : fork.ringing) {
    const { username } = leg.target;
    if (username !== undefined && !dialogs.some((one) => one.username === username))
      dialogs.push({ username, direction: 'recipient', state, ...namesOf(leg), remote: callerShown });
  }
  return dialogs;
}

/** The dialog's identifiers from the phone's point of view; who sent the INVITE gave it its name. */
function namesOf(leg: ALeg | CalleeLeg): Pick<CallDialog, 'callId' | 'localTag' | 'remoteTag'> {
  const [callId = '', tag] = (leg.dialogId ?? '').split(';from-tag=', 2);
  const [local, remote] = leg instanceof ALeg ? [tag, undefined] : [leg.phoneTag, tag];
  return {
    callId,
    ...(local !== undefined && { localTag: local }),
    ...(remote !== undefined && { remoteTag: remote }),
  };
}
