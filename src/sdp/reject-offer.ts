/**
 * The answer that refuses every stream of an offer: each m-line with port 0 (RFC 3264 §6). For a party that has to
 * answer in its ACK and ends the call right after (RFC 3261 §13.2.2.4). Takes any text; never throws.
 */
export function rejectOffer(offer: string): string {
  const mediaLines = offer
    .split(/\r\n|\n|\r/)
    .filter((line) => /^m=\S+ \d+(?:\/\d+)? \S+/.test(line))
    .map((line) => line.replace(/^(m=\S+) \d+(?:\/\d+)?/, '$1 0'));
  const session = ['v=0', 'o=- 0 0 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0'];
  return [...session, ...mediaLines, ''].join('\r\n');
}
