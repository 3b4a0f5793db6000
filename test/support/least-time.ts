/** Tries enough that a busy machine is not taken for slow code. */
const TRIES = 8;

/**
 * The least time that `work` took in a few tries, milliseconds; ends at the first try below `enoughMs`. For telling
 * quadratic work (seconds, at every try) from linear work (far below the bound, at some try), never for speed.
 */
export function leastMs(enoughMs: number, work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES && least >= enoughMs; i++) {
    const startedMs = performance.now();
    work();
    least = Math.min(least, performance.now() - startedMs);
  }
  return least;
}
