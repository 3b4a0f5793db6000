import type { Clock } from '../../platform/clock.js';
import type { SipMessage, SipRequest, SipResponse } from '../../sip/message.js';
import { CHALLENGE_LIFETIME_MS, MAX_CHALLENGES } from './limits.js';

interface Remembered {
  readonly destination: string;
  readonly untilMs: number;
}

/**
 * Who asked for credentials: the request that brings them has to go there, though it is a new request to which an
 * application may name several destinations anew.
 */
export class ChallengeMemory {
  /** In the order of their ends. */
  private readonly byNonce = new Map<string, Remembered>();

  constructor(private readonly clock: Clock) {}

  /** Keeps the challenges of a 401 or 407 that goes upstream. */
  learn(response: SipResponse, destination: string): void {
    const nowMs = this.clock.monotonic();
    for (const [key, { untilMs }] of this.byNonce) {
      if (untilMs > nowMs && this.byNonce.size < MAX_CHALLENGES) break;
      this.byNonce.delete(key);
    }
    for (const key of noncesOf(response, 'www-authenticate', 'proxy-authenticate'))
      this.byNonce.set(key, { destination, untilMs: nowMs + CHALLENGE_LIFETIME_MS });
  }

  /** The destination whose challenge the request answers; undefined when it answers none. */
  destinationOf(request: SipRequest): string | undefined {
    if (this.byNonce.size === 0) return undefined;
    for (const key of noncesOf(request, 'authorization', 'proxy-authorization')) {
      const found = this.byNonce.get(key);
      this.byNonce.delete(key);
      if (found && found.untilMs > this.clock.monotonic()) return found.destination;
    }
    return undefined;
  }
}

/** A caller keeps its Call-ID when it answers (RFC 3261 §22.2), so nobody else's answer is led astray. */
function noncesOf(message: SipMessage, ...keys: readonly string[]): string[] {
  const nonces: string[] = [];
  for (const { key, value } of message.headers) {
    const nonce = keys.includes(key) ? /\bnonce="([^"]*)"/i.exec(value)?.[1] : undefined;
    const realm = /\brealm="([^"]*)"/i.exec(value)?.[1];
    if (nonce !== undefined) nonces.push(`${message.callId}\n${realm}\n${nonce}`);
  }
  return nonces;
}
