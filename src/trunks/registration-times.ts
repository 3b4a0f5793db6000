/** Back-off after failures: doubles from the first to the last value, spread by a quarter. RFC 5626 §4.5 has the same shape. */
const RETRY_FIRST_MS = 2000;
const RETRY_MAX_MS = 300_000;
/** 403 and 404 will not change by asking soon. */
const RETRY_REFUSED_MS = 120_000;

/** How long until the next try after `failures` of them: pure but for `draw`, a number from 0 to below 1. */
export function retryDelayMs(failures: number, status: number, draw: number): number {
  const base =
    status === 403 || status === 404
      ? RETRY_REFUSED_MS
      : Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.round(base * (0.75 + draw / 2));
}

/** When to register again: within the last quarter of the time, and no later than half a minute before its end. */
export function refreshDelayMs(expiresSec: number, draw: number): number {
  const share = expiresSec * 1000 * (0.75 + draw * 0.15);
  const early = (expiresSec - 30) * 1000;
  return Math.round(
    Math.max(1000, early > 30_000 ? Math.min(share, early) : Math.min(share, expiresSec * 750)),
  );
}
