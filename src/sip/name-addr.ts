import { formatParams, type Params, parseParams } from './params.js';
import { endOfQuotedString, quoteString, unquote } from './quoted-string.js';
import { skipSpace, trimmed } from './token.js';

/** A value of From, To, Contact, Route, Refer-To…: name-addr or addr-spec with parameters (RFC 3261 §20.10, §25.1). */
export interface NameAddr {
  /** Unquoted; `''` when there is none. */
  displayName: string;
  /** As written, without <>. */
  uri: string;
  /** Header parameters, not the URI's own; keys in lower case, values as written. */
  params: Params;
}

const QUOTE = 0x22;
/** scheme ":" and something (RFC 3261 §25.1), none of it a separator that a URI has to escape. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/;
/** An addr-spec that holds a comma or a question mark has to be in <> (RFC 3261 §20). */
const BARE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>",?]+$/;
/** Unquoted display names are tokens; other text is taken too unless it could be read as something else. */
const BARE_NAME = /^[^"<>,;]*$/;

/** addr-spec form: what follows a semicolon belongs to the header, not to the URI (RFC 3261 §20.10). */
function parseAddrSpec(text: string): NameAddr | undefined {
  const semicolon = text.indexOf(';');
  const end = semicolon < 0 ? text.length : semicolon;
  const uri = trimmed(text, 0, end);
  if (!BARE_URI.test(uri)) return undefined;
  const params = parseParams(text, end, true);
  return params && { displayName: '', uri, params };
}

/** The rest of a name-addr from its `<`, once the display name is known. */
function parseBracketed(text: string, open: number, displayName: string): NameAddr | undefined {
  const close = text.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = trimmed(text, open + 1, close);
  if (!URI.test(uri)) return undefined;
  const params = parseParams(text, close + 1, true);
  return params && { displayName, uri, params };
}

/** Parses one name-addr or addr-spec with parameters (RFC 3261 §20.10); undefined when malformed. */
export function parseNameAddr(text: string): NameAddr | undefined {
  const at = skipSpace(text, 0);
  if (text.charCodeAt(at) === QUOTE) {
    const end = endOfQuotedString(text, at);
    if (end < 0) return undefined;
    const open = skipSpace(text, end);
    if (text[open] !== '<') return undefined;
    return parseBracketed(text, open, unquote(text.substring(at, end)));
  }
  const open = text.indexOf('<', at);
  if (open < 0) return parseAddrSpec(text);
  const displayName = trimmed(text, at, open);
  return BARE_NAME.test(displayName) ? parseBracketed(text, open, displayName) : undefined;
}

/** Writes a name-addr: `"Display" <uri>;param=value`. The URI is always in <>, so its parameters stay its own. */
export function formatNameAddr(address: Readonly<NameAddr>): string {
  const name = address.displayName === '' ? '' : `${quoteString(address.displayName)} `;
  return `${name}<${address.uri}>${formatParams(address.params)}`;
}
