import { endOfQuotedString } from './quoted-string.js';
import { isSpaceCode, trimmed } from './token.js';

enum Code {
  Quote = 0x22,
  Open = 0x28,
  Close = 0x29,
  Comma = 0x2c,
  Less = 0x3c,
  Backslash = 0x5c,
}

/** Index just after the comment that opens at `at`, nested ones included (RFC 3261 §25.1); text end when unclosed. */
function endOfComment(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === Code.Backslash) i++;
    else if (code === Code.Open) depth++;
    else if (code === Code.Close && --depth === 0) return i + 1;
  }
  return text.length;
}

/** Where the part that opens at `at` ends: a quoted string, a URI in <>, a comment; `at + 1` for any other char. */
function skipPart(text: string, at: number, start: number): number {
  const code = text.charCodeAt(at);
  if (code === Code.Quote) return endOfQuotedString(text, at);
  if (code === Code.Less) return text.indexOf('>', at) + 1;
  // A parenthesis inside a URI's user part is a plain char: a comment starts after white space only.
  if (code === Code.Open && (at === start || isSpaceCode(text.charCodeAt(at - 1))))
    return endOfComment(text, at);
  return at + 1;
}

function addItem(items: string[], text: string, start: number, end: number): void {
  const item = trimmed(text, start, end);
  if (item !== '') items.push(item);
}

/**
 * The elements of a comma-separated header value, trimmed (RFC 3261 §7.3.1). Commas inside quoted strings, <> and
 * comments do not separate; empty elements are dropped; what an unclosed quote or < opens runs to the end. Linear.
 */
export function splitList(text: string): string[] {
  const items: string[] = [];
  let start = 0;
  let at = text.includes(',') ? 0 : text.length;
  while (at < text.length) {
    if (text.charCodeAt(at) === Code.Comma) {
      addItem(items, text, start, at);
      start = ++at;
      continue;
    }
    const next = skipPart(text, at, start);
    at = next > at ? next : text.length;
  }
  addItem(items, text, start, text.length);
  return items;
}
