import type { SipMessage } from './message.js';

/** What would break a line in two, or does not fit a byte. */
const UNSAFE = /[\r\n\u0100-\uffff]/;
/** What does not fit a byte. */
const WIDE = /[\u0100-\uffff]/;

/**
 * Text that can stand in one line: line breaks become spaces, text with chars beyond latin1 is written as UTF-8. Without
 * this, U+010D U+010A would reach the wire as CRLF.
 */
function toLine(text: string): string {
  if (!UNSAFE.test(text)) return text;
  const line = text.replace(/[\r\n]+/g, ' ');
  return WIDE.test(line) ? Buffer.from(line, 'utf8').toString('latin1') : line;
}

function startLine(message: SipMessage): string {
  return message.type === 'request'
    ? `${message.method} ${message.requestUri} SIP/2.0`
    : `SIP/2.0 ${message.statusCode} ${message.reasonPhrase}`;
}

/**
 * Writes a message as octets (RFC 3261 §7). Header fields keep their order and spelling; Content-Length is always
 * computed from the body, and there is exactly one (RFC 3261 §20.14).
 */
export function serialize(message: SipMessage): Buffer {
  return Buffer.from(serializeText(message), 'latin1');
}

/** The same with a char for each octet. */
export function serializeText(message: SipMessage): string {
  const { bodyText } = message;
  let text = `${startLine(message)}\r\n`;
  let lines = 1;
  for (const { name, key, value } of message.headers) {
    if (key === 'content-length') continue;
    text += `${name}: ${value}\r\n`;
    lines++;
  }
  // Looked at as a whole: nearly always each line is one, and asking so of each value would cost more than writing it.
  if (WIDE.test(text) || lineBreaks(text) !== 2 * lines) text = carefulHead(message);
  return `${text}Content-Length: ${bodyText.length}\r\n\r\n${bodyText}`;
}

/** CRs and LFs in a text; where there are as many as were written none came with a value. */
function lineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1)) count++;
  return count;
}

/** The start line and header fields, each made fit to be one. */
function carefulHead(message: SipMessage): string {
  let text = `${toLine(startLine(message))}\r\n`;
  for (const { name, key, value } of message.headers)
    if (key !== 'content-length') text += `${toLine(name)}: ${toLine(value)}\r\n`;
  return text;
}
