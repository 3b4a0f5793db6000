import { statusToCause } from '../cdr/q850.js';
import type { CallResult } from '../cdr/types.js';

/** What one release reason means for the record and for a party that has not had its final answer yet. */
interface CauseFacts {
  readonly result: CallResult;
  /** Final status for the caller when the call was not answered yet (RFC 3261 §21). */
  readonly status: number;
  /** ITU-T Q.850, after RFC 3398 §8.2.6.1 where a SIP status stands behind it. */
  readonly q850: number;
}

/**
 * Every reason for which a call ends. The keys are stable: records, consoles and reports name them.
 * `result` is for calls that nobody answered; an answered one is ANSWERED, or ABNORMAL when the cause says so.
 */
const CATALOGUE = {
  // The parties' doing.
  'normal-clearing': { result: 'ANSWERED', status: 200, q850: 16 },
  'caller-cancelled': { result: 'CANCELLED', status: 487, q850: 16 },
  'callee-busy': { result: 'BUSY', status: 486, q850: 17 },
  'callee-rejected': { result: 'REJECTED', status: 603, q850: 21 },
  'callee-unavailable': { result: 'NO_ANSWER', status: 480, q850: 18 },
  'callee-no-answer': { result: 'NO_ANSWER', status: 480, q850: 19 },
  'callee-number-unknown': { result: 'FAILED', status: 404, q850: 1 },
  'callee-not-acceptable': { result: 'FAILED', status: 488, q850: 88 },
  'callee-redirected': { result: 'FAILED', status: 480, q850: 31 },
  'callee-challenged': { result: 'FAILED', status: 500, q850: 21 },
  'callee-failed': { result: 'FAILED', status: 500, q850: 41 },
  'callee-unreachable': { result: 'FAILED', status: 480, q850: 27 },
  'callee-timeout': { result: 'FAILED', status: 408, q850: 102 },
  'callee-description-bad': { result: 'FAILED', status: 502, q850: 88 },
  'callee-do-not-disturb': { result: 'REJECTED', status: 480, q850: 21 },
  'duration-exceeded': { result: 'ANSWERED', status: 200, q850: 31 },
  'call-picked-up': { result: 'ANSWERED', status: 200, q850: 16 },
  'call-replaced': { result: 'ANSWERED', status: 200, q850: 16 },
  'call-transferred': { result: 'ANSWERED', status: 200, q850: 16 },
  'feature-code-done': { result: 'REJECTED', status: 603, q850: 31 },
  'feature-code-refused': { result: 'REJECTED', status: 403, q850: 29 },
  'own-phones-unavailable': { result: 'NO_ANSWER', status: 480, q850: 18 },
  'forward-loop': { result: 'FAILED', status: 482, q850: 25 },
  'destination-barred': { result: 'REJECTED', status: 403, q850: 29 },
  'outside-not-allowed': { result: 'REJECTED', status: 403, q850: 29 },
  'outside-limit': { result: 'REJECTED', status: 403, q850: 29 },
  'transit-refused': { result: 'REJECTED', status: 403, q850: 21 },
  'trunks-down': { result: 'FAILED', status: 503, q850: 38 },
  'trunks-full': { result: 'FAILED', status: 503, q850: 34 },
  'trunk-limit': { result: 'FAILED', status: 503, q850: 42 },
  // Conference rooms: 403 for who may not come in at all (RFC 3261 §21.4.4), 480 for a room that is shut for now (RFC 3261 §21.4.18),
  // 486 for one that takes no more (RFC 3261 §21.4.24), 503 when it is the server that has no room left (RFC 3261 §21.5.4).
  'conference-forbidden': { result: 'REJECTED', status: 403, q850: 21 },
  'conference-locked': { result: 'REJECTED', status: 480, q850: 21 },
  'conference-full': { result: 'BUSY', status: 486, q850: 17 },
  'conference-limit': { result: 'FAILED', status: 503, q850: 42 },
  'conference-removed': { result: 'CANCELLED', status: 480, q850: 16 },
  'conference-ended': { result: 'CANCELLED', status: 480, q850: 16 },
  // Refusals before a phone rang (RFC 3261 §21.4.4, §21.4.5, §21.4.18).
  'authentication-failed': { result: 'REJECTED', status: 403, q850: 21 },
  'from-mismatch': { result: 'REJECTED', status: 403, q850: 21 },
  'caller-suspended': { result: 'REJECTED', status: 403, q850: 21 },
  'callee-suspended': { result: 'REJECTED', status: 403, q850: 21 },
  'callee-unknown': { result: 'FAILED', status: 404, q850: 1 },
  'callee-not-registered': { result: 'FAILED', status: 480, q850: 20 },
  'foreign-domain': { result: 'FAILED', status: 404, q850: 3 },
  'address-incomplete': { result: 'FAILED', status: 484, q850: 28 },
  'scheme-unsupported': { result: 'FAILED', status: 416, q850: 28 },
  'request-malformed': { result: 'FAILED', status: 400, q850: 111 },
  'extension-required': { result: 'FAILED', status: 420, q850: 127 },
  'body-unsupported': { result: 'FAILED', status: 415, q850: 79 },
  'loop-detected': { result: 'FAILED', status: 482, q850: 25 },
  'too-many-hops': { result: 'FAILED', status: 483, q850: 25 },
  'offer-not-acceptable': { result: 'FAILED', status: 488, q850: 88 },
  // RFC 3891 §3: what an INVITE with Replaces hears.
  'replaced-call-unknown': { result: 'FAILED', status: 481, q850: 41 },
  'replaced-call-over': { result: 'REJECTED', status: 603, q850: 21 },
  'replaced-call-busy': { result: 'FAILED', status: 491, q850: 41 },
  'replaced-call-answered': { result: 'BUSY', status: 486, q850: 17 },
  'replacement-forbidden': { result: 'REJECTED', status: 403, q850: 21 },
  // The server's state.
  'server-draining': { result: 'FAILED', status: 503, q850: 42 },
  'server-overloaded': { result: 'FAILED', status: 503, q850: 42 },
  'media-unavailable': { result: 'FAILED', status: 503, q850: 47 },
  'store-unavailable': { result: 'FAILED', status: 503, q850: 41 },
  'server-error': { result: 'ABNORMAL', status: 500, q850: 41 },
  'server-shutdown': { result: 'ABNORMAL', status: 503, q850: 41 },
  'engine-lost': { result: 'ABNORMAL', status: 503, q850: 38 },
  'operator-ended': { result: 'CANCELLED', status: 480, q850: 16 },
  // Ends that nobody asked for.
  'ack-timeout': { result: 'ABNORMAL', status: 408, q850: 102 },
  'ack-without-answer': { result: 'ABNORMAL', status: 488, q850: 88 },
  'session-expired': { result: 'ABNORMAL', status: 408, q850: 102 },
  'dialog-lost': { result: 'ABNORMAL', status: 481, q850: 41 },
  'answer-not-delivered': { result: 'ABNORMAL', status: 500, q850: 41 },
  'media-silent': { result: 'ABNORMAL', status: 408, q850: 102 },
  'media-failed': { result: 'ABNORMAL', status: 500, q850: 47 },
} as const satisfies Record<string, CauseFacts>;

/** A release reason, as it stands in records. */
export type CauseName = keyof typeof CATALOGUE;

/** A cause with its facts. */
export interface Cause extends CauseFacts {
  readonly name: CauseName;
}

/** All release reasons, for documents and reports. */
export const CAUSE_NAMES = Object.keys(CATALOGUE) as CauseName[];

/** The facts of a release reason. */
export function causeOf(name: CauseName): Cause {
  return { name, ...CATALOGUE[name] };
}

/** Statuses that RFC 3398 §8.2.6.1 leaves without a cause: the callee gave up, or cannot do what was offered. */
const Q850_OF_OTHERS: Readonly<Record<number, number>> = { 487: 31, 488: 88, 606: 88 };
/** Interworking, unspecified. */
const Q850_INTERWORKING = 127;

/** The Q.850 cause that stands for a final SIP status; there always is one. */
export function q850OfStatus(status: number): number {
  return statusToCause(status) ?? Q850_OF_OTHERS[status] ?? Q850_INTERWORKING;
}

/** A callee's failure as the caller shall hear it. */
export interface CalleeFailure {
  readonly cause: Cause;
  /** Status for the caller: the callee's own unless that speaks of our hop only. */
  readonly status: number;
}

/**
 * Reads a final status of the callee's phone. The status goes on to the caller as it is, save those that concern
 * only the hop between us and the phone: 3xx (not followed), 401, 407, 420, 421, 422, 430 and 481.
 */
export function calleeFailure(status: number): CalleeFailure {
  const cause = causeOf(causeOfStatus(status));
  const isOurHop = status < 400 || [401, 407, 420, 421, 422, 430, 481].includes(status);
  return {
    cause: isOurHop ? cause : { ...cause, q850: q850OfStatus(status) },
    status: isOurHop ? cause.status : status,
  };
}

function causeOfStatus(status: number): CauseName {
  if (status < 400) return 'callee-redirected';
  switch (status) {
    case 486:
    case 600:
      return 'callee-busy';
    case 403:
    case 603:
    case 607:
    case 608:
      return 'callee-rejected';
    case 480:
      return 'callee-unavailable';
    case 408:
      return 'callee-timeout';
    case 404:
    case 410:
    case 484:
    case 485:
    case 604:
      return 'callee-number-unknown';
    case 415:
    case 488:
    case 606:
      return 'callee-not-acceptable';
    case 401:
    case 407:
      return 'callee-challenged';
    // RFC 5626 §7: the phone registered over a connection that is gone.
    case 430:
      return 'callee-unreachable';
    default:
      return 'callee-failed';
  }
}
