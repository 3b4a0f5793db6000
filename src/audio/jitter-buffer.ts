import { FRAME_SAMPLES } from './frame.js';

/** Samples kept: about a second. */
const CAPACITY = 8192;
/** How far reading stays behind the first packet, samples: what jitter may take, 40 ms. */
const DELAY_SAMPLES = 2 * FRAME_SAMPLES;
/** More than this waiting, samples: the sender's clock runs ahead, or it held packets back; reading catches up. */
const MAX_WAITING_SAMPLES = 10 * FRAME_SAMPLES;
/** Packets in a row that came too late before reading steps back to them. */
const MAX_LATE = 3;

/**
 * Received audio by its RTP timestamps: packets of any length, in any order, twice or not at all, become frames of 20 ms
 * at a steady pace. What never came is silence.
 */
export class JitterBuffer {
  /** Packets that came too late to be heard. */
  late = 0;
  private readonly samples = new Int16Array(CAPACITY);
  private readonly frame = new Int16Array(FRAME_SAMPLES);
  /** Timestamp that is read next, and that behind the last one written; undefined until a packet came. */
  private readAt: number | undefined;
  private writtenTo = 0;
  private ssrc = 0;
  private lateInARow = 0;

  /** Takes the samples of a packet. */
  write(ssrc: number, timestamp: number, samples: Int16Array): void {
    if (samples.length > CAPACITY / 2) return;
    if (this.readAt === undefined || ssrc !== this.ssrc) this.restart(ssrc, timestamp);
    let ahead = distance(this.readAt!, timestamp);
    if (ahead < 0) {
      this.late++;
      if (++this.lateInARow < MAX_LATE) return;
      this.restart(ssrc, timestamp);
      ahead = DELAY_SAMPLES;
    }
    this.lateInARow = 0;
    if (ahead + samples.length > CAPACITY) {
      this.restart(ssrc, timestamp);
      ahead = DELAY_SAMPLES;
    }
    for (let i = 0; i < samples.length; i++) this.samples[(timestamp + i) % CAPACITY] = samples[i]!;
    const end = (timestamp + samples.length) >>> 0;
    if (distance(this.writtenTo, end) > 0) this.writtenTo = end;
    if (distance(this.readAt!, this.writtenTo) > MAX_WAITING_SAMPLES)
      this.skipTo((this.writtenTo - DELAY_SAMPLES) >>> 0);
  }

  /** The next 20 ms; undefined when there is nothing to be heard. The array is good until the next call. */
  read(): Int16Array | undefined {
    if (this.readAt === undefined) return undefined;
    const isSilent = distance(this.readAt, this.writtenTo) <= 0;
    const start = this.readAt;
    this.readAt = (start + FRAME_SAMPLES) >>> 0;
    if (isSilent) {
      this.writtenTo = this.readAt;
      return undefined;
    }
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = (start + i) % CAPACITY;
      this.frame[i] = this.samples[at]!;
      this.samples[at] = 0;
    }
    return this.frame;
  }

  private restart(ssrc: number, timestamp: number): void {
    this.samples.fill(0);
    this.ssrc = ssrc;
    this.lateInARow = 0;
    this.readAt = (timestamp - DELAY_SAMPLES) >>> 0;
    this.writtenTo = timestamp;
  }

  private skipTo(timestamp: number): void {
    for (let at = this.readAt!; at !== timestamp; at = (at + 1) >>> 0) this.samples[at % CAPACITY] = 0;
    this.readAt = timestamp;
  }
}

/** How far timestamp `to` is after `from`, modulo 2^32. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}
