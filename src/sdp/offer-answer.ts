import { BadSdpError } from './errors.js';
import type { MediaStream, SessionDescription } from './session-description.js';

/** True for the null addresses that old phones use for hold. RFC 3264 §8.4. */
export function isNullAddress(address: string | undefined): boolean {
  return address === '0.0.0.0' || address === '::' || address === '0::0' || address === '0:0:0:0:0:0:0:0';
}

/** True when the stream is up, whatever its direction. */
export function isLive(stream: MediaStream): boolean {
  return stream.port !== 0;
}

/**
 * True when the sender of this description puts the stream on hold: it will not listen. RFC 3264 §8.4 (sendonly or
 * inactive), and the older c=0.0.0.0 of RFC 2543.
 */
export function isStreamHeld(stream: MediaStream): boolean {
  return (
    isLive(stream) &&
    (stream.direction === 'sendonly' || stream.direction === 'inactive' || isNullAddress(stream.address))
  );
}

/** True when every live stream is held, and there is one. */
export function isHold(description: SessionDescription): boolean {
  const live = description.streams.filter(isLive);
  return live.length > 0 && live.every(isStreamHeld);
}

/**
 * Holds an answer to its offer: as many m-lines (RFC 3264 §6), of the same kinds, in the same order.
 * Throws BadSdpError otherwise.
 */
export function checkAnswer(offer: SessionDescription, answer: SessionDescription): void {
  if (answer.streams.length !== offer.streams.length) {
    throw new BadSdpError(`answer has ${answer.streams.length} m-lines, the offer ${offer.streams.length}`);
  }
  for (const [index, stream] of answer.streams.entries()) {
    const offered = offer.streams[index]!;
    if (stream.kind !== offered.kind) {
      throw new BadSdpError(`m-line ${index} of the answer is ${stream.kind}, of the offer ${offered.kind}`);
    }
  }
}
