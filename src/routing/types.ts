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
}

/** What a round rings; it decides which failures lead on to the next one (`next-round.ts`). */
export type RoundKind = 'phones' | 'group' | 'trunk';

/** Targets that ring together; the next round follows when all failed or the time is over. */
export interface Round<T> {
  readonly kind: RoundKind;
  readonly targets: readonly T[];
  /** Milliseconds. */
  readonly ringMs: number;
}

/** Why a call went on to another number: the words of RFC 5806 §10.1. */
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
  /** Who is rung: a subscriber, a group, or a number beyond a trunk. */
  readonly callee: string;
  /** Never empty. */
  readonly rounds: readonly Round<T>[];
  readonly onFailure: Readonly<Partial<Record<FailureKind, Diversion>>>;
}

/** Everything a decision rests on, gathered beforehand: routing itself asks nobody. */
export interface RouteFacts<B extends RoutableBinding> {
  readonly caller: { readonly username: string; readonly status: SubscriberStatus };
  /** From the Request-URI: `sip`, `sips` or `tel` in lower case. */
  readonly scheme: string;
  /** Host of the Request-URI; empty for tel:. */
  readonly host: string;
  /** Whether that host names this server. Ignored for tel:. */
  readonly isLocalHost: boolean;
  /** Normalised number; undefined when the URI has none that can be used. */
  readonly number: string | undefined;
  /** The subscriber found under that number, if any. */
  readonly callee:
    | { readonly username: string; readonly status: SubscriberStatus; readonly bindings: readonly B[] }
    | undefined;
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
  | 'callee-not-registered';

/** A plan, or a refusal. `steps` explains the decision to people (MML `TST ROUTE`). */
export type RouteDecision<B extends RoutableBinding> =
  | { readonly kind: 'plan'; readonly plan: RoutePlan<PhoneTarget<B>>; readonly steps: readonly string[] }
  | { readonly kind: 'refusal'; readonly refusal: RouteRefusal; readonly steps: readonly string[] };
