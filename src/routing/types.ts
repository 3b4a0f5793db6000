import type { DialledCode } from './feature-codes.js';
import type { LegLimits } from './leg-limits.js';
import type { OutsideFacts, PayerFacts, TrunkTarget } from './outside-types.js';
import type { RouteStep } from './steps.js';

/** A subscriber's standing as routing sees it. */
export type SubscriberStatus = 'ACTIVE' | 'INACTIVE' | 'SUSPENDED';

/** One phone that a call may be sent to. Routing needs its order only; the rest travels along untouched. */
export interface RoutableBinding {
  /** 0..1, RFC 3261 §20.10. */
  readonly q: number;
  readonly registeredAt: number;
}

/** A phone of a subscriber, as a target of a round. */
export interface PhoneTarget<B extends RoutableBinding> {
  readonly kind: 'phone';
  readonly username: string;
  readonly binding: B;
  /** What its user's account says about calls on this leg. */
  readonly limits?: LegLimits;
}

/** What a call may be sent to. */
export type RouteTarget<B extends RoutableBinding> = PhoneTarget<B> | TrunkTarget | RoomTarget;

/** A seat in a conference room. */
export interface RoomTarget {
  readonly kind: 'room';
  readonly room: string;
}

/** What makes a number a conference room: how it begins, or the range that it is in. */
export interface RoomReason {
  readonly by: 'prefix' | 'range';
  readonly value: string;
}

/** A number that is a conference room, as it is now. */
export interface RoomFacts {
  /** The number itself. */
  readonly room: string;
  /** What makes it one. */
  readonly because: RoomReason;
  readonly members: number;
  readonly maxMembers: number;
  readonly isLocked: boolean;
  /** Callers from trunks may come in. */
  readonly mayOutside: boolean;
  /** Rooms that somebody is in, and how many there may be. */
  readonly rooms: number;
  readonly maxRooms: number;
}

/** What a round rings; it decides which failures lead on to the next one (`next-round.ts`). */
export type RoundKind = 'phones' | 'group' | 'trunk' | 'room';

/** Targets that ring together; the next round follows when all failed or the time is over. */
export interface Round<T> {
  readonly kind: RoundKind;
  readonly targets: readonly T[];
  /** Milliseconds. */
  readonly ringMs: number;
  /** How long the targets may say nothing at all, milliseconds; as long as they ring when absent. */
  readonly tryMs?: number;
}

/** Why a call went on to another number: the words of RFC 5806. */
export type DiversionReason =
  | 'unconditional'
  | 'user-busy'
  | 'no-answer'
  | 'unavailable'
  | 'do-not-disturb'
  | 'deflection';

/** One step of a forwarded call: by whom, where to, why. */
export interface Diversion {
  readonly by: string;
  readonly to: string;
  readonly reason: DiversionReason;
}

/** How a callee could not be had, as far as forwarding asks. */
export type FailureKind = 'busy' | 'no-answer' | 'unreachable';

/** What to try for a call, in order, and where to go on when all of it failed. */
export interface RoutePlan<T> {
  /** Who is rung: a subscriber, a group, a conference room, or a number beyond a trunk. */
  readonly callee: string;
  /** Never empty. */
  readonly rounds: readonly Round<T>[];
  readonly onFailure: Readonly<Partial<Record<FailureKind, Diversion>>>;
  /** The hunt group that is rung. */
  readonly group?: string;
  /** The route by which it leaves this server. */
  readonly outside?: string;
  /** Who answers for a call to the outside; absent when nobody here does. */
  readonly payer?: PayerFacts;
  /** The conference room that it is. */
  readonly room?: string;
  /** A 3xx of a phone sends the call to another of our numbers. */
  readonly mayDeflect?: boolean;
  /** Longest call of the callee. */
  readonly maxDurationSec?: number;
}

/** What a subscriber's account says about calls to it; all may be absent. Units as in the account. */
export interface CalleeFeatures extends LegLimits {
  readonly ring?: 'ALL' | 'ORDER' | 'Q';
  readonly ringSec?: number;
  readonly forwardAlways?: string;
  readonly forwardBusy?: string;
  readonly forwardNoAnswer?: string;
  readonly forwardUnreachable?: string;
  readonly doNotDisturb?: boolean;
  readonly maxCalls?: number;
  readonly mayDeflect?: boolean;
}

/** A subscriber that may be rung. */
export interface CalleeFacts<B extends RoutableBinding> {
  readonly username: string;
  readonly status: SubscriberStatus;
  readonly bindings: readonly B[];
  readonly features: CalleeFeatures;
  /** Calls that it is in now, in and out, those that ring included. */
  readonly calls: number;
  /** When it last answered a call, on any clock that goes forward; 0 for never. */
  readonly lastAnswer: number;
}

export const GROUP_STRATEGIES = ['ALL', 'LINEAR', 'ROUND_ROBIN', 'LEAST_RECENT'] as const;
export type GroupStrategy = (typeof GROUP_STRATEGIES)[number];

/** Subscribers that answer for one number. */
export interface HuntGroup {
  readonly number: string;
  readonly name: string;
  /** User names in order. */
  readonly members: readonly string[];
  readonly strategy: GroupStrategy;
  /** Seconds that one member rings, with ALL everybody. */
  readonly memberSec: number;
  /** Where calls go that no member takes. */
  readonly overflow?: string;
}

/** Hours of a week during which a number leads elsewhere. */
export interface TimeRule {
  /** 1 Monday to 7 Sunday: the day on which the hours begin. */
  readonly days: readonly number[];
  /** Minutes after midnight; `until` is exclusive, and not after `from` means on the next day. */
  readonly from: number;
  readonly until: number;
  /** IANA name, such as Europe/Berlin. */
  readonly zone: string;
  readonly to: string;
}

/** A short number, an alias, or a number that depends on the time. */
export interface NumberEntry {
  readonly number: string;
  /** Where it leads when no rule fits; absent: to the subscriber or group of that number. */
  readonly to?: string;
  /** The first one that fits counts. */
  readonly rules: readonly TimeRule[];
}

/** What stands behind a number. */
export type Destination<B extends RoutableBinding> =
  | { readonly kind: 'user'; readonly user: CalleeFacts<B> }
  | {
      readonly kind: 'group';
      readonly group: HuntGroup;
      /** Those that exist, in the group's order. */
      readonly members: readonly CalleeFacts<B>[];
      /** Round robin: how many calls the group had before. */
      readonly turn: number;
    };

/** Who calls, as routing sees it. */
export interface RouteCaller {
  /** Of a caller from outside its trunk and number. */
  readonly username: string;
  readonly status: SubscriberStatus;
  /** The trunk that the call came from. */
  readonly trunk?: string;
  /** The number that trunks show; the username when absent. */
  readonly number?: string;
}

/** Everything a decision rests on, gathered beforehand: routing itself asks nobody. */
export interface RouteFacts<B extends RoutableBinding> {
  readonly caller: RouteCaller;
  /** From the Request-URI: `sip`, `sips` or `tel` in lower case. */
  readonly scheme: string;
  /** Host of the Request-URI; empty for tel:. */
  readonly host: string;
  /** Whether that host names this server. Ignored for tel:. */
  readonly isLocalHost: boolean;
  /** Normalised number; undefined when the URI has none that can be used. */
  readonly number: string | undefined;
  /** The feature code that it is. */
  readonly code?: DialledCode | undefined;
  /** What the table of numbers says of it. */
  readonly entry?: NumberEntry | undefined;
  readonly destination: Destination<B> | undefined;
  /** When no subscriber, group or short number has the number: the conference room that it is. */
  readonly room?: RoomFacts | undefined;
  /** When nothing here has the number: the way to the outside, if there is one. */
  readonly outside?: OutsideFacts | undefined;
  /** How the call came to this number. */
  readonly diversions: readonly Diversion[];
  /** Wall milliseconds. */
  readonly now: number;
  /** Most targets that may be rung at once, at least 1. */
  readonly maxTargets: number;
  /** How long phones ring unless their user has a time of its own, milliseconds. */
  readonly ringMs: number;
}

/** Why a call is not routed; each is a release reason of its own. */
export type RouteRefusal =
  | 'caller-suspended'
  | 'address-incomplete'
  | 'scheme-unsupported'
  | 'foreign-domain'
  | 'callee-unknown'
  | 'callee-suspended'
  | 'callee-not-registered'
  | 'callee-busy'
  | 'callee-do-not-disturb'
  | 'forward-loop'
  | 'conference-forbidden'
  | 'conference-locked'
  | 'conference-full'
  | 'conference-limit'
  | 'destination-barred'
  | 'outside-not-allowed'
  | 'outside-limit'
  | 'transit-refused'
  | 'trunks-down'
  | 'trunks-full';

/** A plan, a refusal, or another number to ask about. `steps` explains the decision to people (MML `TST ROUTE`). */
export type RouteDecision<B extends RoutableBinding> = { readonly steps: readonly RouteStep[] } & (
  | { readonly kind: 'plan'; readonly plan: RoutePlan<RouteTarget<B>> }
  | { readonly kind: 'refusal'; readonly refusal: RouteRefusal }
  /** Nobody is called: the caller's own features are changed, or a ringing call is picked up. */
  | { readonly kind: 'code'; readonly code: DialledCode }
  /** The number stands for another one. */
  | { readonly kind: 'alias'; readonly to: string }
  /** The callee has its calls go elsewhere. */
  | { readonly kind: 'diversion'; readonly diversion: Diversion }
);
