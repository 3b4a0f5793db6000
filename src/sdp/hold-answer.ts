/** A port that nobody listens on: RTP is told to go nowhere for the moment. */
const DISCARD_PORT = 9;

/**
 * An answer that takes the plain RTP streams of an offer and keeps them silent (RFC 3264 §5.1, §6.1), for a phone that is
 * to hear the real offer in a moment. Streams of other kinds are refused. Undefined when there is none it could take.
 */
export function holdAnswer(offer: string): string | undefined {
  const sections = offer.split(/\r\n|\n|\r/).reduce<string[][]>(
    (all, line) => {
      if (line.startsWith('m=')) all.push([line]);
      else all.at(-1)?.push(line);
      return all;
    },
    [[]],
  );
  const media = sections.slice(1).map(holdStream);
  if (!media.some(({ isTaken }) => isTaken)) return undefined;
  const session = ['v=0', 'o=- 0 0 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0'];
  return [...session, ...media.flatMap(({ lines }) => lines), ''].join('\r\n');
}

function holdStream(section: readonly string[]): { lines: string[]; isTaken: boolean } {
  const [line = '', ...rest] = section;
  const match = /^(m=\S+) (\d+)(?:\/\d+)? (\S+) (.+)$/.exec(line);
  const isTaken = match !== null && match[2] !== '0' && /^RTP\/AVPF?$/.test(match[3]!);
  if (!isTaken) return { lines: [line.replace(/^(m=\S+) \d+(?:\/\d+)?/, '$1 0')], isTaken };
  const mappings = rest.filter((one) => /^a=(?:rtpmap|fmtp):/.test(one));
  const [, kind, , proto, formats] = match;
  return { lines: [`${kind} ${DISCARD_PORT} ${proto} ${formats}`, ...mappings, 'a=inactive'], isTaken };
}
