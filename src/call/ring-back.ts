import { answerAudio } from '../audio/describe.js';
import type { AudioEndpoint } from '../audio/types.js';
import { errorMessage } from '../platform/errors.js';
import type { Announcer } from './announcing.js';
import type { Call } from './call.js';
import type { Leg } from './leg.js';

/**
 * What the party that stays hears while those ring to whom its call is transferred: their early media, else a ringing tone of our
 * own. It comes from the relay's port that the party knows already, so the party is asked nothing. Whoever goes on with the
 * old call has its media put back by `CallMedia.restore`.
 */
export class RingBack {
  private endpoint: AudioEndpoint | undefined;
  private hasStarted = false;
  private isOver = false;

  /** `leaves` is whose place the new phone will have; `offer` what that phone was offered. */
  constructor(
    private readonly call: Call,
    private readonly leaves: Leg,
    private readonly offer: string,
    private readonly announcer: Announcer | undefined,
  ) {}

  /** A phone rings: the tone begins, once. Without audio of our own the party hears nothing new. */
  ring(): void {
    if (this.hasStarted || this.isOver) return;
    this.hasStarted = true;
    this.play().catch((error: unknown) => this.note(error));
  }

  /** A phone sends early media, in place of the tone and of what others sent. */
  early(leg: Leg, sdp: string): void {
    if (this.isOver) return;
    this.hasStarted = true;
    this.silence();
    this.call.media.earlyAnswer(this.leaves.side, sdp, leg.peer).catch((error: unknown) => this.note(error));
  }

  stop(): void {
    this.isOver = true;
    this.silence();
  }

  private silence(): void {
    void this.endpoint?.close();
    this.endpoint = undefined;
  }

  private async play(): Promise<void> {
    const { call, leaves, announcer } = this;
    const endpoint = await announcer?.open({}, this.offer);
    if (!endpoint) return;
    if (this.isOver) {
      await endpoint.close();
      return;
    }
    this.endpoint = endpoint;
    const { sdp, remote } = answerAudio(endpoint, this.offer);
    await call.media.earlyAnswer(leaves.side, sdp, { signallingAddress: endpoint.address });
    if (this.endpoint !== endpoint) return;
    endpoint.connect(remote);
    await endpoint.play({ tone: 'ringing' }, { loop: true });
  }

  private note(error: unknown): void {
    this.call.log.info({ reason: errorMessage(error) }, 'the party that stays hears no ringing');
    this.silence();
  }
}
