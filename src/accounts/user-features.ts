import { AccountError } from './errors.js';

/** How a user's phones ring: together, one after another with the newest registration first, or those of equal q together. */
export const RING_MODES = ['ALL', 'ORDER', 'Q'] as const;
export type RingMode = (typeof RING_MODES)[number];

/** What a subscriber may call outside, in rising order of cost. */
export const OUTSIDE_RIGHTS = ['NONE', 'LOCAL', 'NATIONAL', 'INTERNATIONAL', 'PREMIUM'] as const;
export type OutsideRight = (typeof OUTSIDE_RIGHTS)[number];

/** What a subscriber's calls do besides ringing. All may be absent: then the server's defaults hold. */
export interface UserFeatures {
  /** Default ALL. */
  readonly ring?: RingMode;
  /** ORDER and Q: seconds that one phone, or phones of equal q, ring before the next. Default 20. */
  readonly ringSec?: number;
  /** Every call goes to this number. */
  readonly forwardAlways?: string;
  /** Where calls go when a phone is busy, `maxCalls` is reached, or on `doNotDisturb`. */
  readonly forwardBusy?: string;
  /** Where calls go that nobody answers. */
  readonly forwardNoAnswer?: string;
  /** Where calls go when no phone is registered or can be reached. */
  readonly forwardUnreachable?: string;
  /** Seconds that phones ring before a call counts as not answered; default NO_ANSWER_SEC. */
  readonly noAnswerSec?: number;
  readonly doNotDisturb?: boolean;
  /** Call waiting limit: calls at once, in and out, beyond which the user is busy. Absent: any number. */
  readonly maxCalls?: number;
  /** Longest call of this user, answer to end, seconds. Absent: no limit. */
  readonly maxDurationSec?: number;
  /** Calls of this user end after so long without media, seconds; default MEDIA_SILENCE_SEC. */
  readonly silenceSec?: number;
  /** Session interval of this user's calls, seconds (RFC 4028); default SESSION_TIMER_SEC. */
  readonly sessionSec?: number;
  /** A 3xx of the user's phone sends the call to another of our numbers. */
  readonly mayDeflect?: boolean;
  /** The dearest class of outside numbers that it may call; default NATIONAL. */
  readonly outside?: OutsideRight;
  /** Beginnings of the outside numbers that it may call, divided by `&`; absent: all of its class. */
  readonly outsidePrefixes?: string;
  /** Outside calls at once, and begun in an hour and a day. Absent: the server's limits. */
  readonly outsideCalls?: number;
  readonly outsidePerHour?: number;
  readonly outsidePerDay?: number;
}

/** Changes to features: an empty text, 0, `false` and `null` take a feature away. */
export type FeatureChanges = { readonly [K in keyof UserFeatures]?: UserFeatures[K] | null | undefined };

/** How the value of a feature is written and what it may be. */
type FeatureKind =
  | { readonly kind: 'mode'; readonly values: readonly string[] }
  | { readonly kind: 'prefixes' }
  | { readonly kind: 'flag' }
  | { readonly kind: 'number' }
  | { readonly kind: 'count'; readonly min: number; readonly max: number };

/** Every feature, in the order of documents. */
export const FEATURES = {
  ring: { kind: 'mode', values: RING_MODES },
  ringSec: { kind: 'count', min: 3, max: 300 },
  forwardAlways: { kind: 'number' },
  forwardBusy: { kind: 'number' },
  forwardNoAnswer: { kind: 'number' },
  forwardUnreachable: { kind: 'number' },
  noAnswerSec: { kind: 'count', min: 3, max: 600 },
  doNotDisturb: { kind: 'flag' },
  maxCalls: { kind: 'count', min: 1, max: 1000 },
  maxDurationSec: { kind: 'count', min: 1, max: 604_800 },
  silenceSec: { kind: 'count', min: 5, max: 86_400 },
  sessionSec: { kind: 'count', min: 90, max: 86_400 },
  mayDeflect: { kind: 'flag' },
  outside: { kind: 'mode', values: OUTSIDE_RIGHTS },
  outsidePrefixes: { kind: 'prefixes' },
  outsideCalls: { kind: 'count', min: 1, max: 1000 },
  outsidePerHour: { kind: 'count', min: 1, max: 10_000 },
  outsidePerDay: { kind: 'count', min: 1, max: 20_000 },
} as const satisfies Record<keyof UserFeatures, FeatureKind>;

export type FeatureName = keyof typeof FEATURES;
export const FEATURE_NAMES = Object.keys(FEATURES) as FeatureName[];

/** A number that calls may be sent on to. */
const DESTINATION = /^[A-Za-z0-9._+*#-]{1,64}$/;

const PREFIXES = /^[0-9+*#]{1,20}(?:&[0-9+*#]{1,20}){0,19}$/;

/** Whether a text may be the destination of a forwarding, a short number or a group's overflow. */
export function isDestination(text: string): boolean {
  return DESTINATION.test(text);
}

/** The features after a change, empty ones left out. Throws AccountError (FIELD_INVALID) for a value out of range. */
export function changeFeatures(
  username: string,
  before: UserFeatures | undefined,
  changes: FeatureChanges,
): UserFeatures {
  const after: Record<string, unknown> = { ...before };
  for (const name of FEATURE_NAMES) {
    const value = changes[name];
    if (value === undefined) continue;
    delete after[name];
    if (value !== null && value !== '' && value !== 0 && value !== false) {
      checkFeature(username, name, value);
      after[name] = value;
    }
  }
  return after;
}

function checkFeature(username: string, name: FeatureName, value: unknown): void {
  const invalid = (allowed: string) =>
    new AccountError('FIELD_INVALID', `${name} must be ${allowed}`, { field: name });
  const feature: FeatureKind = FEATURES[name];
  switch (feature.kind) {
    case 'mode':
      if (!feature.values.includes(value as string)) throw invalid(`one of ${feature.values.join(', ')}`);
      return;
    case 'prefixes':
      if (typeof value !== 'string' || !PREFIXES.test(value))
        throw invalid('at most 20 beginnings of numbers, divided by &');
      return;
    case 'flag':
      if (typeof value !== 'boolean') throw invalid('true or false');
      return;
    case 'number':
      if (typeof value !== 'string' || !isDestination(value))
        throw invalid('a number of at most 64 letters, digits or any of . _ + * # -');
      if (value === username) throw invalid('another number than the own');
      return;
    case 'count': {
      const { min, max } = feature;
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
        throw invalid(`a whole number ${min} to ${max}, or 0 for none`);
    }
  }
}

/** Reads features from texts of a file: flags as true or yes, counts as digits. What cannot be read stays a text and is refused later. */
export function readFeatures(texts: Readonly<Partial<Record<FeatureName, string>>>): FeatureChanges {
  const changes: Record<string, unknown> = {};
  for (const name of FEATURE_NAMES) {
    const text = texts[name];
    if (text === undefined) continue;
    const { kind }: FeatureKind = FEATURES[name];
    if (kind === 'flag') changes[name] = readFlag(text);
    else if (kind === 'count') changes[name] = /^\d{1,9}$/.test(text) ? Number(text) : text;
    else changes[name] = kind === 'mode' ? text.toUpperCase() : text;
  }
  return changes;
}

function readFlag(text: string): boolean | string {
  if (/^(?:true|yes|on|1)$/i.test(text)) return true;
  return /^(?:false|no|off|0)$/i.test(text) ? false : text;
}

/** Features as one line for people: `forwardBusy=1003 doNotDisturb=true`; empty when there is none. */
export function describeFeatures(features: UserFeatures = {}): string {
  return FEATURE_NAMES.filter((name) => features[name] !== undefined)
    .map((name) => `${name}=${features[name]}`)
    .join(' ');
}
