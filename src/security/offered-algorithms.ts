import type { HeldAlgorithm } from './credentials.js';

/**
 * Offered unless configured otherwise, in this order. MD5 stands first because clients in use give up when the first
 * challenge names an algorithm that they do not know, against RFC 7616 §3.3 and RFC 8760 §2.4: SIPp up to 3.6 is one.
 * A client takes the first that it can, so who has modern phones only turns the order round, or leaves MD5 out.
 */
export const DEFAULT_ALGORITHMS: readonly HeldAlgorithm[] = ['MD5', 'SHA-256'];

/** User agents that fail on more than one challenge of a realm: baresip before 3.0 gives up and says so to nobody. */
const ONE_CHALLENGE_AGENTS = /^baresip v[0-2]\./;

/** The algorithms to offer to a client: one that can read a single challenge gets MD5 alone, if that is offered at all. */
export function algorithmsFor(
  offered: readonly HeldAlgorithm[],
  userAgent: string | undefined,
): readonly HeldAlgorithm[] {
  const needsOne = userAgent !== undefined && ONE_CHALLENGE_AGENTS.test(userAgent);
  return needsOne && offered.includes('MD5') ? ['MD5'] : offered;
}
