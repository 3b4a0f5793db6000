import type { SavedMedia } from '../media/saved-media.js';
import {
  BadSdpError,
  type MediaAgreement,
  MediaError,
  type MediaPeer,
  type MediaSession,
  type MediaSide,
} from '../media/types.js';
import { withDeadline } from '../platform/deadline.js';
import { AppError } from '../platform/errors.js';
import { isLive } from '../sdp/offer-answer.js';
import { type Direction, parseSdp } from '../sdp/session-description.js';

/** Longest wait for a relay inside a SIP transaction; the media room's own retries end well before. */
const MEDIA_TIMEOUT_MS = 8000;

/** An accepted pair of descriptions, as the parties sent them. */
export interface Agreement extends MediaAgreement {
  /** What each side was told, with the relay's addresses. */
  readonly told: Readonly<Record<MediaSide, string>>;
}

/**
 * A call's media session with two things added: nothing takes for ever, and the last accepted offer and answer are
 * remembered so that a refused re-INVITE leaves the session as it was (RFC 3261 §14.1).
 */
export class CallMedia {
  private agreed: Agreement | undefined;
  /** The pair in force before the last answer. */
  private former: Agreement | undefined;
  private pending: (Pick<Agreement, 'offerer' | 'offer' | 'offerPeer'> & { rewritten: string }) | undefined;

  private opened: MediaSession | undefined;
  /** The way back to the agreed pair, while it lasts: what comes meanwhile waits for its end. */
  private restoring: Promise<boolean> | undefined;

  /** `open` is called at the first offer: a call that is refused before asks nothing of a relay. */
  constructor(private readonly open: () => MediaSession) {}

  /** What is needed to go on after a restart; undefined when the session cannot, or nothing is agreed on. */
  save(): { agreed: Agreement; session: SavedMedia } | undefined {
    const { agreed } = this;
    const session = agreed && this.opened?.save?.();
    return session && { agreed, session };
  }

  /** Goes on with the session of an earlier process. */
  resume(session: MediaSession, agreed: Agreement): void {
    this.opened = session;
    this.agreed = agreed;
  }

  /** The answer in force, as its sender wrote it. */
  get lastAnswer(): string | undefined {
    return this.agreed?.answer;
  }

  /** What a side described in the pair in force. */
  descriptionOf(side: MediaSide): string | undefined {
    return this.agreed?.offerer === side ? this.agreed.offer : this.agreed?.answer;
  }

  /** What a side was told in the pair in force. */
  toldTo(side: MediaSide): string | undefined {
    return this.agreed?.told[side];
  }

  /** What to answer a side whose offer is its description in force once more (RFC 3264 §8); undefined for any other. */
  refreshAnswer(side: MediaSide, offer: string): string | undefined {
    return offer === this.descriptionOf(side) ? this.agreed?.told[side] : undefined;
  }

  /** Whether a side said that it sends and the other one that it listens (RFC 3264 §6.1). */
  sends(side: MediaSide): boolean {
    const other = side === 'a' ? 'b' : 'a';
    return hasStream(this.descriptionOf(side), SENDS) && hasStream(this.descriptionOf(other), LISTENS);
  }

  async offer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string> {
    if (this.restoring) await this.restoring;
    const rewritten = await guard(this.session.offer(from, sdp, peer));
    this.pending = { offerer: from, offer: sdp, offerPeer: peer, rewritten };
    return rewritten;
  }

  /** An answer that may still be followed by another: early media. */
  earlyAnswer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string> {
    return guard(this.session.answer(from, sdp, peer));
  }

  /** The answer that counts. */
  async answer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string> {
    if (this.restoring) await this.restoring;
    const rewritten = await guard(this.session.answer(from, sdp, peer));
    this.former = this.agreed;
    if (this.pending) {
      const { rewritten: offered, ...pending } = this.pending;
      const told = from === 'a' ? { a: offered, b: rewritten } : { a: rewritten, b: offered };
      this.agreed = { ...pending, answer: sdp, answerPeer: peer, told };
    }
    this.pending = undefined;
    return rewritten;
  }

  /** The last answer does not count after all: the pair before it is in force again, and `restore` leads back to it. */
  takeBack(): void {
    this.agreed = this.former ?? this.agreed;
  }

  /** Goes back to the last accepted pair after an offer was refused. Resolves whether the relay followed. */
  restore(): Promise<boolean> {
    if (this.restoring) return this.restoring;
    const { agreed } = this;
    this.pending = undefined;
    const done = this.goBack(agreed).finally(() => {
      if (this.restoring === done) this.restoring = undefined;
    });
    this.restoring = done;
    return done;
  }

  private async goBack(agreed: Agreement | undefined): Promise<boolean> {
    if (!agreed) return true;
    try {
      await guard(this.session.offer(agreed.offerer, agreed.offer, agreed.offerPeer));
      const answerer = agreed.offerer === 'a' ? 'b' : 'a';
      await guard(this.session.answer(answerer, agreed.answer, agreed.answerPeer));
      return true;
    } catch {
      return false;
    }
  }

  private get session(): MediaSession {
    this.opened ??= this.open();
    return this.opened;
  }

  async stats(): ReturnType<MediaSession['stats']> {
    return (await this.opened?.stats()) ?? [];
  }

  /** Frees the relay's ports; the last figures, none when the relay does not answer in time. Never rejects. */
  async close(): ReturnType<MediaSession['close']> {
    try {
      return this.opened ? await guard(this.opened.close()) : [];
    } catch {
      return [];
    }
  }
}

const SENDS: readonly Direction[] = ['sendrecv', 'sendonly'];
const LISTENS: readonly Direction[] = ['sendrecv', 'recvonly'];

function hasStream(sdp: string | undefined, directions: readonly Direction[]): boolean {
  try {
    const streams = sdp === undefined ? [] : parseSdp(sdp).streams;
    return streams.some((stream) => isLive(stream) && directions.includes(stream.direction));
  } catch {
    return false;
  }
}

async function guard<T>(work: Promise<T>): Promise<T> {
  try {
    return await withDeadline(work, MEDIA_TIMEOUT_MS, 'the media relay');
  } catch (error) {
    if (error instanceof AppError && (error instanceof MediaError || error.sipStatus === 488)) throw error;
    throw new MediaError('the media relay failed', undefined, error);
  }
}

/** True when the description itself is at fault, not the relay. */
export function isBadDescription(error: unknown): boolean {
  return error instanceof BadSdpError || (error instanceof AppError && error.code === 'BAD_SDP');
}
