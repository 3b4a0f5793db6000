import type { LegDialog } from './leg-dialog.js';

/** Steps of the delay, milliseconds. */
const STEP_MS = 10;

/**
 * How long to wait before an offer that met 491 is made again, milliseconds (RFC 3261 §14.1): who made the Call-ID waits 2.1
 * to 4 s, the other 0 to 2 s, so that they do not meet again.
 */
export function glareDelayMs({ madeBy }: Pick<LegDialog, 'madeBy'>, random = Math.random): number {
  const [lowest, steps] = madeBy === 'us' ? [210, 191] : [0, 201];
  return (lowest + Math.floor(random() * steps)) * STEP_MS;
}
