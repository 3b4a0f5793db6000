import { AppError, type ErrorContext } from '../platform/errors.js';
import type { SavedMedia } from './saved-media.js';

/** The two sides of a call as media sees them: `a` called, `b` was called. */
export type MediaSide = 'a' | 'b';

/** What the relay needs to know of the party whose description is being handled. */
export interface MediaPeer {
  /** IP address that the party's signalling comes from; a hint for NAT, and the expected source of its media. */
  readonly signallingAddress: string;
}

/** Counters of one media stream, one direction each. Unknown figures are absent, never zero. */
export interface MediaStreamStats {
  /** Position among the m-lines, from 0. */
  readonly index: number;
  readonly kind: string;
  /** First codec of the negotiated answer, e.g. `PCMU/8000`. */
  readonly codec?: string;
  /** Relay that carried it, as configured. */
  readonly relay: string;
  readonly packetsFromA?: number;
  readonly packetsFromB?: number;
  readonly bytesFromA?: number;
  readonly bytesFromB?: number;
  /** Packets the relay got and did not pass on. */
  readonly dropped?: number;
  /** Where each side's media was last seen, `address:port`. */
  readonly addressA?: string;
  readonly addressB?: string;
}

/** No relay took the call, or the relay answered with an error. The caller hears 503 (RFC 3261 §21.5.4). */
export class MediaError extends AppError {
  constructor(message: string, context?: ErrorContext, cause?: unknown) {
    super('MEDIA_FAILED', message, { sipStatus: 503, ...(context && { context }), cause });
  }
}

export { BadSdpError } from '../sdp/errors.js';

/** A pair of descriptions in force, as the parties sent them. */
export interface MediaAgreement {
  readonly offerer: MediaSide;
  readonly offer: string;
  readonly offerPeer: MediaPeer;
  readonly answer: string;
  readonly answerPeer: MediaPeer;
}

/**
 * The media of one call. Offers and answers may come from either side, in any order RFC 3264 allows: late offer,
 * re-INVITE from either side, UPDATE. Calls are serialised inside. All of them reject with MediaError or BadSdpError.
 */
export interface MediaSession {
  /** Takes an offer of `from`; returns it rewritten for the other side: c=, m= ports, a=rtcp point at the relay. */
  offer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string>;
  /** Takes the answer of `from` to the last offer of the other side; may come more than once (183, then 200; forks). */
  answer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string>;
  /** Figures so far, one entry a stream; empty before the first offer. Never rejects: unknown figures stay away. */
  stats(): Promise<MediaStreamStats[]>;
  /** What `MediaRelay.resume` needs of it after a restart; undefined before the first offer. Absent: it cannot outlive one. */
  save?(): SavedMedia | undefined;
  /** Frees the relay's ports and returns the last figures. Idempotent; never rejects. */
  close(): Promise<MediaStreamStats[]>;
}

/** One relay or a set of them, chosen by `MEDIA_RELAY`. */
export interface MediaRelay {
  /** Starts the media of a call. `id` is a token of [A-Za-z0-9-], unique per call. Nothing is sent before the first offer. */
  open(id: string): MediaSession;
  /**
   * Goes on with the media of a call after a restart of this process: a relay that has lost the session takes its ports back.
   * Rejects with MediaError when it cannot be: the relay is not configured any more at the URL it had, or the ports are gone.
   */
  resume?(id: string, saved: SavedMedia, agreed: MediaAgreement): Promise<MediaSession>;
  /** Health for the console and `doctor`: each relay's name and whether it answered the last command. */
  health(): Promise<RelayHealth[]>;
  /** How its relays are used; absent where nothing can be chosen. */
  readonly control?: RelayControl;
  /** Counters of a relay that runs inside this process; absent for others. Rejects when it does not answer. */
  figures?(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

export interface RelayHealth {
  readonly name: string;
  readonly alive: boolean;
  readonly version?: string;
  readonly activeSessions?: number;
  readonly error?: string;
}

/** How a relay is used. */
export interface RelayUse {
  /** Share of new calls, 0..100; 0: when no other relay takes a call. */
  readonly weight: number;
  /** Whether it gets new calls; those that it has stay in any case. */
  readonly active: boolean;
}

/** A relay at this moment. */
export interface RelayState extends RelayHealth, RelayUse {
  /** Calls of this server on it, see RelayControl. */
  readonly calls: number;
}

/** The relays of one server, changed while it runs. */
export interface RelayControl {
  list(): readonly (RelayUse & { readonly name: string; readonly url: string })[];
  /** Asks each relay how it is. Never rejects. */
  states(): Promise<RelayState[]>;
  /** Calls of this server on it, and on those that had its name and wait for their last call. */
  calls(name: string): number;
  /** Nothing in `list` has the name. One at that URL that waits for its last call is taken back. Throws AppError BAD_RELAY_URL. */
  add(name: string, url: string, use: RelayUse): void;
  use(name: string, use: RelayUse): void;
  /** No new calls, and out of `list` at once; the relay is forgotten when its last call has ended. */
  remove(name: string): Promise<void>;
}
