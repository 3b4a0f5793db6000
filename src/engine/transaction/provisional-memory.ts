import type { SipResponse } from '../../sip/message.js';

/** Different provisionals of one INVITE that are told apart; later ones all count as new. */
const MAX_REMEMBERED = 32;

interface Seen {
  readonly signature: string;
  readonly body: Buffer;
  atMs: number;
}

/**
 * Tells a provisional that was retransmitted from a new one. A reliable one repeats its RSeq (RFC 3262 §3) for up to
 * 64*T1; another is a repetition when it equals one of the last `windowMs`, since a UAS may say the same again after
 * a minute to keep the call from timing out (RFC 3261 §13.3.1.1).
 */
export class ProvisionalMemory {
  private readonly seen: Seen[] = [];

  constructor(private readonly windowMs: number) {}

  /** Whether the response is new; remembers it. */
  isNew(response: SipResponse, nowMs: number): boolean {
    const rseq = response.get('rseq');
    const signature = `${response.statusCode} ${response.toTag ?? ''} ${rseq ?? ''}`;
    const known = this.seen.find(
      (entry) => entry.signature === signature && entry.body.equals(response.body),
    );
    if (!known) {
      if (this.seen.length < MAX_REMEMBERED) this.seen.push({ signature, body: response.body, atMs: nowMs });
      return true;
    }
    const isRepeated = rseq !== undefined || nowMs - known.atMs < this.windowMs;
    known.atMs = nowMs;
    return !isRepeated;
  }
}
