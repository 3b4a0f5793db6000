import type { RelaySession, SideIndex } from './relay-session.js';

/** A session and the side that a pair of tags speaks for. */
export interface SessionMatch {
  readonly session: RelaySession;
  /** True when the first tag given is the session's own from-tag. */
  readonly isFromParty: boolean;
}

/** Sessions by Call-ID, and by tags as RTPProxy compares them. */
export class SessionTable {
  private readonly calls = new Map<string, RelaySession[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(session: RelaySession): void {
    const list = this.calls.get(session.callId);
    if (list) list.push(session);
    else this.calls.set(session.callId, [session]);
    this.count++;
  }

  remove(session: RelaySession): void {
    const list = this.calls.get(session.callId);
    const at = list?.indexOf(session) ?? -1;
    if (!list || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) this.calls.delete(session.callId);
    this.count--;
  }

  /** The session of exactly this from-tag, or of this to-tag, with its stream number where the to-tag has none. */
  find(callId: string, fromTag: string, toTag: string | undefined): SessionMatch | undefined {
    for (const session of this.calls.get(callId) ?? []) {
      if (session.fromTag === fromTag) return { session, isFromParty: true };
      if (toTag === undefined) continue;
      const kind = compareTags(session.fromTag, toTag);
      if (
        kind === 'exact' ||
        (kind === 'stream' && streamNumber(session.fromTag) === streamNumber(fromTag))
      ) {
        return { session, isFromParty: false };
      }
    }
    return undefined;
  }

  /** Sessions that a D with these tags means, and which side asks: a tag without stream number means all streams. */
  matching(
    callId: string,
    fromTag: string,
    toTag: string | undefined,
  ): { session: RelaySession; side: SideIndex }[] {
    return (this.calls.get(callId) ?? []).flatMap((session): { session: RelaySession; side: SideIndex }[] => {
      if (compareTags(session.fromTag, fromTag)) return [{ session, side: 1 }];
      if (toTag !== undefined && compareTags(session.fromTag, toTag)) return [{ session, side: 0 }];
      return [];
    });
  }

  /** Every call's sessions. */
  byCall(): Iterable<readonly RelaySession[]> {
    return this.calls.values();
  }

  all(): RelaySession[] {
    return [...this.calls.values()].flat();
  }
}

/** `exact`, or `stream` when `own` is `tag` followed by a stream number (`;1`). */
function compareTags(own: string, tag: string): 'exact' | 'stream' | undefined {
  if (own === tag) return 'exact';
  return own.startsWith(`${tag};`) ? 'stream' : undefined;
}

function streamNumber(tag: string): string | undefined {
  const at = tag.lastIndexOf(';');
  return at < 0 ? undefined : tag.slice(at);
}
