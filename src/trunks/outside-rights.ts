import type { User } from '../accounts/types.js';
import { DEFAULT_CALL_CLASS, type PayerFacts } from '../routing/outside-types.js';
import type { TrunkUsage } from './usage.js';

/** Limits of subscribers that have none of their own; 0 for none. */
export interface OutsideDefaults {
  readonly maxCalls: number;
  readonly perHour: number;
  readonly perDay: number;
}

/** A stolen password costs no more than this until somebody looks. */
export const OUTSIDE_DEFAULTS: OutsideDefaults = { maxCalls: 4, perHour: 60, perDay: 300 };

/** What a subscriber may do outside, and what it has done. */
export function payerFacts(
  { username, features = {} }: Pick<User, 'username' | 'features'>,
  usage: TrunkUsage,
  defaults: OutsideDefaults,
): PayerFacts {
  const { outside = DEFAULT_CALL_CLASS, outsidePrefixes = '' } = features;
  const limit = (own: number | undefined, common: number) => own ?? (common || Number.POSITIVE_INFINITY);
  return {
    username,
    right: outside,
    allowed: outsidePrefixes.split('&').filter(Boolean),
    calls: usage.callsOf(username),
    maxCalls: limit(features.outsideCalls, defaults.maxCalls),
    ...usage.begunBy(username),
    maxHour: limit(features.outsidePerHour, defaults.perHour),
    maxDay: limit(features.outsidePerDay, defaults.perDay),
  };
}
