import { FRAME_SAMPLES } from './frame.js';
import { Player } from './player.js';

/** Who is in a mix: says something each frame, and is given what the others said. */
export interface MixParty {
  muted: boolean;
  /** Its 20 ms, undefined for silence; called once a frame. */
  hear(): Int16Array | undefined;
  /** The sum of the others. The array is good until the return. */
  tell(frame: Int16Array): void;
}

/** Adds up what several parties say, 20 ms at a time: each hears the sum without its own part. */
export class Mix {
  private readonly parties = new Set<MixParty>();
  private readonly players = new Set<Player>();
  private readonly sum = new Int32Array(FRAME_SAMPLES);
  private readonly out = new Int16Array(FRAME_SAMPLES);

  get size(): number {
    return this.parties.size;
  }

  add(party: MixParty): void {
    this.parties.add(party);
  }

  remove(party: MixParty): void {
    this.parties.delete(party);
  }

  /** Plays a sound once, for everybody. */
  play(samples: Int16Array): void {
    const player = new Player(samples, false, () => this.players.delete(player));
    this.players.add(player);
  }

  /** One frame. */
  run(): void {
    const { sum } = this;
    sum.fill(0);
    for (const player of this.players) add(sum, player.read());
    const said = new Map<MixParty, Int16Array>();
    for (const party of this.parties) {
      const frame = party.hear();
      if (!frame || party.muted) continue;
      said.set(party, frame);
      add(sum, frame);
    }
    for (const party of this.parties) party.tell(this.without(said.get(party)));
  }

  private without(own: Int16Array | undefined): Int16Array {
    const { sum, out } = this;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      out[i] = clip(own ? sum[i]! - own[i]! : sum[i]!);
    }
    return out;
  }
}

function add(sum: Int32Array, frame: Int16Array | undefined): void {
  if (!frame) return;
  for (let i = 0; i < FRAME_SAMPLES; i++) sum[i] = sum[i]! + frame[i]!;
}

/** The sum of two 16-bit frames, clipped, into the first. */
export function addInto(frame: Int16Array, other: Int16Array): void {
  for (let i = 0; i < frame.length; i++) frame[i] = clip(frame[i]! + other[i]!);
}

function clip(value: number): number {
  return Math.max(-32_768, Math.min(32_767, value));
}
