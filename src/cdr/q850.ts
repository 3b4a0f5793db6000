/** Cause 16, normal call clearing: a BYE, or a CANCEL by the caller. */
export const Q850_NORMAL_CLEARING = 16;
/** Cause 41, temporary failure. */
export const Q850_TEMPORARY_FAILURE = 41;

/** RFC 3398 §8.2.6.1: SIP status to cause value. 487, 488 and 606 have none of their own there. */
const CAUSE_OF_STATUS: Readonly<Record<number, number>> = {
  400: 41,
  401: 21,
  402: 21,
  403: 21,
  404: 1,
  405: 63,
  406: 79,
  407: 21,
  408: 102,
  410: 22,
  413: 127,
  414: 127,
  415: 79,
  416: 127,
  420: 127,
  421: 127,
  423: 127,
  480: 18,
  481: 41,
  482: 25,
  483: 25,
  484: 28,
  485: 1,
  486: 17,
  500: 41,
  501: 79,
  502: 38,
  503: 41,
  504: 102,
  505: 127,
  513: 127,
  600: 17,
  603: 21,
  604: 1,
};

/** Statuses that RFC 3398 §8.2.6.1 leaves without a cause. */
const WITHOUT_CAUSE = new Set([487, 488, 606]);

/** RFC 3398 §7.2.4.1: cause value to SIP status. 16 has none: it is a BYE or CANCEL. */
const STATUS_OF_CAUSE: Readonly<Record<number, number>> = {
  1: 404,
  2: 404,
  3: 404,
  17: 486,
  18: 408,
  19: 480,
  20: 480,
  21: 403,
  22: 410,
  23: 410,
  26: 404,
  27: 502,
  28: 484,
  29: 501,
  31: 480,
  34: 503,
  38: 503,
  41: 503,
  42: 503,
  47: 503,
  55: 403,
  57: 403,
  58: 503,
  65: 488,
  70: 488,
  79: 501,
  87: 403,
  88: 503,
  102: 504,
  111: 500,
  127: 500,
};

/**
 * Q.850 cause of a final SIP status. RFC 3398 §8.2.6.1. A status that the table does not hold counts as its class
 * (RFC 3261 §8.1.3.2). Undefined for 487, 488 and 606, for 3xx and for what is no failure.
 */
export function statusToCause(status: number): number | undefined {
  if (status < 400 || status > 699 || WITHOUT_CAUSE.has(status)) return undefined;
  return CAUSE_OF_STATUS[status] ?? CAUSE_OF_STATUS[Math.floor(status / 100) * 100];
}

/** SIP status of a Q.850 cause. RFC 3398 §7.2.4.1. 500 for causes it does not list; undefined for 16. */
export function causeToStatus(cause: number): number | undefined {
  return cause === Q850_NORMAL_CLEARING ? undefined : (STATUS_OF_CAUSE[cause] ?? 500);
}
