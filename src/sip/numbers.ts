/** Largest delta-seconds (RFC 3261 §20.19); larger ones count as this. */
export const MAX_DELTA_SECONDS = 2 ** 32 - 1;

/** delta-seconds, clamped to 2^32-1; undefined when malformed (RFC 3261 §25.1). */
export function parseDeltaSeconds(text: string): number | undefined {
  return /^\d+$/.test(text) ? Math.min(Number(text), MAX_DELTA_SECONDS) : undefined;
}

/** qvalue: 0..1 with at most three decimals; undefined when malformed (RFC 3261 §25.1). */
export function parseQValue(text: string): number | undefined {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : undefined;
}
