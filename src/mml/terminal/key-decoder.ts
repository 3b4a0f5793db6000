/** Keys that mean something to the console. */
export type KeyName =
  | 'enter'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'up'
  | 'down'
  | 'home'
  | 'end'
  | 'tab'
  | 'interrupt'
  | 'eof'
  | 'kill-end'
  | 'kill-start'
  | 'kill-word'
  | 'search'
  | 'redraw'
  | 'escape';

/** A key pressed, or a character typed. */
export type Key =
  | { readonly kind: 'key'; readonly name: KeyName }
  | { readonly kind: 'char'; readonly char: string };

const CONTROLS: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\x08': 'backspace',
  '\x01': 'home',
  '\x02': 'left',
  '\x03': 'interrupt',
  '\x04': 'eof',
  '\x05': 'end',
  '\x06': 'right',
  '\x07': 'escape',
  '\x0b': 'kill-end',
  '\x0c': 'redraw',
  '\x0e': 'down',
  '\x10': 'up',
  '\x12': 'search',
  '\x15': 'kill-start',
  '\x17': 'kill-word',
};

/** Escape sequences of VT100, xterm, Linux console, PuTTY and tmux, without the `ESC`. */
const SEQUENCES: Readonly<Record<string, KeyName>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[7~': 'home',
  '[4~': 'end',
  '[8~': 'end',
  '[3~': 'delete',
  '[1;5C': 'word-right',
  '[1;5D': 'word-left',
  b: 'word-left',
  f: 'word-right',
  '\x7f': 'kill-word',
};

const MAX_SEQUENCE_CHARS = 16;

/** Keys of single characters below 128, made once: a pasted megabyte would be as many objects. Undefined: does nothing. */
const ASCII_KEYS: readonly (Key | undefined)[] = Array.from({ length: 128 }, (_, code) =>
  keyOf(String.fromCharCode(code)),
);

function keyOf(char: string): Key | undefined {
  const control = CONTROLS[char];
  if (control) return { kind: 'key', name: control };
  // Other control characters do nothing.
  return /[\x00-\x1f\x80-\x9f\ufeff]/.test(char) ? undefined : { kind: 'char', char };
}

/** Turns bytes into keys: UTF-8 and escape sequences may be cut anywhere. Broken UTF-8 becomes U+FFFD. */
export class KeyDecoder {
  private readonly utf8 = new TextDecoder('utf-8');
  /** Characters of an escape sequence after `ESC`; undefined outside of one. */
  private sequence: string | undefined;

  push(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    for (const char of this.utf8.decode(bytes, { stream: true })) {
      const key = this.sequence === undefined ? this.plain(char) : this.escaped(char);
      if (key) keys.push(key);
    }
    return keys;
  }

  private plain(char: string): Key | undefined {
    if (char === '\x1b') {
      this.sequence = '';
      return undefined;
    }
    const code = char.charCodeAt(0);
    return code < ASCII_KEYS.length ? ASCII_KEYS[code] : keyOf(char);
  }

  private escaped(char: string): Key | undefined {
    if (char === '\x1b' || (this.sequence === '' && (char === '\r' || char === '\n' || char === '\x03'))) {
      // A lone ESC before another key.
      this.sequence = char === '\x1b' ? '' : undefined;
      return char === '\x1b' ? { kind: 'key', name: 'escape' } : this.plain(char);
    }
    const sequence = this.sequence! + char;
    if (this.isUnfinished(sequence)) {
      this.sequence = sequence;
      return undefined;
    }
    this.sequence = undefined;
    const name = SEQUENCES[sequence];
    return name ? { kind: 'key', name } : undefined;
  }

  /** ECMA-48: CSI takes parameter and intermediate bytes (0x20-0x3f) up to a final one; SS3 takes one more. */
  private isUnfinished(sequence: string): boolean {
    if (sequence === '[' || sequence === 'O') return true;
    return (
      sequence.startsWith('[') &&
      /^[\x20-\x3f]$/.test(sequence.at(-1)!) &&
      sequence.length < MAX_SEQUENCE_CHARS
    );
  }
}
