import { parseSdp, type Section } from './session-description.js';

/** What a peer may be offered: names as in rtpmap (`PCMA`, `opus`), without regard to case. */
export interface CodecPolicy {
  /** Put first, in this order; the others follow as they were. */
  readonly order: readonly string[];
  readonly remove: readonly string[];
}

/** Formats that carry no voice or picture by themselves. */
const HELPERS: readonly string[] = ['TELEPHONE-EVENT', 'CN', 'RED', 'RTX', 'ULPFEC'];

/**
 * An offer with the codecs of its RTP streams reordered and removed (RFC 3264 §5.1: order is preference). A stream that has
 * none left is rejected by port 0 (RFC 3264 §8.2). Undefined when no stream is left at all. Throws BadSdpError.
 */
export function applyCodecPolicy(sdp: string, { order, remove }: CodecPolicy): string | undefined {
  if (order.length === 0 && remove.length === 0) return sdp;
  const { session, media, streams } = parseSdp(sdp);
  let live = 0;
  const wanted = order.map((name) => name.toUpperCase());
  const unwanted = new Set(remove.map((name) => name.toUpperCase()));
  const sections = media.map((section, i) => {
    const { transport, port, formats } = streams[i]!;
    if (transport !== 'rtp' || port === 0) {
      if (port !== 0) live++;
      return section;
    }
    const names = namesOf(section, formats);
    const kept = formats.filter((format) => !unwanted.has(names.get(format)!));
    const hasCodec = kept.some((format) => !HELPERS.includes(names.get(format)!));
    if (!hasCodec) return [section[0]!.replace(/^(m=\S+) \d+(?:\/\d+)?/, '$1 0'), ...section.slice(1)];
    live++;
    return rewrite(section, inOrder(kept, names, wanted), formats);
  });
  if (live === 0 && streams.some(({ port }) => port !== 0)) return undefined;
  return `${[...session, ...sections.flat()].join('\r\n')}\r\n`;
}

/** RFC 3551 §6: what needs no rtpmap. */
const STATIC_NAMES: Readonly<Record<string, string>> = {
  0: 'PCMU',
  3: 'GSM',
  4: 'G723',
  8: 'PCMA',
  9: 'G722',
  13: 'CN',
  15: 'G728',
  18: 'G729',
  26: 'JPEG',
  31: 'H261',
  34: 'H263',
};

/** Codec name by payload type, upper case; the payload type itself for those without a name. */
function namesOf(section: Section, formats: readonly string[]): Map<string, string> {
  const names = new Map(formats.map((format) => [format, STATIC_NAMES[format] ?? format]));
  for (const line of section) {
    const match = /^a=rtpmap:(\d+) ([^\s/]+)/i.exec(line);
    if (match) names.set(match[1]!, match[2]!.toUpperCase());
  }
  return names;
}

function inOrder(
  formats: readonly string[],
  names: Map<string, string>,
  wanted: readonly string[],
): string[] {
  const rank = (format: string): number => {
    const at = wanted.indexOf(names.get(format)!);
    return at < 0 ? wanted.length : at;
  };
  return [...formats].sort((x, y) => rank(x) - rank(y));
}

/** The section with these formats; lines about others go. */
function rewrite(section: Section, kept: readonly string[], formats: readonly string[]): string[] {
  const gone = new Set(formats.filter((format) => !kept.includes(format)));
  const mLine = section[0]!.replace(/^(m=\S+ \S+ \S+).*$/, `$1 ${kept.join(' ')}`);
  const rest = section.slice(1).filter((line) => {
    const about = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)\b/i.exec(line)?.[1];
    return about === undefined || !gone.has(about);
  });
  return [mLine, ...rest];
}
