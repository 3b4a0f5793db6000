import { endOfQuotedString, unquote } from './quoted-string.js';
import { isSpaceCode, isTokenCode, skipSpace } from './token.js';

/** One scheme with its parameters out of an authentication header (RFC 3261 §25.1, RFC 7235 §2.1). */
export interface AuthValue {
  /** As written, e.g. `Digest`; schemes compare without regard to case. */
  readonly scheme: string;
  /** Names in lower case; quoted values without their quotes and quoted pairs. */
  readonly params: ReadonlyMap<string, string>;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;

/** Walks an authentication header: schemes, and parameters `name = value`. */
class AuthScanner {
  at = 0;

  constructor(readonly text: string) {}

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** Skips commas and white space; whether there was a comma, or the text is at its end. */
  skipSeparators(): boolean {
    let hasComma = false;
    for (;;) {
      this.at = skipSpace(this.text, this.at);
      if (this.text.charCodeAt(this.at) !== COMMA) return hasComma || this.isAtEnd;
      hasComma = true;
      this.at++;
    }
  }

  token(): string {
    const start = this.at;
    while (isTokenCode(this.text.charCodeAt(this.at))) this.at++;
    return this.text.substring(start, this.at);
  }

  /** Whether a parameter starts here: a token and `=`. */
  get isAtParam(): boolean {
    let at = this.at;
    while (isTokenCode(this.text.charCodeAt(at))) at++;
    return at > this.at && this.text.charCodeAt(skipSpace(this.text, at)) === EQUALS;
  }

  /** Value after `=`, unquoted; undefined when malformed. What is not quoted runs to the next comma or space. */
  value(): string | undefined {
    this.at = skipSpace(this.text, skipSpace(this.text, this.at) + 1);
    const start = this.at;
    if (this.text.charCodeAt(start) === QUOTE) {
      const end = endOfQuotedString(this.text, start);
      this.at = end < 0 ? this.text.length : end;
      return end < 0 ? undefined : unquote(this.text.substring(start, end));
    }
    while (!this.isAtEnd && !this.isStop(this.text.charCodeAt(this.at))) this.at++;
    return this.at === start ? undefined : this.text.substring(start, this.at);
  }

  private isStop(code: number): boolean {
    return isSpaceCode(code) || code === COMMA || code === QUOTE;
  }

  /** The parameters of one scheme; undefined when one is malformed or there twice (RFC 7616 §3.3, RFC 7235 §2.1). */
  params(): Map<string, string> | undefined {
    const params = new Map<string, string>();
    while (this.isAtParam) {
      const name = this.token().toLowerCase();
      const value = this.value();
      if (value === undefined || params.has(name)) return undefined;
      params.set(name, value);
      if (!this.skipSeparators()) return undefined;
    }
    return params;
  }
}

/**
 * Parses an authentication header: one scheme with parameters, or several in one line. Undefined when it is malformed,
 * which includes a parameter given twice.
 */
export function parseAuthValues(text: string): AuthValue[] | undefined {
  const scanner = new AuthScanner(text);
  const values: AuthValue[] = [];
  scanner.skipSeparators();
  while (!scanner.isAtEnd) {
    const scheme = scanner.token();
    if (scheme === '' || !isSpaceCode(text.charCodeAt(scanner.at))) return undefined;
    scanner.at = skipSpace(text, scanner.at);
    const params = scanner.params();
    if (!params || params.size === 0) return undefined;
    values.push({ scheme, params });
  }
  return values;
}
