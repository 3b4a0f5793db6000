import { displayWidth } from '../../src/mml/report/layout.js';

/** The least of terminals: one line at a time, knowing carriage return, backspace, line feed and bell. */
export class Screen {
  readonly lines: string[] = [];
  private cells: string[] = [];
  private column = 0;
  bells = 0;

  write(value: string): void {
    for (const { segment } of new Intl.Segmenter('en').segment(value))
      for (const one of split(segment)) this.put(one);
  }

  private put(char: string): void {
    if (char === '\r') this.column = 0;
    else if (char === '\b') this.column = Math.max(0, this.column - 1);
    else if (char === '\x07') this.bells++;
    else if (char === '\n') {
      this.lines.push(this.line);
      this.cells = [];
      this.column = 0;
    } else {
      const width = displayWidth(char);
      while (this.cells.length < this.column) this.cells.push(' ');
      this.cells[this.column] = char;
      // A wide character covers the next cell as well.
      for (let i = 1; i < width; i++) this.cells[this.column + i] = '';
      this.column += width;
    }
  }

  /** The present line as seen, without trailing blanks. */
  get line(): string {
    return this.cells.join('').trimEnd();
  }

  get cursor(): number {
    return this.column;
  }
}

const split = (segment: string) => (segment === '\r\n' ? ['\r', '\n'] : [segment]);
