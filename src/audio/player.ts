import { FRAME_SAMPLES } from './frame.js';
import type { PlayEnd } from './types.js';

/** Steps through a sound, frame by frame. */
export class Player {
  private at = 0;
  private isOver = false;
  private readonly frame = new Int16Array(FRAME_SAMPLES);

  /** `onEnd` is called once. */
  constructor(
    private readonly samples: Int16Array,
    private readonly loop: boolean,
    private readonly onEnd: (how: PlayEnd) => void,
  ) {}

  /** The next 20 ms, the last ones filled up with silence; undefined when it is over. Good until the next call. */
  read(): Int16Array | undefined {
    if (this.isOver) return undefined;
    if (this.at >= this.samples.length) {
      if (!this.loop || this.samples.length === 0) {
        this.end('done');
        return undefined;
      }
      this.at = 0;
    }
    const part = this.samples.subarray(this.at, this.at + FRAME_SAMPLES);
    this.frame.fill(0, part.length);
    this.frame.set(part);
    this.at += FRAME_SAMPLES;
    return this.frame;
  }

  end(how: PlayEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onEnd(how);
  }
}
