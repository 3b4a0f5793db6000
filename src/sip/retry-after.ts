import type { SipResponse } from './message.js';

/** Seconds of Retry-After, which a comment and parameters may follow (RFC 3261 §20.33); undefined where it does not say. */
export function retryAfterSec(response: SipResponse): number | undefined {
  const seconds = /^\s*(\d{1,6})/.exec(response.get('retry-after') ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
