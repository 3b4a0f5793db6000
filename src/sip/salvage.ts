import type { SipMessage } from './message.js';
import { splitList } from './split.js';
import { formatVia, parseVia } from './via.js';

/**
 * Tries to make a request with a broken Via answerable: keeps the sent-by of the topmost Via and its well-formed
 * parameters' names and values as far as empty ones are all that is wrong (RFC 4475 §3.1.2.1). Whether it has a usable
 * topmost Via now: without one no response can find its way (RFC 3261 §18.2.2).
 */
export function salvageVia(message: SipMessage): boolean {
  if (message.topVia) return true;
  const [text = '', ...rest] = splitList(message.get('via') ?? '');
  const via = parseVia(text, true);
  if (!via) return false;
  const others = [...rest, ...message.list('via').slice(1 + rest.length)].filter((other) => parseVia(other));
  message.set('Via', [formatVia(via), ...others].join(', '));
  return true;
}
