/** Lines kept by default, and the most characters of all of them together. */
const MAX_LINES = 5000;
const MAX_CHARS = 4 * 1024 * 1024;
/** A longer line is cut. */
const MAX_LINE_CHARS = 8192;

/** The newest log lines, as they were written: bounded by count and by size, the oldest give way. */
export class LogRing {
  private lines: string[] = [];
  /** Index of the oldest line that is kept; what is before it is dropped now and then. */
  private first = 0;
  private chars = 0;
  /** Lines ever pushed. */
  pushed = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly maxLines = MAX_LINES,
    private readonly maxChars = MAX_CHARS,
  ) {}

  push(line: string): void {
    const kept = line.length > MAX_LINE_CHARS ? line.slice(0, MAX_LINE_CHARS) : line;
    this.lines.push(kept);
    this.chars += kept.length;
    this.pushed++;
    while (this.size > this.maxLines || this.chars > this.maxChars) this.dropOldest();
    if (this.waiting.size > 0) this.wake();
  }

  /** Calls `listener` at the next line, once; what it returns takes that back. The listener must not log. */
  onceLine(listener: () => void): () => void {
    this.waiting.add(listener);
    return () => this.waiting.delete(listener);
  }

  get size(): number {
    return this.lines.length - this.first;
  }

  /** From the newest to the oldest, at most so many. */
  *newestFirst(count = this.size): Generator<string> {
    const last = Math.max(this.first, this.lines.length - count);
    for (let i = this.lines.length - 1; i >= last; i--) yield this.lines[i]!;
  }

  /** Forgets the oldest lines while `isOld` holds; returns how many. */
  clear(isOld: (line: string) => boolean = () => true): number {
    let count = 0;
    while (this.size > 0 && isOld(this.lines[this.first]!)) {
      this.dropOldest();
      count++;
    }
    return count;
  }

  private wake(): void {
    for (const listener of [...this.waiting]) listener();
  }

  private dropOldest(): void {
    this.chars -= this.lines[this.first]!.length;
    this.lines[this.first] = '';
    this.first++;
    if (this.first * 2 < this.lines.length) return;
    this.lines = this.lines.slice(this.first);
    this.first = 0;
  }
}
