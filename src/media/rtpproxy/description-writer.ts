import { randomInt } from 'node:crypto';
import { rewriteSdp, type StreamTarget } from '../../sdp/rewrite-sdp.js';
import type { SessionDescription } from '../../sdp/session-description.js';

/** Largest number that randomInt takes. */
const MAX_SESS_ID = 2 ** 47;

/** Id and version in the o= line written last. */
export interface WrittenOrigin {
  readonly sessId: string;
  readonly sessVersion: number;
}

/**
 * Writes the descriptions that one party gets. To that party we are the origin: the session's id stays the same for
 * the whole call, and its version goes up by one when, and only when, the description changes. RFC 3264 §8.
 */
export class DescriptionWriter {
  private readonly sessId: string;
  private sessVersion: number;
  private last: string | undefined;

  /** `origin` is that of an earlier process, with which the call goes on. */
  constructor(origin?: WrittenOrigin) {
    this.sessId = origin?.sessId ?? String(randomInt(1, MAX_SESS_ID));
    this.sessVersion = origin?.sessVersion ?? 0;
  }

  get origin(): WrittenOrigin {
    return { sessId: this.sessId, sessVersion: this.sessVersion };
  }

  /** `address` is the relay's, for o= and for a session without streams. */
  write(
    description: SessionDescription,
    streams: readonly (StreamTarget | 'reject')[],
    address: string,
  ): string {
    const render = (): string =>
      rewriteSdp(description, {
        origin: { sessId: this.sessId, sessVersion: this.sessVersion, address },
        streams,
      });
    if (this.last !== undefined && render() === this.last) return this.last;
    this.sessVersion++;
    this.last = render();
    return this.last;
  }
}
