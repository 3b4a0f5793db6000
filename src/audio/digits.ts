import type { RtpPacket } from './rtp.js';

/** Events 0 to 15 (RFC 4733 §3.2). */
const DIGITS = '0123456789*#ABCD';

/** Finds the beginnings of telephone events: all packets of one event carry the timestamp of its first (RFC 4733 §2.5.1.2). */
export class DigitReader {
  private last: number | undefined;

  /** The digit that begins with this packet; undefined for the rest of one. */
  read({ timestamp, payload }: RtpPacket): string | undefined {
    if (timestamp === this.last || payload.length < 4) return undefined;
    this.last = timestamp;
    return DIGITS[payload[0]!];
  }
}
