/** Unreserved chars that never need an escape (RFC 3261 §25.1). */
const UNRESERVED = "A-Za-z0-9\\-_.!~*'()";
const USER = new RegExp(`[^${UNRESERVED}&=+$,;?/]`, 'g');
const PASSWORD = new RegExp(`[^${UNRESERVED}&=+$,]`, 'g');
const PARAM = new RegExp(`[^${UNRESERVED}[\\]/:&+$]`, 'g');
const HEADER = new RegExp(`[^${UNRESERVED}[\\]/?:+$]`, 'g');

const HEX = /^[0-9A-Fa-f]{2}$/;

/** Whether each `%` in the text starts an escape (RFC 3261 §25.1: "%" HEXDIG HEXDIG). */
export function hasOnlyEscapes(text: string): boolean {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 3))
    if (!HEX.test(text.substring(at + 1, at + 3))) return false;
  return true;
}

/** Resolves escapes, each to the char of that byte value (latin1 text, like all header text). */
export function unescapeUri(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** `%XX` for a latin1 char; a char beyond latin1 as the bytes of its UTF-8 form. */
function escapeChar(char: string): string {
  const bytes = Buffer.from(char, char.charCodeAt(0) > 0xff ? 'utf8' : 'latin1');
  return `%${bytes
    .toString('hex')
    .toUpperCase()
    .replace(/(..)(?=.)/g, '$1%')}`;
}

/** Escapes what may not stand in the user part (RFC 3261 §19.1.2). */
export function escapeUser(text: string): string {
  return text.replace(USER, escapeChar);
}

/** Escapes what may not stand in the password. */
export function escapePassword(text: string): string {
  return text.replace(PASSWORD, escapeChar);
}

/** Escapes what may not stand in a URI parameter's name or value. */
export function escapeParam(text: string): string {
  return text.replace(PARAM, escapeChar);
}

/** Escapes what may not stand in a URI header's name or value. */
export function escapeHeader(text: string): string {
  return text.replace(HEADER, escapeChar);
}
