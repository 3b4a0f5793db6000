const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Index just after the quoted-string that opens at `at` (RFC 3261 §25.1), a quoted pair counting as one;
 * -1 when the closing quote is missing.
 */
export function endOfQuotedString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    if (code === BACKSLASH) i++;
  }
  return -1;
}

/** The text meant by a quoted-string, quoted pairs resolved; any other text comes back as it is (RFC 3261 §25.1). */
export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== QUOTE || text.charCodeAt(text.length - 1) !== QUOTE)
    return text;
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}

/** The text as a quoted-string. Line breaks, which no quoted pair may hold, become spaces (RFC 3261 §25.1). */
export function quoteString(text: string): string {
  return `"${text.replace(/[\r\n]+/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}
