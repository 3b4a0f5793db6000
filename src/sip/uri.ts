import {
  escapeHeader,
  escapeParam,
  escapePassword,
  escapeUser,
  hasOnlyEscapes,
  unescapeUri,
} from './escape.js';
import { formatHost, parseHostPort } from './host.js';
import { ParamList, type ParamsView } from './param-list.js';

/**
 * A sip:, sips: (RFC 3261 §19.1) or tel: URI (RFC 3966). Escapes are resolved in all parts and put back by formatUri.
 */
export interface SipUri {
  readonly scheme: 'sip' | 'sips' | 'tel';
  /** User part, or the number of a tel: URI; undefined when the URI has no user part. Case-sensitive. */
  readonly user: string | undefined;
  /** Undefined when not written; a password in a URI is against RFC 3261 §19.1.1's advice. */
  readonly password: string | undefined;
  /** IPv6 without brackets; `''` for tel:. */
  readonly host: string;
  readonly port: number | undefined;
  /** URI parameters: names in lower case, values as written but unescaped, `''` for a bare name. */
  readonly params: ParamsView;
  /** What follows `?`, in order, duplicates kept. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
/** Chars that stand in no URI: separators of header values, white space and controls. */
const FORBIDDEN = /[\x00-\x20\x7f<>"]/;
/** global-number-digits or local-number-digits with visual separators (RFC 3966 §3). */
const TEL_NUMBER = /^(?:\+[-.()]*\d[\d\-.()]*|[-.()]*[\dA-Fa-f*#][\dA-Fa-f*#\-.()]*)$/;

/** Scheme of an absolute URI in lower case; undefined when there is none. Tells 416 from 400 (RFC 3261 §8.2.2.1). */
export function uriScheme(text: string): string | undefined {
  return SCHEME.exec(text)?.[1]?.toLowerCase();
}

const NO_PARAMS: ParamsView = new ParamList();

/** Parses `name=value;name`; the first of two equal names wins. Undefined on an empty name. */
function parseUriParams(text: string): ParamsView | undefined {
  if (text === '') return NO_PARAMS;
  const params = new ParamList();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const name = unescapeUri(equals < 0 ? part : part.substring(0, equals)).toLowerCase();
    if (name === '') return undefined;
    if (!params.has(name)) params.set(name, equals < 0 ? '' : unescapeUri(part.substring(equals + 1)));
  }
  return params;
}

/** Parses `name=value&name=value`; undefined when a pair lacks its name or `=`. */
function parseUriHeaders(text: string): SipUri['headers'] | undefined {
  const headers: { name: string; value: string }[] = [];
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    if (equals <= 0) return undefined;
    headers.push({
      name: unescapeUri(part.substring(0, equals)),
      value: unescapeUri(part.substring(equals + 1)),
    });
  }
  return headers;
}

interface UserInfo {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

const NO_USER: UserInfo = { user: undefined, password: undefined };

/** `user:password@` without its `@`: undefined when malformed, empty parts where there is no user part. */
function parseUserInfo(text: string): UserInfo | undefined {
  const colon = text.indexOf(':');
  const user = unescapeUri(colon < 0 ? text : text.substring(0, colon));
  if (user === '') return undefined;
  return { user, password: colon < 0 ? undefined : unescapeUri(text.substring(colon + 1)) };
}

const NO_HEADERS: SipUri['headers'] = [];

function parseSip(scheme: 'sip' | 'sips', rest: string): SipUri | undefined {
  // The user part may hold `;` and `?` (RFC 3261 §25.1), so it is cut off first.
  const at = rest.indexOf('@');
  const userInfo = at < 0 ? NO_USER : parseUserInfo(rest.substring(0, at));
  if (!userInfo) return undefined;
  const tail = rest.substring(at + 1);
  const question = tail.indexOf('?');
  const headers = question < 0 ? NO_HEADERS : parseUriHeaders(tail.substring(question + 1));
  const beforeHeaders = question < 0 ? tail : tail.substring(0, question);
  const semicolon = beforeHeaders.indexOf(';');
  const hostPort = parseHostPort(semicolon < 0 ? beforeHeaders : beforeHeaders.substring(0, semicolon));
  const params = parseUriParams(semicolon < 0 ? '' : beforeHeaders.substring(semicolon + 1));
  if (!hostPort || !params || !headers) return undefined;
  const { user, password } = userInfo;
  return { scheme, user, password, host: hostPort.host, port: hostPort.port, params, headers };
}

function parseTel(rest: string): SipUri | undefined {
  const semicolon = rest.indexOf(';');
  const user = semicolon < 0 ? rest : rest.substring(0, semicolon);
  const params = parseUriParams(semicolon < 0 ? '' : rest.substring(semicolon + 1));
  if (!TEL_NUMBER.test(user) || !params) return undefined;
  return { scheme: 'tel', user, password: undefined, host: '', port: undefined, params, headers: NO_HEADERS };
}

/** Parses a sip:, sips: or tel: URI; undefined when malformed or of another scheme (see uriScheme). */
export function parseUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  if (colon < 0 || FORBIDDEN.test(text) || !hasOnlyEscapes(text)) return undefined;
  const scheme = text.substring(0, colon).toLowerCase();
  const rest = text.substring(colon + 1);
  if (scheme === 'sip' || scheme === 'sips') return parseSip(scheme, rest);
  return scheme === 'tel' ? parseTel(rest) : undefined;
}

/** Writes a URI, escaping what its part may not hold (RFC 3261 §19.1.2). */
export function formatUri(uri: SipUri): string {
  let text = `${uri.scheme}:`;
  if (uri.scheme === 'tel') text += uri.user ?? '';
  else {
    if (uri.user !== undefined) {
      const password = uri.password === undefined ? '' : `:${escapePassword(uri.password)}`;
      text += `${escapeUser(uri.user)}${password}@`;
    }
    text += formatHost(uri.host);
    if (uri.port !== undefined) text += `:${uri.port}`;
  }
  for (const [name, value] of uri.params)
    text += value === '' ? `;${escapeParam(name)}` : `;${escapeParam(name)}=${escapeParam(value)}`;
  const headers = uri.headers.map(({ name, value }) => `${escapeHeader(name)}=${escapeHeader(value)}`);
  return headers.length === 0 ? text : `${text}?${headers.join('&')}`;
}
