/** Largest delta-seconds (RFC 3261 §20.19); larger ones count as this. */
export const MAX_DELTA_SECONDS = 2 ** 32 - 1;

/** Digits above this many cannot be told apart as numbers and are refused; no header needs them. */
const MAX_DIGITS = 15;

/** 1*DIGIT as a number; undefined when malformed or too long for an exact number. Leading zeros do not count. */
export function parseDigits(text: string): number | undefined {
  let value = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
    if (value > 0) digits++;
  }
  return text !== '' && digits <= MAX_DIGITS ? value : undefined;
}

/** delta-seconds, clamped to 2^32-1; undefined when malformed (RFC 3261 §25.1). */
export function parseDeltaSeconds(text: string): number | undefined {
  return /^\d+$/.test(text) ? Math.min(Number(text), MAX_DELTA_SECONDS) : undefined;
}

/** qvalue: 0..1 with at most three decimals; undefined when malformed (RFC 3261 §25.1). */
export function parseQValue(text: string): number | undefined {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : undefined;
}
