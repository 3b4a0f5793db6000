import { displayWidth } from '../report/layout.js';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A line being edited, as what people take for characters, with a cursor between them. Bounded in bytes. */
export class LineBuffer {
  private cells: string[] = [];
  private bytes = 0;
  cursor = 0;
  /** Something typed did not fit; the line must not be run. */
  overflowed = false;

  constructor(private readonly maxBytes: number) {}

  get text(): string {
    return this.cells.join('');
  }

  get before(): string {
    return this.cells.slice(0, this.cursor).join('');
  }

  get length(): number {
    return this.cells.length;
  }

  /** Characters `from`..`to` as they stand. */
  slice(from: number, to?: number): readonly string[] {
    return this.cells.slice(from, to);
  }

  /** Puts a character in at the cursor; a combining one joins the one before. False when the line is full. */
  insert(char: string): boolean {
    const size = Buffer.byteLength(char);
    if (this.bytes + size > this.maxBytes) {
      this.overflowed = true;
      return false;
    }
    this.bytes += size;
    const previous = this.cells[this.cursor - 1];
    const joined = char > '\x7f' && previous !== undefined ? joinedCells(previous + char) : undefined;
    if (joined?.length === 1) {
      this.cells[this.cursor - 1] = joined[0]!;
    } else {
      this.cells.splice(this.cursor, 0, char);
      this.cursor++;
    }
    return true;
  }

  insertText(value: string): void {
    for (const char of value) this.insert(char);
  }

  /** Takes out `count` characters before the cursor. */
  deleteBefore(count: number): void {
    const taken = Math.min(count, this.cursor);
    this.remove(this.cursor - taken, taken);
    this.cursor -= taken;
  }

  /** Takes out `count` characters at the cursor. */
  deleteAfter(count: number): void {
    this.remove(this.cursor, count);
  }

  /** Takes out what stands before the cursor in `text`, to put something else there. */
  deleteTextBefore(value: string): void {
    this.deleteBefore(joinedCells(value).length);
  }

  clear(): void {
    this.cells = [];
    this.bytes = 0;
    this.cursor = 0;
    this.overflowed = false;
  }

  replace(value: string): void {
    this.clear();
    this.insertText(value);
  }

  /** Where the word before the cursor begins. */
  wordStart(): number {
    let at = this.cursor;
    while (at > 0 && !isWord(this.cells[at - 1]!)) at--;
    while (at > 0 && isWord(this.cells[at - 1]!)) at--;
    return at;
  }

  /** Where the word after the cursor ends. */
  wordEnd(): number {
    let at = this.cursor;
    while (at < this.cells.length && !isWord(this.cells[at]!)) at++;
    while (at < this.cells.length && isWord(this.cells[at]!)) at++;
    return at;
  }

  private remove(at: number, count: number): void {
    for (const cell of this.cells.splice(at, count)) this.bytes -= Buffer.byteLength(cell);
    this.overflowed = false;
  }
}

const isWord = (cell: string) => /[\p{L}\p{N}_]/u.test(cell);
const joinedCells = (value: string) => [...graphemes.segment(value)].map((part) => part.segment);

/** Columns that characters take together. */
export const cellsWidth = (cells: readonly string[]): number => displayWidth(cells.join(''));
