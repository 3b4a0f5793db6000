import { badRequest, type Problem, SipParseError } from './errors.js';
import { type Head, headError, parseHead } from './head.js';
import { MAX_DATAGRAM_BYTES, MAX_HEADER_BYTES } from './limits.js';
import type { SipMessage } from './message.js';

const CR = 0x0d;
const LF = 0x0a;

const EMPTY = badRequest('Empty Message');
/** RFC 3261 §21.5.7. */
const TOO_LARGE: Problem = { statusCode: 513, reasonPhrase: 'Message Too Large' };
/** RFC 3261 §18.3. */
const BODY_TOO_SHORT = badRequest('Body Shorter Than Content-Length');

/** Index of the first byte that is neither CR nor LF; those before a start line are ignored (RFC 3261 §7.5). */
function skipLineBreaks(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === CR || bytes[at] === LF) at++;
  return at;
}

/** Whether a datagram holds no message but only CRs, LFs or NULs, as sent to keep NAT bindings alive (RFC 5626 §3.5). */
export function isKeepAlive(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++)
    if (bytes[at] !== CR && bytes[at] !== LF && bytes[at] !== 0) return false;
  return true;
}

/** Where the body of a datagram ends: bytes past Content-Length are dropped, too few are an error (RFC 3261 §18.3). */
function endOfBody(text: string, head: Head): number {
  const rest = text.length - head.bodyAt;
  const length = head.contentLength ?? rest;
  if (length > rest) throw headError(head, BODY_TOO_SHORT);
  return head.bodyAt + length;
}

/**
 * Parses one message that fills a datagram or a WebSocket frame (RFC 3261 §7, §18.3). Header text is read as latin1, so
 * each char is a byte. Throws SipParseError and nothing else. The message shares no memory with `bytes`.
 */
export function parseMessage(bytes: Buffer, maxBytes = MAX_DATAGRAM_BYTES): SipMessage {
  if (bytes.length > maxBytes) throw new SipParseError(TOO_LARGE);
  const start = skipLineBreaks(bytes);
  if (start === bytes.length) throw new SipParseError(EMPTY);
  const text = bytes.toString('latin1', start);
  const head = parseHead(text.length > MAX_HEADER_BYTES ? text.slice(0, MAX_HEADER_BYTES) : text, 0);
  if (head.problem || !head.message) throw headError(head, head.problem ?? EMPTY);
  const { message, bodyAt } = head;
  const end = endOfBody(text, head);
  message.bodyText = text.substring(bodyAt, end);
  // A copy where octets are left over: these are not to be kept alive by it.
  if (!head.hasBareLf)
    message.wireText = end === text.length ? text : bytes.toString('latin1', start, start + end);
  return message;
}
