import type { MessageLimits } from './types.js';

/** Longest wait for the directory inside a MESSAGE. */
export const LOOKUP_TIMEOUT_MS = 4000;
/** Messages without an answer at once; more hear 503. */
export const MAX_UNANSWERED = 2000;
/** How often what has expired is removed. */
export const SWEEP_MS = 3_600_000;
/** How long a closing server waits for the phones that have a message. */
export const CLOSE_WAIT_MS = 2000;
/** What the operator may set. */
export const DEFAULT_LIMITS: Required<MessageLimits> = {
  maxBytes: 8192,
  maxWaiting: 100,
  maxTotal: 100_000,
  expirySec: 604_800,
  perMinute: 60,
  patienceMs: 8000,
};
