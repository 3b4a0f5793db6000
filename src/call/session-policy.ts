import { header, headerList } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfMessage } from '../signalling/srf-types.js';
import { parseSessionExpires } from '../sip/session-expires.js';

/** RFC 4028 §4, §5: no interval and no Min-SE is shorter. */
const LEAST_SEC = 90;

/**
 * How session timers are negotiated (RFC 4028). What is agreed on runs in the engine: it refreshes or watches the peer
 * refresh, and says BYE with "Session timer expired" when that fails.
 */
export interface SessionPolicy {
  /** What we offer, seconds; 0: only what peers ask for. */
  readonly intervalSec: number;
  /** The shortest that we take. */
  readonly minSec: number;
}

/** Whether an INVITE asks for a shorter interval than we take: 422 with Min-SE (RFC 4028 §9). */
export function isTooBrief(invite: SrfMessage, { minSec }: SessionPolicy): boolean {
  const asked = intervalOf(invite);
  return asked !== undefined && asked.intervalSec < minSec && knowsTimer(invite);
}

/**
 * Headers of our 200 to an INVITE: who refreshes how often, by the table of RFC 4028 §9. The interval is never longer than
 * asked for, nor shorter than the peer's Min-SE. A peer that takes timers refreshes itself unless it wants us to; one that
 * does not is refreshed by us when a proxy asks for it.
 */
export function answerSession(invite: SrfMessage, policy: SessionPolicy, ownSec?: number): OutgoingHeaders {
  const asked = intervalOf(invite);
  const isKnown = knowsTimer(invite);
  const wantedSec = ownSec ?? policy.intervalSec;
  if (!asked && (wantedSec === 0 || !isKnown)) return {};
  const leastSec = Math.max(minSeOf(invite), policy.minSec, LEAST_SEC);
  const longestSec = asked ? Math.max(asked.intervalSec, LEAST_SEC) : Number.POSITIVE_INFINITY;
  const intervalSec = Math.min(longestSec, Math.max(wantedSec || longestSec, leastSec));
  const refresher = isKnown ? (asked?.refresher ?? 'uac') : 'uas';
  return {
    'Session-Expires': `${intervalSec};refresher=${refresher}`,
    ...(refresher === 'uac' && { Require: 'timer' }),
  };
}

/** Headers of an INVITE of ours: the peer decides who refreshes (RFC 4028 §7.1). */
export function offerSession(policy: SessionPolicy, ownSec?: number): OutgoingHeaders {
  const wantedSec = ownSec ?? policy.intervalSec;
  return wantedSec === 0 ? {} : sessionHeaders(Math.max(wantedSec, policy.minSec), policy.minSec);
}

/** Headers of the INVITE that follows a 422 (RFC 4028 §7.3); undefined when it names no longer interval than `sentSec`. */
export function offerLongerSession(refusal: SrfMessage, sentSec: number): OutgoingHeaders | undefined {
  const minSec = minSeOf(refusal);
  return minSec > sentSec ? sessionHeaders(minSec, minSec) : undefined;
}

/** The interval in headers of ours, seconds; 0 without one. */
export function intervalIn(headers: OutgoingHeaders): number {
  return parseSessionExpires(String(headers['Session-Expires'] ?? ''))?.intervalSec ?? 0;
}

function sessionHeaders(intervalSec: number, minSec: number): OutgoingHeaders {
  return { 'Session-Expires': intervalSec, 'Min-SE': minSec };
}

function intervalOf(message: SrfMessage): ReturnType<typeof parseSessionExpires> {
  const value = header(message, 'session-expires');
  return value === undefined ? undefined : parseSessionExpires(value);
}

function minSeOf(message: SrfMessage): number {
  return parseSessionExpires(header(message, 'min-se') ?? '')?.intervalSec ?? 0;
}

function knowsTimer(message: SrfMessage): boolean {
  return headerList(message, 'supported').some((tag) => tag.toLowerCase() === 'timer');
}
