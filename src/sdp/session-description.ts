import sdpTransform from 'sdp-transform';
import { BadSdpError } from './errors.js';

/** Largest description taken, in characters; a full WebRTC offer stays under a quarter of it. */
export const MAX_SDP_LENGTH = 65_536;
/** Most m-lines taken. */
export const MAX_STREAMS = 32;
/** Most lines taken. */
export const MAX_LINES = 2_000;

/** RFC 3264 §5.1; absent means `sendrecv`. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** How a stream's packets travel: RTP with RTCP beside it, other datagrams (T.38 UDPTL, DTLS), or a TCP connection. */
export type StreamTransport = 'rtp' | 'datagram' | 'connection';

/** One m-line with what applies to it. RFC 4566 §5.14. */
export interface MediaStream {
  /** Position among the m-lines, from 0. */
  readonly index: number;
  /** `audio`, `video`, `image`, `application`, `message`, or another token. */
  readonly kind: string;
  /** 0 means that the stream is rejected or ended (RFC 3264 §6, §8.2). */
  readonly port: number;
  readonly proto: string;
  readonly transport: StreamTransport;
  readonly formats: readonly string[];
  /** Of the media's own c= line, else of the session's; a name is possible. Absent only when port is 0. */
  readonly address?: string;
  /** a=rtcp (RFC 3605). */
  readonly rtcp?: { readonly port: number; readonly address?: string };
  readonly direction: Direction;
  /** In the order of the m-line: `PCMU/8000`; static payload types are named too. */
  readonly codecs: readonly string[];
}

/** Lines of one part of a description, without their line ends: the session's, or one m-line's. */
export type Section = readonly string[];

/** A parsed description. A value: rewriting makes a new text and leaves it as it is. RFC 4566. */
export interface SessionDescription {
  readonly session: Section;
  readonly media: readonly Section[];
  readonly streams: readonly MediaStream[];
  /** Of the session's c= line. */
  readonly address?: string;
}

/** Static payload types that have no rtpmap of need. RFC 3551 §6. */
const STATIC_CODECS: Readonly<Record<string, string>> = {
  0: 'PCMU/8000',
  3: 'GSM/8000',
  4: 'G723/8000',
  5: 'DVI4/8000',
  7: 'LPC/8000',
  8: 'PCMA/8000',
  9: 'G722/8000',
  10: 'L16/44100/2',
  11: 'L16/44100',
  13: 'CN/8000',
  15: 'G728/8000',
  18: 'G729/8000',
  26: 'JPEG/90000',
  31: 'H261/90000',
  34: 'H263/90000',
};

const LINE = /^[a-z]=/;
/** RFC 4566 §5.14; a number of ports after the slash is read and not used. */
const M_LINE =
  /^m=([!#-'*+\-.0-9A-Z^-~]+) (\d{1,5})(?:\/\d{1,5})? ([!#-'*+\-.0-9A-Z^-~/]+)((?: [\x21-\x7e]+)*) *$/;
const C_LINE = /^c=IN IP[46] ([^\s/]+)(?:\/\d+)*\s*$/i;
const ORIGIN = /^o=\S+ \S+ \S+ \S+ \S+ \S+\s*$/;

/**
 * Reads a description. RFC 4566 §5.
 * Throws BadSdpError when it is malformed, over a bound, or has a live stream with no address.
 */
export function parseSdp(text: string): SessionDescription {
  if (text.length > MAX_SDP_LENGTH) throw new BadSdpError(`description over ${MAX_SDP_LENGTH} characters`);
  const lines = splitLines(text);
  const { session, media } = splitSections(lines);
  // RFC 4566 §5: t= is required. Phones that leave it out but name streams are understood; a text cut short is not.
  if (media.length === 0 && !session.some((line) => line.startsWith('t=')))
    throw new BadSdpError('description has neither a time nor a stream');
  const parsed = sdpTransform.parse(lines.join('\r\n'));
  const address = connectionAddress(session);
  const streams = media.map((section, index) => readStream(section, index, parsed, address));
  return { session, media, streams, ...(address !== undefined && { address }) };
}

/** Whole, checked lines; empty ones are forgiven, since some phones end their bodies with them. */
function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line !== '');
  if (lines.length > MAX_LINES) throw new BadSdpError(`description over ${MAX_LINES} lines`);
  const bad = lines.findIndex((line) => !LINE.test(line) || line.includes('\0'));
  if (bad >= 0) throw new BadSdpError(`line ${bad + 1} is not of the form <type>=<value>`);
  if (lines[0]?.trimEnd() !== 'v=0') throw new BadSdpError('description does not begin with v=0');
  if (!lines[1] || !ORIGIN.test(lines[1])) throw new BadSdpError('description has no origin line');
  return lines;
}

function splitSections(lines: readonly string[]): { session: string[]; media: string[][] } {
  const session: string[] = [];
  const media: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('m=')) media.push([]);
    (media.at(-1) ?? session).push(line);
  }
  if (media.length > MAX_STREAMS) throw new BadSdpError(`description over ${MAX_STREAMS} m-lines`);
  return { session, media };
}

/** RFC 4566 §5.7. The first c= line counts: more than one is for multicast, which no relay carries. */
function connectionAddress(section: Section): string | undefined {
  const line = section.find((candidate) => candidate.startsWith('c='));
  if (line === undefined) return undefined;
  const match = C_LINE.exec(line);
  if (!match) throw new BadSdpError('connection line is not of the form IN IP4|IP6 <address>');
  return match[1];
}

function readStream(
  section: Section,
  index: number,
  parsed: ReturnType<typeof sdpTransform.parse>,
  sessionAddress: string | undefined,
): MediaStream {
  const match = M_LINE.exec(section[0] ?? '');
  const port = Number(match?.[2]);
  if (!match || port > 65_535) throw new BadSdpError(`m-line ${index} is malformed`);
  const media = parsed.media[index]!;
  const address = connectionAddress(section) ?? sessionAddress;
  // RFC 4566 §5.7: each media description has a c= line, or the session has one.
  if (address === undefined && port !== 0) throw new BadSdpError(`m-line ${index} has no connection address`);
  const formats = match[4]!.trim().split(' ').filter(Boolean);
  const rtcp = readRtcp(media.rtcp);
  return {
    index,
    kind: match[1]!.toLowerCase(),
    port,
    proto: match[3]!,
    transport: transportOf(match[3]!),
    formats,
    ...(address !== undefined && { address }),
    ...(rtcp && { rtcp }),
    direction: readDirection(media.direction ?? parsed.direction),
    codecs: readCodecs(formats, media.rtp),
  };
}

/** RFC 4566 §8.2.2 and the registry of protos: what begins with TCP or TLS, or names SIP's MSRP, is a connection. */
function transportOf(proto: string): StreamTransport {
  const name = proto.toUpperCase();
  if (/^(TCP|TLS|MSRP)(\/|$)/.test(name) || name.includes('/TCP/')) return 'connection';
  return /(^|\/)RTP\//.test(name) ? 'rtp' : 'datagram';
}

function readRtcp(rtcp: { port?: number | string; address?: string } | undefined): MediaStream['rtcp'] {
  const port = Number(rtcp?.port);
  if (!rtcp || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return rtcp.address === undefined ? { port } : { port, address: rtcp.address };
}

function readDirection(word: string | undefined): Direction {
  return word === 'sendonly' || word === 'recvonly' || word === 'inactive' ? word : 'sendrecv';
}

function readCodecs(
  formats: readonly string[],
  rtpMaps: readonly {
    payload: number | string;
    codec: string;
    rate?: number | string;
    encoding?: number | string;
  }[],
): string[] {
  const named = new Map(
    rtpMaps.map((map) => [
      String(map.payload),
      [map.codec, map.rate, map.encoding].filter((part) => part !== undefined).join('/'),
    ]),
  );
  return formats.flatMap((format) => named.get(format) ?? STATIC_CODECS[format] ?? []);
}
