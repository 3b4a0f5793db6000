import type { ReleaseParty } from '../cdr/types.js';
import type { MediaSide, MediaStreamStats } from '../media/types.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import type { CallMedia } from './call-media.js';
import type { Leg } from './leg.js';
import type { CallState } from './types.js';

/** When a call without media is over. */
export interface SilencePolicy {
  /** For legs that say nothing of it, seconds; 0: never. */
  readonly silenceSec: number;
  /** Whether both parties have to be silent, or one of them is enough. */
  readonly of: 'both' | 'either';
  /** Silence counts while a party holds the call, too. */
  readonly whenHeld: boolean;
}

/** Whose media is watched. */
export interface HeardCall {
  readonly media: Pick<CallMedia, 'stats' | 'sends'>;
  readonly state: CallState;
  readonly legs: readonly Leg[];
  /** No packet came for too long, from that party or from neither. */
  onSilence(by: ReleaseParty): void;
}

/** The relay is asked so often within the time that a leg may be silent. */
const LOOKS = 5;

interface Heard {
  packets: number | undefined;
  /** Monotonic milliseconds of the look that saw the last new packet. */
  atMs: number;
}

/**
 * Ends calls whose media has stopped: asks the relay now and then how many packets came from either side. What the relay does
 * not tell says nothing; figures that it has told and tells no more, since it has freed the ports, are silence.
 */
export class SilenceWatch {
  private timer: TimerHandle | undefined;
  private readonly heard: Record<MediaSide, Heard> = {
    a: { packets: undefined, atMs: 0 },
    b: { packets: undefined, atMs: 0 },
  };

  constructor(
    private readonly call: HeardCall,
    private readonly clock: Clock,
    private readonly policy: SilencePolicy,
  ) {}

  /** Begins, or begins anew with other parties. */
  start(): void {
    this.stop();
    this.reset();
    this.schedule();
  }

  stop(): void {
    this.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private reset(): void {
    for (const side of Object.values(this.heard)) side.atMs = this.clock.monotonic();
  }

  /** Longest silence of a side, milliseconds; Infinity for any. When both have to be silent the shorter time counts. */
  private limitOf(side: MediaSide): number {
    const { call, policy } = this;
    const legs = call.legs.filter((leg) => policy.of === 'both' || leg.side === side);
    const limits = legs.map((leg) => (leg.limits?.silenceSec ?? policy.silenceSec) * 1000);
    return Math.min(...limits.filter((limit) => limit > 0));
  }

  private schedule(): void {
    const shortest = Math.min(this.limitOf('a'), this.limitOf('b'));
    if (!Number.isFinite(shortest)) return;
    this.timer = this.clock.setTimeout(() => {
      void this.look();
    }, shortest / LOOKS);
  }

  private async look(): Promise<void> {
    const { timer, call, policy } = this;
    const streams = await call.media.stats();
    // Ended meanwhile, or begun anew.
    if (this.timer !== timer) return;
    this.note('a', sum(streams, 'packetsFromA'));
    this.note('b', sum(streams, 'packetsFromB'));
    if (call.state === 'held' && !policy.whenHeld) this.reset();
    const silent = this.silent();
    if (silent) call.onSilence(silent);
    else this.schedule();
  }

  private note(side: MediaSide, packets: number | undefined): void {
    const heard = this.heard[side];
    const isUnknown = packets === undefined && heard.packets === undefined;
    if (isUnknown || (packets !== undefined && packets !== heard.packets))
      heard.atMs = this.clock.monotonic();
    if (packets !== undefined) heard.packets = packets;
  }

  /** Who is to blame for an end by silence; undefined while there is none. */
  private silent(): ReleaseParty | undefined {
    const { call, policy } = this;
    const [a, b] = [this.isSilent('a'), this.isSilent('b')];
    if (a && b) return 'SERVER';
    // A conference room sends all the time, which says nothing of whether anybody is there.
    const hasFocus = call.legs.some((leg) => leg.isFocus);
    if (policy.of === 'both' && !hasFocus) return undefined;
    // Who was asked not to send, or said that it would not, is silent by right (RFC 3264 §5.1).
    const found = call.legs.find(
      ({ side, isFocus }) => !isFocus && (side === 'a' ? a : b) && call.media.sends(side),
    );
    return found?.party;
  }

  private isSilent(side: MediaSide): boolean {
    return this.clock.monotonic() - this.heard[side].atMs >= this.limitOf(side);
  }
}

function sum(
  streams: readonly MediaStreamStats[],
  figure: 'packetsFromA' | 'packetsFromB',
): number | undefined {
  const known = streams.map((stream) => stream[figure]).filter((packets) => packets !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, packets) => total + packets, 0);
}
