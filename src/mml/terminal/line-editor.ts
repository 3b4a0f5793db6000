import { MAX_LINE_BYTES } from '../limits.js';
import { displayWidth } from '../report/layout.js';
import type { History } from './history.js';
import type { Key, KeyName } from './key-decoder.js';
import { cellsWidth, LineBuffer } from './line-buffer.js';

/** What a key led to. */
export type EditorAction =
  | { readonly kind: 'edited' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'submit'; readonly line: string; readonly overflowed: boolean }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'eof' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'help' }
  | { readonly kind: 'redraw' };

export interface EditorOptions {
  readonly prompt: string;
  /** Nothing typed is shown, and history, completion and help are off: passwords. */
  readonly hidden?: boolean;
  /** Lines for the up arrow; no history when absent. */
  readonly history?: History;
  /** Tab and `?` are for the caller while this is true, else plain characters. */
  assisted(): boolean;
  columns(): number;
}

const MAX_SEARCH_CHARS = 40;
const EDITED: EditorAction = { kind: 'edited' };
const REFUSED: EditorAction = { kind: 'refused' };

/**
 * Edits one line. Pure: keys in, actions and text to write out. The line scrolls sideways when it is wider than the
 * terminal, and is drawn with carriage returns, spaces and backspaces alone, which every terminal obeys.
 */
export class LineEditor {
  readonly buffer = new LineBuffer(MAX_LINE_BYTES);
  private historyAt: number;
  private draft = '';
  private searchFor: string | undefined;
  private searchAt = 0;
  /** What the terminal shows after the prompt, and where its cursor is, in columns. */
  private shown = '';
  private shownPrompt = '';
  private shownCursor = 0;

  constructor(private readonly options: EditorOptions) {
    this.historyAt = options.history?.length ?? 0;
  }

  press(key: Key): EditorAction {
    if (this.searchFor !== undefined) {
      const action = this.searchKey(key);
      if (action) return action;
    }
    return key.kind === 'char' ? this.typed(key.char) : this.named(key.name);
  }

  private typed(char: string): EditorAction {
    if (char === '?' && this.isAssisted && !this.inQuotes) return { kind: 'help' };
    return this.buffer.insert(char) ? EDITED : REFUSED;
  }

  private get isAssisted(): boolean {
    return !this.options.hidden && this.options.assisted();
  }

  private get inQuotes(): boolean {
    return /^(?:[^"]|"(?:[^"\\]|\\.)*")*"(?:[^"\\]|\\.)*$/.test(this.buffer.before);
  }

  private named(name: KeyName): EditorAction {
    const { buffer } = this;
    switch (name) {
      case 'enter':
        return this.enter();
      case 'interrupt':
        return { kind: 'interrupt' };
      case 'eof':
        if (buffer.length === 0) return { kind: 'eof' };
        buffer.deleteAfter(1);
        return EDITED;
      case 'tab':
        return this.isAssisted ? { kind: 'complete' } : this.typed(' ');
      case 'redraw':
        return { kind: 'redraw' };
      case 'backspace':
        buffer.deleteBefore(1);
        return EDITED;
      case 'delete':
        buffer.deleteAfter(1);
        return EDITED;
      case 'kill-end':
        buffer.deleteAfter(buffer.length - buffer.cursor);
        return EDITED;
      case 'kill-start':
        buffer.deleteBefore(buffer.cursor);
        return EDITED;
      case 'kill-word':
        buffer.deleteBefore(buffer.cursor - buffer.wordStart());
        return EDITED;
      case 'up':
        return this.recall(this.historyAt - 1);
      case 'down':
        return this.recall(this.historyAt + 1);
      case 'search':
        return this.startSearch();
      case 'left':
      case 'right':
      case 'home':
      case 'end':
      case 'word-left':
      case 'word-right':
        buffer.cursor = this.moved(name);
        return EDITED;
      case 'escape':
        return EDITED;
    }
  }

  private moved(name: 'left' | 'right' | 'home' | 'end' | 'word-left' | 'word-right'): number {
    const { buffer } = this;
    switch (name) {
      case 'left':
        return Math.max(0, buffer.cursor - 1);
      case 'right':
        return Math.min(buffer.length, buffer.cursor + 1);
      case 'home':
        return 0;
      case 'end':
        return buffer.length;
      case 'word-left':
        return buffer.wordStart();
      case 'word-right':
        return buffer.wordEnd();
    }
  }

  private enter(): EditorAction {
    return { kind: 'submit', line: this.buffer.text, overflowed: this.buffer.overflowed };
  }

  private recall(index: number): EditorAction {
    const { history } = this.options;
    if (!history || index < 0 || index > history.length) return REFUSED;
    if (this.historyAt === history.length) this.draft = this.buffer.text;
    this.historyAt = index;
    this.buffer.replace(history.at(index) ?? this.draft);
    return EDITED;
  }

  private startSearch(): EditorAction {
    const { history } = this.options;
    if (!history) return REFUSED;
    this.searchFor = '';
    this.searchAt = history.length;
    this.draft = this.buffer.text;
    return EDITED;
  }

  /** Ctrl-R: the search takes characters, backspace, Ctrl-R again; anything else ends it and is obeyed. */
  private searchKey(key: Key): EditorAction | undefined {
    const history = this.options.history!;
    if (key.kind === 'char') {
      return this.find(this.searchFor + key.char, this.searchAt + 1);
    }
    if (key.name === 'search') return this.find(this.searchFor!, this.searchAt);
    if (key.name === 'backspace') return this.find(this.searchFor!.slice(0, -1), history.length);
    this.searchFor = undefined;
    if (key.name === 'interrupt' || key.name === 'escape') {
      this.buffer.replace(this.draft);
      return EDITED;
    }
    return undefined;
  }

  private find(part: string, from: number): EditorAction {
    this.searchFor = part.slice(0, MAX_SEARCH_CHARS);
    const found = part === '' ? -1 : this.options.history!.search(part, from);
    if (found < 0) return REFUSED;
    this.searchAt = found;
    this.buffer.replace(this.options.history!.at(found)!);
    return EDITED;
  }

  private get prompt(): string {
    return this.searchFor === undefined ? this.options.prompt : `(search) ${this.searchFor}: `;
  }

  /** Writes prompt and line anew, on a line of its own. */
  draw(): string {
    this.shown = '';
    this.shownPrompt = '';
    this.shownCursor = 0;
    return this.render();
  }

  /** Takes prompt and line off the screen; `draw` brings them back. */
  erase(): string {
    const width = displayWidth(this.shownPrompt) + displayWidth(this.shown);
    return `\r${' '.repeat(width)}\r`;
  }

  /** What brings the terminal from what it shows to what it should show. */
  render(): string {
    const { prompt } = this;
    const [visible, cursor] = this.options.hidden ? ['', 0] : this.window(prompt);
    if (prompt === this.shownPrompt && visible === this.shown && cursor === this.shownCursor) return '';
    let out: string;
    if (prompt === this.shownPrompt && this.isAppended(visible)) {
      out = visible.slice(this.shown.length);
    } else {
      const old = displayWidth(this.shownPrompt) + displayWidth(this.shown);
      const gap = Math.max(0, old - displayWidth(prompt) - displayWidth(visible));
      out = `\r${prompt}${visible}${' '.repeat(gap)}${'\b'.repeat(gap)}`;
    }
    out += '\b'.repeat(displayWidth(visible) - cursor);
    this.shown = visible;
    this.shownPrompt = prompt;
    this.shownCursor = cursor;
    return out;
  }

  /** Whether the new line is the shown one with more behind the cursor, and nothing that joins what is shown. */
  private isAppended(visible: string): boolean {
    const width = displayWidth(this.shown);
    if (!visible.startsWith(this.shown) || this.shownCursor !== width) return false;
    const added = displayWidth(visible.slice(this.shown.length));
    return added > 0 && displayWidth(visible) === width + added;
  }

  /** The part of the line that fits, with the cursor in it, and the cursor's column. */
  private window(prompt: string): [string, number] {
    const room = Math.max(8, this.options.columns() - displayWidth(prompt) - 1);
    const { buffer } = this;
    if (buffer.length * 2 <= room || cellsWidth(buffer.slice(0)) <= room) {
      return [buffer.text, cellsWidth(buffer.slice(0, buffer.cursor))];
    }
    // Scrolling in steps keeps the text from moving at each key.
    const step = Math.max(1, Math.floor(room / 4));
    let from = Math.floor(Math.max(0, buffer.cursor - step) / step) * step;
    while (cellsWidth(buffer.slice(from, buffer.cursor)) > room) from++;
    let to = Math.min(buffer.length, from + room);
    while (to > buffer.cursor && cellsWidth(buffer.slice(from, to)) > room) to--;
    return [buffer.slice(from, to).join(''), cellsWidth(buffer.slice(from, buffer.cursor))];
  }
}
