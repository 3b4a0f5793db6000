import { randomToken } from '../platform/ids.js';
import type { Leg } from './leg.js';
import type { ReplacedDialog } from './replaces.js';

/** What watchers call the dialog of a phone; tags as the phone would have them (RFC 4235 §4.1.1). */
export interface ShownDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

const CALL_ID_LENGTH = 24;
const TAG_LENGTH = 16;

/**
 * Names of dialogs for those who watch a user's calls. They are no names that the phones know: whoever has those could speak in
 * the dialog, say BYE or move its media (RFC 4235). All that they are good for is Replaces, which is judged by who sends it.
 */
export class ShownDialogs {
  private readonly names = new WeakMap<Leg, ShownDialog>();
  private readonly legs = new Map<string, Leg>();

  /** The same for a leg until it is forgotten. */
  nameOf(leg: Leg): ShownDialog {
    const known = this.names.get(leg);
    if (known) return known;
    const made = {
      callId: randomToken(CALL_ID_LENGTH),
      localTag: randomToken(TAG_LENGTH),
      remoteTag: randomToken(TAG_LENGTH),
    };
    this.names.set(leg, made);
    this.legs.set(made.callId, leg);
    return made;
  }

  /** The leg that Replaces names by what a watcher read: to-tag is the phone's. */
  find({ callId, fromTag, toTag }: ReplacedDialog): Leg | undefined {
    const leg = this.legs.get(callId);
    const name = leg && this.names.get(leg);
    return name?.localTag === toTag && name.remoteTag === fromTag ? leg : undefined;
  }

  forget(leg: Leg): void {
    const name = this.names.get(leg);
    if (name) this.legs.delete(name.callId);
    this.names.delete(leg);
  }
}
