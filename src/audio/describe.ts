import { isIPv6 } from 'node:net';
import { BadSdpError } from '../sdp/errors.js';
import { isNullAddress } from '../sdp/offer-answer.js';
import { type Direction, type MediaStream, parseSdp, type Section } from '../sdp/session-description.js';
import { FRAME_MS } from './frame.js';
import { type G711Law, PAYLOAD_TYPE } from './g711.js';
import type { AudioRemote } from './types.js';

/** Payload type that we offer telephone events with (RFC 4733 §2.4.1). */
const EVENT_TYPE = 101;
/** Where an endpoint listens. */
export interface LocalAudio {
  /** Of its description in the session, from 1 (RFC 3264 §8: one more with every change). */
  readonly version?: number;
  readonly address: string;
  readonly port: number;
}

/** An answer to somebody's offer, and what it means for the endpoint. */
export interface AudioAnswer {
  readonly sdp: string;
  readonly remote: AudioRemote;
}

/** The offer of an endpoint (RFC 3264 §5): both laws of G.711, and telephone events. */
export function audioOffer(local: LocalAudio): string {
  const formats = `${PAYLOAD_TYPE.PCMU} ${PAYLOAD_TYPE.PCMA} ${EVENT_TYPE}`;
  return write(local, [
    `m=audio ${local.port} RTP/AVP ${formats}`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    ...eventLines(EVENT_TYPE),
    `a=ptime:${FRAME_MS}`,
    'a=sendrecv',
  ]);
}

/**
 * Answers an offer (RFC 3264 §6): takes its first audio stream over plain RTP with G.711, by the law that it names first, and
 * refuses its other streams. Throws BadSdpError when there is none, or the offer cannot be read.
 */
export function answerAudio(local: LocalAudio, offer: string): AudioAnswer {
  const { media, streams } = parseSdp(offer);
  const taken = streams.find((stream) => lawOf(stream) !== undefined);
  const law = taken && lawOf(taken);
  if (!taken || !law) throw new BadSdpError('no audio by G.711 over plain RTP in the offer');
  const eventType = eventTypeOf(taken, media[taken.index]!);
  const direction = answeringDirection(taken);
  const lines = streams.flatMap((stream) => {
    if (stream !== taken) return [`m=${stream.kind} 0 ${stream.proto} ${stream.formats.join(' ')}`];
    const formats = [PAYLOAD_TYPE[law], ...(eventType === undefined ? [] : [eventType])];
    return [
      `m=audio ${local.port} ${stream.proto} ${formats.join(' ')}`,
      `a=rtpmap:${PAYLOAD_TYPE[law]} ${law}/8000`,
      ...(eventType === undefined ? [] : eventLines(eventType)),
      `a=ptime:${FRAME_MS}`,
      `a=${direction}`,
    ];
  });
  return { sdp: write(local, lines), remote: remoteOf(taken, law, eventType) };
}

/** What an answer to `audioOffer` means for the endpoint. Throws BadSdpError when it takes nothing that we can send. */
export function readAudioAnswer(answer: string): AudioRemote {
  const { media, streams } = parseSdp(answer);
  const stream = streams[0];
  const law = stream && lawOf(stream);
  if (!stream || !law) throw new BadSdpError('the answer takes no G.711');
  return remoteOf(stream, law, eventTypeOf(stream, media[0]!));
}

/** The law that is named first by a live audio stream over plain RTP. */
function lawOf({ kind, port, proto, formats }: MediaStream): G711Law | undefined {
  if (kind !== 'audio' || port === 0 || !/^RTP\/AVPF?$/.test(proto)) return undefined;
  // RFC 3551 §6: the types are static, whether or not an rtpmap repeats it.
  const first = formats.find((format) => format === '0' || format === '8');
  return first === undefined ? undefined : first === '0' ? 'PCMU' : 'PCMA';
}

function eventTypeOf({ formats }: MediaStream, section: Section): number | undefined {
  for (const line of section) {
    const type = /^a=rtpmap:(\d+) telephone-event\/8000\s*$/i.exec(line)?.[1];
    if (type !== undefined && formats.includes(type)) return Number(type);
  }
  return undefined;
}

/** RFC 3264 §6.1. */
function answeringDirection({ direction }: MediaStream): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}

function remoteOf(stream: MediaStream, law: G711Law, eventType: number | undefined): AudioRemote {
  const { address = '', port, direction } = stream;
  const wantsToHear = direction === 'sendrecv' || direction === 'recvonly';
  return {
    address,
    port,
    law,
    ...(eventType !== undefined && { eventType }),
    // RFC 3264 §8.4: the null address is hold.
    isSending: wantsToHear && !isNullAddress(address),
  };
}

function eventLines(type: number): string[] {
  return [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-15`];
}

function write({ address, version = 1 }: LocalAudio, media: readonly string[]): string {
  const where = `IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`;
  const session = ['v=0', `o=- 1 ${version} ${where}`, 's=-', `c=${where}`, 't=0 0'];
  return [...session, ...media, ''].join('\r\n');
}
