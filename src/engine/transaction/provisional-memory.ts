import type { SipResponse } from '../../sip/message.js';
import { parseRSeq } from '../../sip/reliability.js';

/** Different provisionals of one INVITE that are told apart; later ones all count as new. */
const MAX_REMEMBERED = 32;

interface Seen {
  readonly signature: string;
  readonly body: string;
  atMs: number;
}

/**
 * Tells a provisional that was retransmitted from a new one. Reliable ones come in the order of their RSeq: one that
 * overtook another is left until it is repeated (RFC 3262 §4). One that is not is a repetition when it equals one of
 * the last `windowMs`, since a UAS may say the same again after a minute to keep the call from timing out
 * (RFC 3261 §13.3.1.1).
 */
export class ProvisionalMemory {
  private readonly seen: Seen[] = [];
  /** RSeq of the last reliable provisional of each fork, by To tag. */
  private readonly lastRSeq = new Map<string, number>();

  constructor(private readonly windowMs: number) {}

  /** Whether the response is new; remembers it. */
  isNew(response: SipResponse, nowMs: number): boolean {
    const rseq = parseRSeq(response.get('rseq') ?? '');
    if (rseq !== undefined) return this.isNextReliable(response.toTag ?? '', rseq);
    const signature = `${response.statusCode} ${response.toTag ?? ''}`;
    const known = this.seen.find(
      (entry) => entry.signature === signature && entry.body === response.bodyText,
    );
    if (!known) {
      if (this.seen.length < MAX_REMEMBERED)
        this.seen.push({ signature, body: response.bodyText, atMs: nowMs });
      return true;
    }
    const isRepeated = nowMs - known.atMs < this.windowMs;
    known.atMs = nowMs;
    return !isRepeated;
  }

  /** RFC 3262 §4: the first of a fork, or the one after the last. */
  private isNextReliable(toTag: string, rseq: number): boolean {
    const last = this.lastRSeq.get(toTag);
    if (last !== undefined && rseq !== last + 1) return false;
    if (last !== undefined || this.lastRSeq.size < MAX_REMEMBERED) this.lastRSeq.set(toTag, rseq);
    return true;
  }
}
