const EMPTY = Buffer.alloc(0);

/**
 * Bytes waiting to be parsed: grows at the end, is consumed from the front. While it is otherwise empty it borrows the
 * chunk it is given, so a message that arrives in one piece is never copied; settle() ends the loan.
 */
export class StreamBuffer {
  private bytes: Buffer = EMPTY;
  private start = 0;
  private end = 0;
  private isBorrowed = false;

  get length(): number {
    return this.end - this.start;
  }

  append(chunk: Buffer): void {
    if (this.length === 0) {
      this.bytes = chunk;
      this.start = 0;
      this.end = chunk.length;
      this.isBorrowed = true;
      return;
    }
    this.own(this.length + chunk.length);
    chunk.copy(this.bytes, this.end);
    this.end += chunk.length;
  }

  /** Makes sure the bytes are our own and that `size` of them fit from the start on; linear over all calls. */
  private own(size: number): void {
    if (!this.isBorrowed && this.start + size <= this.bytes.length) return;
    const fits = !this.isBorrowed && size <= this.bytes.length / 2;
    const target = fits ? this.bytes : Buffer.allocUnsafe(size * 2);
    this.bytes.copy(target, 0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    this.bytes = target;
    this.isBorrowed = false;
  }

  /** Copies what is left of a borrowed chunk, so that its owner may reuse it; holds no memory when nothing is left. */
  settle(): void {
    if (this.length === 0) this.clear();
    else if (this.isBorrowed) this.own(this.length);
  }

  clear(): void {
    this.bytes = EMPTY;
    this.start = 0;
    this.end = 0;
    this.isBorrowed = false;
  }

  /** Byte at `index` from the front; it must be there. */
  at(index: number): number {
    return this.bytes[this.start + index]!;
  }

  /** Index from the front of the next `byte` at or after `from`; -1 when there is none. */
  indexOf(byte: number, from: number): number {
    const { bytes, start, end } = this;
    for (let at = start + from; at < end; at++) if (bytes[at] === byte) return at - start;
    return -1;
  }

  /** The first `length` bytes as latin1. */
  text(length: number): string {
    return this.bytes.toString('latin1', this.start, this.start + length);
  }

  drop(length: number): void {
    this.start += length;
  }
}
