import type { SipRequest } from '../../sip/message.js';

const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * The text of a received request with the first Via line written anew from `request.headers`, where the transport
 * filled in `received` and `rport` (RFC 3261 §18.2.1, RFC 3581 §4); all else is as received.
 */
export function withTopVia(request: SipRequest, text: string): string {
  const via = request.get('via');
  const line = via === undefined ? undefined : findViaLine(text);
  if (!line) return text;
  return `${text.slice(0, line.start)}Via: ${via}\r\n${text.slice(line.end)}`;
}

/** From the V to behind the line's end, continuation lines included. */
function findViaLine(text: string): { start: number; end: number } | undefined {
  let start = text.indexOf('\n') + 1;
  while (start > 0 && start < text.length) {
    let end = text.indexOf('\n', start) + 1;
    while (end > 0 && isSpace(text.charCodeAt(end))) end = text.indexOf('\n', end) + 1;
    if (end <= 0) return undefined;
    if (isViaAt(text, start)) return { start, end };
    if (end - start <= 2) return undefined;
    start = end;
  }
  return undefined;
}

function isViaAt(text: string, at: number): boolean {
  const lower = (offset: number) => text.charCodeAt(at + offset) | 0x20;
  if (lower(0) !== 0x76) return false;
  let next = at + 1;
  if (lower(1) === 0x69 && lower(2) === 0x61) next = at + 3;
  while (isSpace(text.charCodeAt(next))) next++;
  return text.charCodeAt(next) === COLON;
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}
