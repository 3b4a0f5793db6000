import { MAX_HISTORY_LINES } from '../limits.js';

/** Lines an operator entered in this session, oldest first; never on disk. */
export class History {
  private lines: string[] = [];

  /** Keeps a line; blank ones and a repetition of the last are not kept. */
  add(line: string): void {
    if (line.trim() === '' || line === this.lines.at(-1)) return;
    this.lines.push(line);
    if (this.lines.length > MAX_HISTORY_LINES) this.lines.shift();
  }

  get length(): number {
    return this.lines.length;
  }

  at(index: number): string | undefined {
    return this.lines[index];
  }

  /** Index of the newest line before `from` that contains `part`, or -1. */
  search(part: string, from: number): number {
    const wanted = part.toLowerCase();
    for (let i = Math.min(from, this.lines.length) - 1; i >= 0; i--) {
      if (this.lines[i]!.toLowerCase().includes(wanted)) return i;
    }
    return -1;
  }
}
