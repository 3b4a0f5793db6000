import { header } from '../signalling/request.js';
import type { SrfMessage, SrfRequest } from '../signalling/srf-types.js';
import { splitList } from '../sip/split.js';
import { parseVia } from '../sip/via.js';
import type { ALeg } from './a-leg.js';
import type { Call } from './call.js';
import type { CalleeLeg, Leg } from './leg.js';
import { ShownDialogs } from './shown-dialogs.js';

/** A dialog of a call. */
interface Endpoint {
  readonly call: Call;
  readonly leg: Leg;
}

/** Dialogs of calls that are over, as many are remembered. */
const MAX_PAST = 2000;

/** Live calls by id and by dialog, and INVITEs that may be cancelled by their transaction. */
export class CallRegistry {
  private readonly calls = new Map<string, Call>();
  private readonly endpoints = new Map<string, Endpoint>();
  private total = 0;
  /** What watchers call the dialogs. */
  readonly shown = new ShownDialogs();
  private readonly watchers = new Set<(call: Call) => void>();
  /** Calls of which watchers are to hear in a moment. */
  private readonly news = new Set<Call>();
  /** Dialogs of calls that are over, the newest at the end. */
  private readonly past = new Set<string>();

  add(call: Call): void {
    this.calls.set(call.id, call);
    this.total++;
    this.bind(call.a.dialogId, call, call.a);
  }

  /** Requests in this dialog go to that leg of the call from now on. */
  bind(dialogId: string | undefined, call: Call, leg: Leg): void {
    if (dialogId !== undefined) this.endpoints.set(dialogId, { call, leg });
  }

  /** Forgets a call that is over, and its dialogs. */
  remove(call: Call): void {
    if (!this.calls.delete(call.id)) return;
    for (const leg of [call.a, ...call.fork.legs]) this.unbind(leg, call);
    this.changed(call);
  }

  /** Calls `watcher` for each call that is up, and after every change of one, its end included; returns what ends that. */
  watch(watcher: (call: Call) => void): () => void {
    this.watchers.add(watcher);
    for (const call of this.calls.values()) watcher(call);
    return () => this.watchers.delete(watcher);
  }

  /** Something is new about a call. What happens in one turn of the event loop is told once. */
  changed(call: Call): void {
    if (this.watchers.size === 0) return;
    if (this.news.size === 0) setImmediate(() => this.tell());
    this.news.add(call);
  }

  private tell(): void {
    const calls = [...this.news];
    this.news.clear();
    for (const call of calls)
      for (const watcher of this.watchers) {
        try {
          watcher(call);
        } catch (error) {
          call.log.error({ err: error }, 'who watches calls failed');
        }
      }
  }

  get(id: string): Call | undefined {
    return this.calls.get(id);
  }

  /** Whether it is a dialog of a call that is over since not long. */
  isPast(dialogId: string): boolean {
    return this.past.has(dialogId);
  }

  find(dialogId: string): Endpoint | undefined {
    return this.endpoints.get(dialogId);
  }

  list(): Call[] {
    return [...this.calls.values()];
  }

  values(): Iterable<Call> {
    return this.calls.values();
  }

  get size(): number {
    return this.calls.size;
  }

  get totalSeen(): number {
    return this.total;
  }

  /**
   * Calls `cancelled` when a CANCEL for this INVITE comes. srf finds the INVITE by Call-ID alone, so a CANCEL may
   * come up on another one; the transaction tells whose it is (RFC 3261 §9.2).
   */
  watchCancel(req: SrfRequest, cancelled: (cancel: SrfMessage) => void): void {
    const key = transactionKey(req);
    req.on('cancel', (cancel) => {
      const wanted = transactionKey(cancel);
      if (wanted === key) return cancelled(cancel);
      for (const call of this.calls.values())
        if (call.a.isTrying && transactionKey(call.a.req) === wanted) call.onCancel(cancel);
    });
  }

  private unbind(leg: ALeg | CalleeLeg, call: Call): void {
    const { dialogId } = leg;
    // It may be shown though nothing was ever sent to it.
    if (dialogId === undefined) this.shown.forget(leg);
    if (dialogId === undefined || this.endpoints.get(dialogId)?.call !== call) return;
    this.endpoints.delete(dialogId);
    this.shown.forget(leg);
    this.past.add(dialogId);
    if (this.past.size > MAX_PAST) this.past.delete(this.past.values().next().value!);
  }
}

/** What a CANCEL has in common with its INVITE: top Via's sent-by and branch, Call-ID, CSeq number (RFC 3261 §9.1). */
function transactionKey(message: SrfMessage): string {
  const via = parseVia(splitList(header(message, 'via') ?? '')[0] ?? '');
  const sentBy = via ? `${via.host}:${via.port ?? ''}` : '';
  const cseq = /^\d+/.exec(header(message, 'cseq') ?? '')?.[0] ?? '';
  return [header(message, 'call-id'), cseq, sentBy, via?.branch ?? ''].join('|');
}
