import { answerAudio, audioOffer, readAudioAnswer } from '../audio/describe.js';
import type { AudioEndpoint, AudioHost, Sound } from '../audio/types.js';
import type { Call } from '../call/call.js';
import { CallRefusedError } from '../call/errors.js';
import type { CallerStandIn } from '../call/stand-in.js';
import type { Clock } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';

/** From the answer to the first sound, and from the last to the end: phones open and close their ears slowly. Milliseconds. */
const LEAD_IN_MS = 200;
const LEAD_OUT_MS = 300;
/** Between two times that the sound is played, milliseconds. */
const PAUSE_MS = 1000;
/** Keys kept of one call. */
const MAX_DIGITS = 32;

export interface PlayingCallerOptions {
  readonly audio: Pick<AudioHost, 'open'>;
  readonly clock: Clock;
  readonly sound: Sound;
  readonly repeat: number;
  onRinging(): void;
  onAnswer(): void;
  /** The call is over; its record is still open. */
  onEnd(): void;
}

/** A caller that plays a sound to whoever answers, and hangs up. */
export class PlayingCaller implements CallerStandIn {
  /** The sound was played to its end. */
  isPlayed = false;
  digits = '';
  private call: Call | undefined;
  private endpoint: AudioEndpoint | undefined;
  private isOver = false;
  /** Of our description (RFC 3264 §8). */
  private version = 1;

  constructor(private readonly options: PlayingCallerOptions) {}

  async offer(call: Call): Promise<string> {
    this.call = call;
    const { audio } = this.options;
    try {
      this.endpoint = await audio.open({
        onDigit: (digit) => {
          if (this.digits.length < MAX_DIGITS) this.digits += digit;
        },
        onLost: () => call.finish('media-failed', 'SERVER'),
      });
    } catch (error) {
      throw new CallRefusedError('media-unavailable', errorMessage(error));
    }
    if (this.isOver) this.close();
    return audioOffer(this.endpoint);
  }

  progress(status: number): void {
    if (status === 180) this.options.onRinging();
  }

  async answer(sdp: string): Promise<void> {
    const { call, endpoint } = this;
    if (!call || !endpoint) throw new CallRefusedError('media-unavailable', 'there is nothing to play with');
    endpoint.connect(readAudioAnswer(sdp));
    this.options.onAnswer();
    this.play(endpoint, call).catch((error: unknown) => {
      call.log.warn({ reason: errorMessage(error) }, 'the sound cannot be played');
      call.finish('media-failed', 'SERVER');
    });
  }

  /** A callee that holds the call hears nothing; the sound goes on meanwhile. */
  answerOffer(sdp: string): string {
    const { endpoint } = this;
    if (!endpoint) throw new CallRefusedError('media-unavailable', 'there is nothing to play with');
    const { address, port } = endpoint;
    const answer = answerAudio({ address, port, version: ++this.version }, sdp);
    endpoint.connect(answer.remote);
    return answer.sdp;
  }

  refused(): void {
    this.close();
  }

  ended(): void {
    this.close();
  }

  private async play(endpoint: AudioEndpoint, call: Call): Promise<void> {
    const { sound, repeat } = this.options;
    await this.pause(LEAD_IN_MS);
    for (let time = 1; time <= repeat && !this.isOver; time++) {
      if (time > 1) await this.pause(PAUSE_MS);
      if ((await endpoint.play(sound)) !== 'done') return;
    }
    if (this.isOver) return;
    this.isPlayed = true;
    await this.pause(LEAD_OUT_MS);
    call.finish('normal-clearing', 'SERVER');
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.setTimeout(resolve, ms);
    });
  }

  private close(): void {
    void this.endpoint?.close();
    if (this.isOver) return;
    this.isOver = true;
    this.options.onEnd();
  }
}
