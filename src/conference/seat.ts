import { answerAudio, audioOffer, readAudioAnswer } from '../audio/describe.js';
import type { AudioEndpoint, AudioEndpointUser, AudioRemote } from '../audio/types.js';
import type { SeatLine } from '../call/conference-port.js';
import { CallRefusedError } from '../call/errors.js';
import type { LocalParty } from '../call/local-phone.js';
import { BadSdpError } from '../media/types.js';
import { errorMessage } from '../platform/errors.js';

/** What a seat asks of the conferences. */
export interface SeatHost {
  /** Takes the seat. Rejects with CallRefusedError when nobody else comes in. */
  enter(seat: Seat): Promise<void>;
  open(user: AudioEndpointUser, offer: string | undefined): Promise<AudioEndpoint>;
  /** It hears and is heard from now on. */
  joined(seat: Seat): void;
  left(seat: Seat): void;
}

/** One member of a room, as its call sees it: what answers, and its voice in the mix. */
export class Seat implements LocalParty {
  /** An operator has it heard no more. */
  isMuted = false;
  /** Its phone holds the call. */
  isHeld = false;
  /** Wall milliseconds. */
  since = 0;
  private endpoint: AudioEndpoint | undefined;
  private version = 0;
  private hasEntered = false;
  private hasJoined = false;
  private isOver = false;

  constructor(
    readonly room: string,
    readonly line: SeatLine,
    /** The trunk that the caller is beyond. */
    readonly trunk: string | undefined,
    private readonly host: SeatHost,
  ) {}

  async describe(offer: string | undefined): Promise<string> {
    const { address, port } = await this.voice(offer);
    const local = { address, port, version: ++this.version };
    if (offer === undefined) return audioOffer(local);
    const { sdp, remote } = answerAudio(local, offer);
    this.connect(remote);
    return sdp;
  }

  /** An answer that takes nothing leaves the member without sound, as one on hold. */
  accept(answer: string): void {
    try {
      this.connect(readAudioAnswer(answer));
    } catch (error) {
      if (!(error instanceof BadSdpError)) throw error;
      this.isHeld = true;
      if (this.hasJoined) this.takePart();
    }
  }

  ended(): void {
    if (this.isOver) return;
    this.isOver = true;
    void this.endpoint?.close();
    if (this.hasEntered) this.host.left(this);
  }

  /** It was heard by the others. */
  get wasIn(): boolean {
    return this.hasJoined;
  }

  mute(isMuted: boolean): void {
    this.isMuted = isMuted;
    this.takePart();
  }

  private async voice(offer: string | undefined): Promise<AudioEndpoint> {
    if (this.endpoint) return this.endpoint;
    const { host } = this;
    await host.enter(this);
    this.hasEntered = true;
    if (this.isOver) host.left(this);
    try {
      const onLost = (): void => this.line.call?.finish('media-failed', 'SERVER');
      this.endpoint = await host.open({ onLost }, offer);
    } catch (error) {
      this.ended();
      throw new CallRefusedError('media-unavailable', errorMessage(error));
    }
    if (this.isOver) void this.endpoint.close();
    return this.endpoint;
  }

  private connect(remote: AudioRemote): void {
    if (this.isOver) return;
    this.endpoint?.connect(remote);
    // RFC 3264 §8.4: who does not want to hear holds the call; its music is not for the others.
    this.isHeld = !remote.isSending;
    this.takePart();
    if (this.hasJoined) return;
    this.hasJoined = true;
    this.host.joined(this);
  }

  private takePart(): void {
    this.endpoint?.join(mixOf(this.room), { muted: this.isMuted || this.isHeld });
  }
}

/** The mix of a room. */
export function mixOf(room: string): string {
  return `conference ${room}`;
}
