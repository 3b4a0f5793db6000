import { type LadderEntry, type LadderOptions, ladder } from './ladder.js';
import type { WireMessage } from './types.js';

/**
 * Draws messages of the wire as one ladder: the leg that the caller opened to the left of the server, those that the
 * server opened to the right, one for each Call-ID. Empty without messages.
 */
export function wireLadder(messages: readonly WireMessage[], options: LadderOptions = {}): string {
  const legs = legNames(messages);
  const entries: LadderEntry[] = messages.map((message) => ({
    mono: message.mono,
    event: {
      kind: 'message',
      leg: legs.get(message.callId) ?? 'a',
      sent: message.sent,
      summary: summaryOf(message.text),
    },
  }));
  const peerOf = (isA: boolean): string | undefined =>
    messages.find(({ callId }) => (legs.get(callId) === 'a') === isA)?.peer;
  const [callerName, calleeName] = [peerOf(true), peerOf(false)];
  return ladder(entries, {
    ...(callerName !== undefined && { callerName }),
    ...(calleeName !== undefined && { calleeName }),
    ...options,
  });
}

/** `INVITE SDP` or `200 OK (INVITE) SDP`; the same words as in a call's timeline. */
export function summaryOf(text: string): string {
  const lineEnd = text.indexOf('\r\n');
  const startLine = text.slice(0, lineEnd < 0 ? text.length : lineEnd);
  const sdp = /^(?:content-type|c)[ \t]*:[ \t]*application\/sdp/im.test(text) ? ' SDP' : '';
  const status = /^SIP\/\S+ (\d{3} ?.*)$/i.exec(startLine)?.[1];
  if (status === undefined) return `${startLine.split(' ', 1)[0]}${sdp}`;
  const method = /^cseq[ \t]*:[ \t]*\d+[ \t]+(\S+)/im.exec(text)?.[1] ?? '?';
  return `${status.trim()} (${method})${sdp}`;
}

/** `a` for the first Call-ID whose first message came in, `b1`, `b2` … for the others; all of one side are `b`s. */
function legNames(messages: readonly WireMessage[]): Map<string, string> {
  const names = new Map<string, string>();
  let hasA = false;
  let count = 0;
  for (const { callId, sent } of messages) {
    if (names.has(callId)) continue;
    if (!sent && !hasA) {
      hasA = true;
      names.set(callId, 'a');
    } else names.set(callId, `b${++count}`);
  }
  return names;
}
