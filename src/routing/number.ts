/** A dialled number or name as the directory knows it. */
export interface DialledNumber {
  /** What to show and to record: decoded, without visual separators. */
  readonly number: string;
  /** Usernames to look for, most literal first. Never empty. */
  readonly candidates: readonly string[];
}

/** Longest user part that is looked up; longer ones are refused as unknown. */
export const MAX_NUMBER_LENGTH = 128;

/**
 * Normalises the unescaped user part of a sip:, sips: or tel: URI: parameters cut off (RFC 3261 §19.1.6), visual
 * separators dropped when what is left is a telephone number (RFC 3966 §5.1.1).
 * Returns undefined for an empty user, control characters or over MAX_NUMBER_LENGTH characters.
 */
export function normaliseNumber(user: string): DialledNumber | undefined {
  const bare = user.split(';', 1)[0] ?? '';
  if (bare.length === 0 || bare.length > MAX_NUMBER_LENGTH) return undefined;
  // A line break in a number must never reach a line protocol.
  if (/[\u0000-\u001f\u007f]/.test(bare)) return undefined;
  if (!/^\+?[\d\-.() *#]+$/.test(bare) || !/\d/.test(bare)) return { number: bare, candidates: [bare] };
  const digits = bare.replace(/[-.() ]/g, '');
  const candidates = new Set([bare, digits, digits.replace(/^\+/, '')]);
  return { number: digits, candidates: [...candidates] };
}
