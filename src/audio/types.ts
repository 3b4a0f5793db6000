import type { Closeable } from '../platform/lifecycle.js';
import type { G711Law } from './g711.js';
import type { ToneName } from './tones.js';

/** What can be played: a WAV file, or a tone that is made here. */
export type Sound = { readonly file: string } | { readonly tone: ToneName };

/** Where the other party of an endpoint listens, and what it takes, as its description said. */
export interface AudioRemote {
  readonly address: string;
  readonly port: number;
  readonly law: G711Law;
  /** Payload type of telephone events (RFC 4733) towards us; absent when there are none. */
  readonly eventType?: number;
  /** False while it does not want to hear: recvonly or inactive on our side (RFC 3264 §6.1). */
  readonly isSending: boolean;
}

/** `done`: the last frame went out; `stopped`: by another sound; `closed`: the endpoint went away. */
export type PlayEnd = 'done' | 'stopped' | 'closed';

export interface PlayOptions {
  /** Again and again until another sound or the end of the endpoint; default once. */
  readonly loop?: boolean;
}

/** How an endpoint takes part in a mix. */
export interface MixMember {
  /** It hears and is not heard; default false. */
  readonly muted?: boolean;
}

/** Figures of one endpoint. */
export interface EndpointStats {
  readonly sent: number;
  readonly received: number;
  /** Packets that came from somebody else, or were none of ours. */
  readonly dropped: number;
  /** Packets that came too late to be mixed. */
  readonly late: number;
}

/** What an endpoint tells its owner. */
export interface AudioEndpointUser {
  /** A telephone event began: `0`..`9`, `*`, `#`, `A`..`D` (RFC 4733 §3.2). */
  onDigit?(digit: string): void;
  /** The audio thread is gone and the endpoint with it; it need not be closed. */
  onLost?(): void;
}

/**
 * An RTP party of our own: it sends and receives G.711 in packets of 20 ms, from one port. Its owner closes it. After
 * `close` or `onLost` everything else is ignored.
 */
export interface AudioEndpoint {
  /** Where it listens. */
  readonly address: string;
  readonly port: number;
  /** Whom to send to and hear, from now on; again after a new description. */
  connect(remote: AudioRemote): void;
  /** Plays a sound, over the mix if it is in one. A sound that plays ends. Rejects with SoundError. */
  play(sound: Sound, options?: PlayOptions): Promise<PlayEnd>;
  /** Puts it into a mix, which is there while it has members, or changes how it takes part. It leaves a former one. */
  join(mix: string, member?: MixMember): void;
  /** All zero when the thread does not answer. */
  stats(): Promise<EndpointStats>;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
}

/** Length of a sound. */
export interface SoundFacts {
  readonly durationMs: number;
}

/** Counters of the audio thread. */
export interface AudioStats {
  readonly endpoints: number;
  readonly mixes: number;
  /** Endpoints that may still be opened. */
  readonly free: number;
  readonly sent: number;
  readonly received: number;
  readonly cachedBytes: number;
}

/** Audio of our own: endpoints, sounds and mixes, all in one thread beside the main one. */
export interface AudioHost extends Closeable {
  /**
   * Opens an endpoint that can talk with the party of `offer`, a description whose address says IPv4 or IPv6; without one, as the
   * server's own address is. Rejects with AudioUnavailableError.
   */
  open(user?: AudioEndpointUser, offer?: string): Promise<AudioEndpoint>;
  /** Reads a sound, so that it plays at once later. Rejects with SoundError. */
  check(sound: Sound): Promise<SoundFacts>;
  /** Plays a sound once for everybody in a mix; nothing when there is no such mix. Rejects with SoundError. */
  playToMix(mix: string, sound: Sound): Promise<void>;
  /** Rejects with AudioUnavailableError. */
  stats(): Promise<AudioStats>;
}
