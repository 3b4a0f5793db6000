/** Longest party number in a record, characters. */
const MAX_NUMBER_LENGTH = 128;
const DIALLED_DIGITS = /^[+*#0-9]+$/;

/**
 * The bare number or user of a party, whatever form it came in: `"Li" <sip:1001@ims;transport=udp>;tag=x`, `sip:1001@ims`,
 * `tel:+861012;ext=5` and `1001` give `1001`, `1001`, `+861012` and `1001`. Never holds angle brackets, quotes or control
 * characters. Empty when there is none.
 */
export function partyNumber(text: string): string {
  // A display name may hold brackets of its own, in quotes.
  const inBrackets = /<([^>]*)>?/.exec(text.replace(/"(?:[^"\\]|\\.)*"/g, ''));
  const uri = (inBrackets ? inBrackets[1]! : text).trim();
  const rest = uri.replace(/^(?:sips?|tel):/i, '');
  const isTel = /^tel:/i.test(uri);
  const user = isTel ? rest : userPart(rest, uri !== rest);
  const bare = unescapeUser(user.split(/[;:]/, 1)[0]!);
  return bare.replace(/[\u0000-\u001f\u007f<>"]/g, '').slice(0, MAX_NUMBER_LENGTH);
}

/** What stands before `@`; without one all of a plain text, and of a URI (where it names a host) digits only. */
function userPart(text: string, isUri: boolean): string {
  const at = text.lastIndexOf('@');
  if (at >= 0) return text.slice(0, at);
  return isUri && !DIALLED_DIGITS.test(text) ? '' : text;
}

/** RFC 3261 §19.1.2: escapes in a user part; left as they are when they are none. */
function unescapeUser(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
