import { FrameError } from './errors.js';

/** Largest frame taken or made, prefix not counted; bytes. Real messages stay far below it. */
export const MAX_FRAME_BYTES = 2 * 1024 * 1024;
/** Digits in the decimal form of MAX_FRAME_BYTES. */
const MAX_PREFIX_DIGITS = 7;
const HASH = 0x23;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Cuts a byte stream into frames `<decimal byte count>#<bytes>`, whatever the chunks it comes in.
 * `push` throws FrameError when the prefix is no number of 1..MAX_FRAME_BYTES; the stream is then unusable.
 */
export class FrameDecoder {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  /** Bytes of prefix and frame wanted before the next cut; 0 while the prefix is incomplete. */
  private wantedBytes = 0;

  /** `onFrame` gets each frame without its prefix, a char for each octet. It may call `stop`. */
  constructor(private readonly onFrame: (frame: string) => void) {}

  /** Bytes held for a frame that is not complete. */
  get bufferedBytes(): number {
    return this.pendingBytes;
  }

  /** Drops what is held and ignores what comes. */
  stop(): void {
    this.pending = [];
    this.pendingBytes = 0;
    this.stopped = true;
  }

  private stopped = false;

  push(chunk: Buffer): void {
    if (this.stopped || chunk.length === 0) return;
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
    if (this.pendingBytes < this.wantedBytes) return;
    const data = this.pending.length === 1 ? chunk : Buffer.concat(this.pending);
    let at = 0;
    while (!this.stopped && at < data.length) {
      const prefix = readPrefix(data, at);
      const end = prefix ? prefix.start + prefix.length : 0;
      this.wantedBytes = prefix ? end - at : 0;
      if (!prefix || data.length < end) break;
      at = end;
      this.wantedBytes = 0;
      this.onFrame(data.toString('latin1', prefix.start, end));
    }
    this.pending = this.stopped || at === data.length ? [] : [data.subarray(at)];
    this.pendingBytes = this.stopped ? 0 : data.length - at;
  }
}

/** Where the frame whose prefix is at `at` starts and how long it is; undefined while the prefix is incomplete. */
function readPrefix(data: Buffer, at: number): { start: number; length: number } | undefined {
  let length = 0;
  for (let i = 0; i <= MAX_PREFIX_DIGITS; i++) {
    const byte = data[at + i];
    if (byte === undefined) return undefined;
    if (byte === HASH && i > 0 && length > 0 && length <= MAX_FRAME_BYTES)
      return { start: at + i + 1, length };
    if (byte < ZERO || byte > NINE) throw new FrameError('frame prefix is not a length');
    length = length * 10 + (byte - ZERO);
  }
  throw new FrameError('frame is too long');
}

/** A frame ready to be written, a char for each octet: prefix, leader and, when there is a payload, CRLF and that. */
export function encodeFrame(leader: string, payload?: string): string {
  if (payload === undefined) return `${leader.length}#${leader}`;
  return `${leader.length + 2 + payload.length}#${leader}\r\n${payload}`;
}
