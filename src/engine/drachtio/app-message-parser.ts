import type { HeaderField } from '../../sip/message.js';
import { splitList } from '../../sip/split.js';
import { isSpaceCode } from '../../sip/token.js';
import type { AppRequest, AppResponse } from '../core/app-message.js';
import { PayloadError } from './errors.js';
import { spellHeaderName } from './header-spelling.js';

/** The engine's own: an application that sends them is not heard. */
const NOT_FOR_APPLICATIONS = new Set(['via', 'route', 'record-route', 'rseq', 'content-length']);
/** RFC 3261 §20.44, §20.27: challenges are never joined by commas, and drachtio-srf joins what it is given. */
const CHALLENGES = new Set([
  'www-authenticate',
  'proxy-authenticate',
  'authorization',
  'proxy-authorization',
]);
const HEAD_END = '\r\n\r\n';
const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+) ([^\s]+) SIP\/2\.0$/;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/;

/**
 * Reads the SIP text of a frame, a char for each octet. The body runs to the end of the payload, whatever Content-Length says. Header fields
 * that an application may not set, and lines that are none, are left out. Throws PayloadError when the start line is
 * neither a request line nor a status line.
 */
export function parseAppMessage(payload: string): AppRequest | AppResponse {
  const end = payload.indexOf(HEAD_END);
  const head = end < 0 ? payload : payload.substring(0, end);
  const body = end < 0 ? '' : payload.substring(end + HEAD_END.length);
  const endOfStart = head.indexOf('\r\n');
  const startLine = clean(endOfStart < 0 ? head : head.substring(0, endOfStart));
  const headers = endOfStart < 0 ? [] : parseHeaders(head, endOfStart + 2);
  const status = STATUS_LINE.exec(startLine);
  if (status) {
    const reasonPhrase = status[2]!;
    return { kind: 'response', startLine, statusCode: Number(status[1]), reasonPhrase, headers, body };
  }
  const request = REQUEST_LINE.exec(startLine);
  if (!request) throw new PayloadError(`invalid request-uri: ${startLine}`);
  return { kind: 'request', startLine, method: request[1]!, uri: request[2]!, headers, body };
}

/** Reads the lines from `at` on; one that begins with white space continues the one before. */
function parseHeaders(head: string, at: number): HeaderField[] {
  const headers: HeaderField[] = [];
  let line: string | undefined;
  while (at < head.length) {
    const found = head.indexOf('\r\n', at);
    const end = found < 0 ? head.length : found;
    const isFolded = line !== undefined && isSpaceCode(head.charCodeAt(at));
    if (isFolded) line += ` ${head.substring(at, end).trim()}`;
    else {
      if (line !== undefined) addHeader(headers, line);
      line = head.substring(at, end);
    }
    at = end + 2;
  }
  if (line !== undefined) addHeader(headers, line);
  return headers;
}

function addHeader(headers: HeaderField[], line: string): void {
  const colon = line.indexOf(':');
  const spelling = colon > 0 ? spellHeaderName(line.substring(0, colon).trimEnd()) : undefined;
  if (!spelling || NOT_FOR_APPLICATIONS.has(spelling.key)) return;
  const { name, key } = spelling;
  const value = clean(line.slice(colon + 1).trim());
  if (CHALLENGES.has(key) && value.includes(','))
    for (const challenge of splitChallenges(value)) headers.push({ name, key, value: challenge });
  else headers.push({ name, key, value });
}

/** A scheme and a first parameter start a challenge; `name=value` alone continues one. */
function splitChallenges(value: string): string[] {
  const challenges: string[] = [];
  for (const item of splitList(value)) {
    if (challenges.length === 0 || /^[^\s="]+\s+[^\s="]+\s*=/.test(item)) challenges.push(item);
    else challenges[challenges.length - 1] += `, ${item}`;
  }
  return challenges;
}

/** No control character reaches the wire: it could end a line there. */
function clean(text: string): string {
  return /[\0-\x08\x0a-\x1f\x7f]/.test(text) ? text.replace(/[\0-\x08\x0a-\x1f\x7f]+/g, ' ') : text;
}
