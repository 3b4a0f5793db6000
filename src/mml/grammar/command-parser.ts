import { MmlError } from '../errors.js';
import { MAX_COMMAND_BYTES, MAX_PARAMS } from '../limits.js';

/** A parameter's value as written. */
export interface ParamValue {
  /** The whole value, quotes and escapes undone. */
  readonly text: string;
  /** Members of a list `a&b`; one member when it is no list. */
  readonly parts: readonly string[];
  readonly quoted: boolean;
}

/** `NAME=value`, or a bare keyword when `name` is undefined. */
export interface ParsedParam {
  /** Upper case. */
  readonly name: string | undefined;
  readonly value: ParamValue;
  /** Column of its first character, from 1. */
  readonly position: number;
}

/** A bare word before the parameters: verb, object, variant, keyword. */
export interface ParsedWord {
  /** Upper case. */
  readonly text: string;
  readonly position: number;
}

/** A command by its grammar alone; what the words mean is for the registry. */
export interface ParsedCommand {
  readonly words: readonly ParsedWord[];
  readonly params: readonly ParsedParam[];
}

const WORD = /[\p{L}\p{N}_.?*+-]/u;
const SPACE = /\s/;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/;

/**
 * Parses one command: `VERB OBJECT[: NAME=value, KEYWORD …]`, comma or white space between parameters.
 * Throws MmlError 1xxx with the position (in characters, from 1) of what is wrong.
 */
export function parseCommand(source: string): ParsedCommand {
  if (Buffer.byteLength(source) > MAX_COMMAND_BYTES) throw new MmlError(1008, { limit: MAX_COMMAND_BYTES });
  return new Parser(source).parse();
}

class Parser {
  private readonly chars: readonly string[];
  private at = 0;
  private readonly words: ParsedWord[] = [];
  private readonly params: ParsedParam[] = [];

  constructor(source: string) {
    this.chars = [...source];
  }

  parse(): ParsedCommand {
    this.head();
    this.tail();
    return { words: this.words, params: this.params };
  }

  /** Words up to the colon, the first `=`, the first comma or the end. */
  private head(): void {
    for (;;) {
      this.skipSpace();
      const position = this.at + 1;
      if (this.at >= this.chars.length) return;
      const word = this.word();
      if (this.peek() === '=' && this.words.length > 0) {
        this.addParam(this.assignment(word, position));
        this.separator();
        return;
      }
      this.words.push({ text: word.toUpperCase(), position });
      if (this.peek() === ':') {
        this.at++;
        return;
      }
      const spaced = this.skipSpace();
      if (this.peek() === ':') {
        this.at++;
        return;
      }
      if (this.peek() === ',') {
        this.separator();
        return;
      }
      if (!spaced && this.at < this.chars.length) this.unexpected();
    }
  }

  private tail(): void {
    this.skipSpace();
    while (this.at < this.chars.length) {
      const position = this.at + 1;
      if (this.peek() === ',') throw new MmlError(1006, { position });
      const word = this.word();
      if (this.peek() === '=') this.addParam(this.assignment(word, position));
      else this.addParam({ name: undefined, value: plainValue(word.toUpperCase()), position });
      this.separator();
    }
  }

  /** One comma, or white space, or the end. */
  private separator(): void {
    const spaced = this.skipSpace();
    if (this.at >= this.chars.length) return;
    if (this.peek() !== ',') {
      if (!spaced) this.unexpected();
      return;
    }
    this.at++;
    this.skipSpace();
    if (this.at >= this.chars.length || this.peek() === ',') {
      throw new MmlError(1006, { position: this.at + 1 });
    }
  }

  private addParam(param: ParsedParam): void {
    if (this.params.length >= MAX_PARAMS) throw new MmlError(1009, { limit: MAX_PARAMS });
    if (param.name !== undefined && this.params.some((other) => other.name === param.name)) {
      throw new MmlError(1007, { name: param.name });
    }
    this.params.push(param);
  }

  private assignment(word: string, position: number): ParsedParam {
    this.at++;
    const name = word.toUpperCase();
    const parts: string[] = [];
    let quoted = false;
    do {
      if (parts.length > 0) this.at++;
      const isQuoted = this.peek() === '"';
      quoted ||= isQuoted;
      parts.push(isQuoted ? this.quoted() : this.token());
      if (parts.at(-1) === '' && !isQuoted) throw new MmlError(1005, { position: this.at + 1, name });
    } while (this.peek() === '&');
    const next = this.peek();
    if (next !== undefined && next !== ',' && !SPACE.test(next)) this.unexpected();
    return { name, value: { text: parts.join('&'), parts, quoted }, position };
  }

  private quoted(): string {
    const position = this.at + 1;
    let value = '';
    for (this.at++; ; this.at++) {
      const char = this.peek();
      if (char === undefined || char === '\n') throw new MmlError(1004, { position });
      if (char === '"') break;
      if (char === '\\') {
        const escaped = this.chars[++this.at];
        if (escaped !== '"' && escaped !== '\\') throw new MmlError(1010, { position: this.at });
        value += escaped;
      } else {
        this.refuseControl(char);
        value += char;
      }
    }
    this.at++;
    return value;
  }

  private token(): string {
    let value = '';
    for (let char = this.peek(); char !== undefined; char = this.peek()) {
      if (SPACE.test(char) || char === ',' || char === '&' || char === '"') break;
      this.refuseControl(char);
      value += char;
      this.at++;
    }
    return value;
  }

  private word(): string {
    let word = '';
    for (let char = this.peek(); char !== undefined && WORD.test(char); char = this.peek()) {
      word += char;
      this.at++;
    }
    if (word === '') this.unexpected();
    return word;
  }

  private refuseControl(char: string): void {
    if (CONTROL.test(char)) throw new MmlError(1011, { position: this.at + 1 });
  }

  private unexpected(): never {
    const found = this.peek();
    if (found !== undefined) this.refuseControl(found);
    throw new MmlError(1001, {
      position: this.at + 1,
      found: found === undefined ? { en: 'end of the command', zh: '命令结束' } : found,
    });
  }

  private skipSpace(): boolean {
    const start = this.at;
    while (this.at < this.chars.length && SPACE.test(this.chars[this.at]!)) this.at++;
    return this.at > start;
  }

  private peek(): string | undefined {
    return this.chars[this.at];
  }
}

/** A value that is one plain word. */
export function plainValue(word: string): ParamValue {
  return { text: word, parts: [word], quoted: false };
}
