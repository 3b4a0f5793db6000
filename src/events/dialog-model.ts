import type { CallDialog } from '../call/call-dialogs.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import type { DialogEntry } from './dialog-info.js';

/** For how long a dialog that ended is told of: everybody who watches has had a NOTIFY by then. */
const RECENT_MS = 10_000;

/** Tells what happens in calls: `CallControl.watch`. */
export type WatchCalls = (watcher: (id: string, dialogs: readonly CallDialog[]) => void) => () => void;

/** The dialogs of subscribers in calls that are up, kept while somebody needs them. */
export class DialogModel {
  private readonly byCall = new Map<string, readonly CallDialog[]>();
  private readonly byUser = new Map<string, Map<string, DialogEntry>>();
  private readonly timers = new Set<TimerHandle>();
  private readonly needs = new Set<string>();
  private unwatch: (() => void) | undefined;

  constructor(
    private readonly watchCalls: WatchCalls,
    private readonly clock: Clock,
    /** `isNews`: it began to talk, or ended that. */
    private readonly onChange: (username: string, isNews: boolean) => void,
  ) {}

  /** Whether `who` needs it; calls are watched while anybody does. */
  need(who: string, isNeeded: boolean): void {
    if (isNeeded) this.needs.add(who);
    else this.needs.delete(who);
    if (this.needs.size > 0) this.unwatch ??= this.watchCalls((id, dialogs) => this.update(id, dialogs));
    else this.close();
  }

  /** Of one user, those that ended a moment ago included. */
  dialogsOf(username: string): DialogEntry[] {
    return [...(this.byUser.get(username)?.values() ?? [])];
  }

  /** Whether a user talks; ringing is not talking. Calls that nobody watches are looked through for it. */
  isTalking(username: string): boolean {
    if (this.unwatch) return this.talks(username);
    this.need('look', true);
    const isTalking = this.talks(username);
    this.need('look', false);
    return isTalking;
  }

  private talks(username: string): boolean {
    return this.dialogsOf(username).some(({ state }) => state === 'confirmed');
  }

  /** Watches nothing any more, and forgets. */
  close(): void {
    this.unwatch?.();
    this.unwatch = undefined;
    for (const timer of this.timers) this.clock.clearTimeout(timer);
    this.timers.clear();
    this.byCall.clear();
    this.byUser.clear();
  }

  private update(callId: string, dialogs: readonly CallDialog[]): void {
    const former = this.byCall.get(callId) ?? [];
    if (dialogs.length > 0) this.byCall.set(callId, dialogs);
    else this.byCall.delete(callId);
    const gone = former.filter(({ username }) => !dialogs.some((one) => one.username === username));
    for (const dialog of dialogs) this.put(callId, dialog.username, dialog);
    for (const dialog of gone) this.end(callId, dialog);
  }

  private put(callId: string, username: string, dialog: CallDialog | DialogEntry): void {
    const { direction, state, callId: sipCallId, localTag, remoteTag, remote } = dialog;
    const entry: DialogEntry = {
      id: idOf(callId, username),
      direction,
      state,
      callId: sipCallId,
      ...(localTag !== undefined && { localTag }),
      ...(remoteTag !== undefined && { remoteTag }),
      remote,
    };
    const entries = this.byUser.get(username) ?? new Map<string, DialogEntry>();
    if (JSON.stringify(entries.get(callId)) === JSON.stringify(entry)) return;
    const wasTalking = this.talks(username);
    this.byUser.set(username, entries.set(callId, entry));
    this.onChange(username, wasTalking !== this.talks(username));
  }

  /** It is told of as terminated for a while, then no more; the last needs no NOTIFY. */
  private end(callId: string, dialog: CallDialog): void {
    const { username } = dialog;
    this.put(callId, username, { ...dialog, id: '', state: 'terminated' });
    const timer = this.clock.setTimeout(() => {
      this.timers.delete(timer);
      const entries = this.byUser.get(username);
      if (entries?.get(callId)?.state !== 'terminated') return;
      entries.delete(callId);
      if (entries.size === 0) this.byUser.delete(username);
    }, RECENT_MS);
    this.timers.add(timer);
  }
}

/** The user name in it keeps apart the two sides of a call between two watched users. */
function idOf(callId: string, username: string): string {
  return `${callId}.${username}`;
}
