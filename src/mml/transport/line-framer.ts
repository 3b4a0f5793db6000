const LF = 10;

/** Cuts a byte stream into lines of UTF-8. Bounded: throws RangeError when a line is too long. */
export class LineFramer {
  private pending: Buffer = Buffer.alloc(0);

  constructor(private readonly maxBytes: number) {}

  push(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
  }

  /** The next whole line without its end; undefined when none is there yet. */
  next(): string | undefined {
    const at = this.pending.indexOf(LF);
    if (at > this.maxBytes || (at < 0 && this.pending.length > this.maxBytes))
      throw new RangeError('line too long');
    if (at < 0) return undefined;
    const line = this.pending.toString('utf8', 0, at);
    this.pending = this.pending.subarray(at + 1);
    return line;
  }

  /** Bytes after the last line taken. */
  rest(): Buffer {
    return this.pending;
  }
}
