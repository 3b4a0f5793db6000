import { isIPv6 } from 'node:net';
import { isNullAddress } from './offer-answer.js';
import type { MediaStream, Section, SessionDescription } from './session-description.js';

/** Where the receiver of a rewritten description shall send one stream. */
export interface StreamTarget {
  /** IP address, literal. */
  readonly address: string;
  readonly port: number;
  /** Written into a=rtcp where the description had one; RFC 3605. */
  readonly rtcpPort: number;
}

/** The identity of a description that we send: a B2BUA is its origin. RFC 4566 §5.2. */
export interface Origin {
  readonly sessId: string;
  readonly sessVersion: number;
  readonly address: string;
}

export interface SdpRewrite {
  readonly origin: Origin;
  /** One entry an m-line: a target, or `reject` for port 0. A stream with port 0 stays at 0 whatever stands here. */
  readonly streams: readonly (StreamTarget | 'reject')[];
}

/**
 * Lines that offer the peer a way round the relay, or tie streams together that go through ports of their own: ICE
 * (RFC 8839 §5), its forerunner a=alt, and BUNDLE (RFC 9143 §7).
 */
const AROUND_THE_RELAY =
  /^a=(candidate:|end-of-candidates|remote-candidates:|ice-[a-z0-9]+(:|$)|alt:|bundle-only|group:BUNDLE( |$))/i;

/**
 * Makes the text that the other side gets: o=, c=, m= ports and a=rtcp point at the targets; every other line stays
 * as it was, byte for byte and in its place, except lines that lead round the relay, which go.
 * A null address (hold, RFC 3264 §8.4) stays null.
 */
export function rewriteSdp(description: SessionDescription, rewrite: SdpRewrite): string {
  const sessionAddress = pickSessionAddress(description, rewrite);
  const lines = rewriteSession(description.session, rewrite.origin, sessionAddress);
  for (const [index, section] of description.media.entries()) {
    const target = rewrite.streams[index] ?? 'reject';
    lines.push(...rewriteMedia(section, description.streams[index]!, target, sessionAddress));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** The address for the session's c= line: null stays null, else the first live target's, else our own. */
function pickSessionAddress(description: SessionDescription, rewrite: SdpRewrite): string {
  if (description.address !== undefined && isNullAddress(description.address)) return description.address;
  const live = description.streams.find(
    (stream) =>
      stream.port !== 0 &&
      rewrite.streams[stream.index] !== undefined &&
      rewrite.streams[stream.index] !== 'reject',
  );
  const target = live && rewrite.streams[live.index];
  return target && target !== 'reject' ? target.address : rewrite.origin.address;
}

function rewriteSession(section: Section, origin: Origin, address: string): string[] {
  const lines: string[] = [];
  for (const line of section) {
    if (line.startsWith('o=')) {
      lines.push(
        `o=- ${origin.sessId} ${origin.sessVersion} IN ${addressType(origin.address)} ${origin.address}`,
      );
    } else if (line.startsWith('c=')) {
      if (!lines.some((earlier) => earlier.startsWith('c='))) lines.push(connectionLine(address));
    } else if (!AROUND_THE_RELAY.test(line)) lines.push(line);
  }
  return lines;
}

function rewriteMedia(
  section: Section,
  stream: MediaStream,
  target: StreamTarget | 'reject',
  sessionAddress: string,
): string[] {
  const live = stream.port !== 0 && target !== 'reject' ? target : undefined;
  const address = isNullAddress(stream.address) ? stream.address! : (live?.address ?? sessionAddress);
  const lines = [mLine(section[0]!, live?.port ?? 0)];
  const hadConnection = section.some((line) => line.startsWith('c='));
  if (hadConnection || address !== sessionAddress) lines.push(connectionLine(address));
  for (const line of section.slice(1)) {
    if (line.startsWith('i=')) lines.splice(1, 0, line);
    else if (line.startsWith('c=') || AROUND_THE_RELAY.test(line)) continue;
    else if (!/^a=rtcp:/i.test(line)) lines.push(line);
    else if (live) lines.push(rtcpLine(line, live));
  }
  return lines;
}

/** RFC 4566 §5.14: only the port changes. */
function mLine(line: string, port: number): string {
  return line.replace(/^(m=\S+ )\d+(?:\/\d+)?/, `$1${port}`);
}

/** RFC 3605 §2.1: the address is written where the sender wrote one. */
function rtcpLine(line: string, target: StreamTarget): string {
  if (!/^a=rtcp:\d+ /.test(line)) return `a=rtcp:${target.rtcpPort}`;
  return `a=rtcp:${target.rtcpPort} IN ${addressType(target.address)} ${target.address}`;
}

function connectionLine(address: string): string {
  return `c=IN ${addressType(address)} ${address}`;
}

function addressType(address: string): 'IP4' | 'IP6' {
  return isIPv6(address) ? 'IP6' : 'IP4';
}
