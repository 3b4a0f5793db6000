import { cutTo } from '../report/layout.js';
import { type Bilingual, fillText, inLanguage, type Language, text } from '../text.js';
import type { TerminalPort } from './terminal-port.js';

const HOME = '\x1b[H';
const CLEAR = '\x1b[2J';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

const FOOT = text('Ctrl-C or q ends', 'Ctrl-C 或 q 结束');
const CUT: Bilingual = text(
  '... {count} lines more: make the window larger',
  '…… 还有 {count} 行：请放大窗口',
);

/** Draws a report again and again in the same place of a terminal, cut to its window. */
export class LiveScreen {
  private isDrawn = false;

  constructor(
    private readonly port: TerminalPort,
    private readonly language: Language,
  ) {}

  draw(lines: readonly string[]): void {
    const { port, language } = this;
    // A line that fills its row would move the cursor on some terminals and not on others.
    const width = Math.max(1, port.columns() - 1);
    const room = Math.max(2, port.rows() - 1);
    const hidden = lines.length > room ? lines.length - room + 1 : 0;
    const shown = hidden
      ? [...lines.slice(0, room - 1), fillText(inLanguage(CUT, language), { count: hidden })]
      : lines;
    const body = shown.map((line) => `${cutTo(line, width)}${CLEAR_LINE}\r\n`).join('');
    const foot = cutTo(inLanguage(FOOT, language), width);
    port.write(`${this.isDrawn ? '' : CLEAR}${HOME}${body}${foot}${CLEAR_BELOW}`);
    this.isDrawn = true;
  }

  /** Leaves the last report standing, the cursor below it. */
  end(): void {
    if (this.isDrawn) this.port.write(`\r${CLEAR_LINE}`);
  }
}
