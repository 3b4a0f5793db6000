const TOKEN_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~";

/** 1 for each byte that a `token` may hold (RFC 3261 §25.1). */
const IS_TOKEN = new Uint8Array(256);
for (const char of TOKEN_CHARS) IS_TOKEN[char.charCodeAt(0)] = 1;

/** Whether a char code may stand in a `token` (RFC 3261 §25.1). */
export function isTokenCode(code: number): boolean {
  return IS_TOKEN[code] === 1;
}

/** Whether the text is a `token`: a method, a parameter name, a header name (RFC 3261 §25.1). */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (IS_TOKEN[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

const SPACE = 0x20;
const TAB = 0x09;

/** Whether a char code is WSP (RFC 3261 §25.1). Line breaks never occur in a value: the parser has unfolded it. */
export function isSpaceCode(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Index of the first char at or after `at` that is no white space. */
export function skipSpace(text: string, at: number): number {
  while (isSpaceCode(text.charCodeAt(at))) at++;
  return at;
}

/** `text.slice(start, end)` without surrounding white space. */
export function trimmed(text: string, start: number, end: number): string {
  while (start < end && isSpaceCode(text.charCodeAt(start))) start++;
  while (end > start && isSpaceCode(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}
