import type { ServerTransaction } from '../types.js';
import type { CoreContext } from './core-context.js';
import { reply } from './own-replies.js';
import type { Way } from './way.js';

/** Requests whose way is being looked up at once; with more, new ones go the way `nobody`. */
export const MAX_LOOKUPS = 5000;

/** The new requests whose way is not known at once: their callers may give up meanwhile. */
export class WayFinder {
  /** To tag for our own answers, by request. */
  private readonly waiting = new Map<ServerTransaction, string>();

  constructor(
    private readonly ctx: Pick<CoreContext, 'router' | 'log'>,
    private readonly maxLookups = MAX_LOOKUPS,
  ) {}

  /** Requests that wait for their way. */
  get size(): number {
    return this.waiting.size;
  }

  /** Calls `follow` with the way of a request, at once or later; not at all when the caller gave up. */
  find(tx: ServerTransaction, localTag: string, follow: (way: Way) => void): void {
    if (this.waiting.size >= this.maxLookups) {
      follow({ kind: 'nobody' });
      return;
    }
    const way = this.ctx.router.route(tx.request, tx.source);
    if (!(way instanceof Promise)) {
      follow(way);
      return;
    }
    this.waiting.set(tx, localTag);
    way.then((found) => this.onFound(tx, found, follow)).catch((error: unknown) => this.onFailed(tx, error));
  }

  /** The caller gave up (RFC 3261 §9.2): both get their answer, with one tag. */
  cancel(invite: ServerTransaction, cancel: ServerTransaction): void {
    const localTag = this.waiting.get(invite);
    reply(cancel, 200, localTag);
    if (localTag === undefined) return;
    this.waiting.delete(invite);
    reply(invite, 487, localTag);
  }

  /** The transaction is over. */
  forget(tx: ServerTransaction): void {
    this.waiting.delete(tx);
  }

  close(): void {
    this.waiting.clear();
  }

  private onFound(tx: ServerTransaction, way: Way, follow: (way: Way) => void): void {
    if (this.waiting.delete(tx)) follow(way);
    else if (way.kind === 'application') way.drop?.();
  }

  private onFailed(tx: ServerTransaction, error: unknown): void {
    this.ctx.log.error({ err: error, callId: tx.request.callId }, 'finding the way of a request failed');
    if (this.waiting.delete(tx) || !tx.answered) reply(tx, 500);
  }
}
