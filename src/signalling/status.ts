/** Statuses that srf agrees to send; it throws for others. */
const SENDABLE = new Set([
  100, 180, 181, 182, 183, 199, 200, 202, 204, 300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406,
  407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423, 424, 428, 429, 430, 433, 436,
  437, 438, 439, 470, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491, 493, 494, 500, 501, 502, 503,
  504, 505, 513, 580, 600, 603, 604, 606,
]);

/**
 * The status itself when srf can send it, else the one that peers take it for: x00 of its class (RFC 3261 §8.1.3.2), 183
 * among the provisionals, 603 for 607 and 608, which mean a person's refusal.
 */
export function sendableStatus(status: number): number {
  if (SENDABLE.has(status)) return status;
  if (status > 100 && status < 200) return 183;
  if (status === 607 || status === 608) return 603;
  const general = Math.floor(status / 100) * 100;
  return SENDABLE.has(general) ? general : 500;
}

/** The standard reason phrase of a status. */
export { reasonPhrase } from '../sip/reason-phrases.js';
