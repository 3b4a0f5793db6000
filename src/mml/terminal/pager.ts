import { displayWidth } from '../report/layout.js';
import type { Key } from './key-decoder.js';
import type { TerminalPort } from './terminal-port.js';

const MORE = '--More--';

/** Writes lines a screen at a time: space for a page, Enter for a line, `q` or Ctrl-C for the last line at once. */
export async function page(
  lines: readonly string[],
  pageLines: number,
  port: TerminalPort,
  nextKey: () => Promise<Key | undefined>,
): Promise<void> {
  let room = pageLines - 1;
  for (const [index, line] of lines.entries()) {
    const height = Math.max(1, Math.ceil(displayWidth(line) / port.columns()));
    if (height > room && index > 0) {
      const answer = await askMore(port, nextKey);
      if (answer === 'quit') {
        // With the blank line after it.
        const last = lines.findLastIndex((one) => one !== '');
        port.write(`${lines.slice(last).join('\r\n')}\r\n`);
        return;
      }
      room = answer === 'line' ? height : pageLines - 1;
    }
    port.write(`${line}\r\n`);
    room -= height;
  }
}

async function askMore(
  port: TerminalPort,
  nextKey: () => Promise<Key | undefined>,
): Promise<'page' | 'line' | 'quit'> {
  port.write(MORE);
  for (;;) {
    const key = await nextKey();
    const answer = key === undefined ? 'quit' : moreAnswer(key);
    if (!answer) continue;
    port.write(`\r${' '.repeat(MORE.length)}\r`);
    return answer;
  }
}

function moreAnswer(key: Key): 'page' | 'line' | 'quit' | undefined {
  if (key.kind === 'char') {
    if (key.char === ' ') return 'page';
    return key.char === 'q' || key.char === 'Q' ? 'quit' : undefined;
  }
  if (key.name === 'enter' || key.name === 'down') return 'line';
  return key.name === 'interrupt' || key.name === 'eof' ? 'quit' : undefined;
}
