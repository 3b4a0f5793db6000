import type { WireMessage } from './types.js';
import { summaryOf } from './wire-ladder.js';

/** Wall time of day with milliseconds, `12:00:00.123`, in the server's zone. */
export function clockTime(at: number): string {
  const time = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two);
  return `${parts.join(':')}.${String(Math.trunc(at % 1000)).padStart(3, '0')}`;
}

/** Messages in full, a heading each and a blank line after it. What a terminal would obey is still in them. */
export function messageLines(messages: readonly WireMessage[]): string[] {
  return messages.flatMap((message) => [heading(message), ...indented(message.text), '']);
}

/** The session descriptions alone, each under the message that carried it. */
export function descriptionLines(messages: readonly WireMessage[]): string[] {
  return messages.flatMap((message) => {
    const body = bodyOf(message.text);
    if (!summaryOf(message.text).endsWith(' SDP') || body === '') return [];
    return [`${heading(message)}  ${summaryOf(message.text)}`, ...indented(body), ''];
  });
}

function heading({ at, protocol, local, sent, peer }: WireMessage): string {
  return `${clockTime(at)}  ${protocol} ${local} ${sent ? '->' : '<-'} ${peer}`;
}

/** The octets are UTF-8 to people. */
function indented(text: string): string[] {
  const lines = Buffer.from(text, 'latin1').toString('utf8').trimEnd().split(/\r?\n/);
  return lines.map((line) => `  ${line}`);
}

function bodyOf(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  return end < 0 ? '' : text.slice(end + 4);
}
