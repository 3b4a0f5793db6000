/** A subscriber's standing as routing sees it. */
export type SubscriberStatus = 'ACTIVE' | 'INACTIVE' | 'SUSPENDED';

/** One phone that a call may be sent to. Routing needs its order only; the rest travels along untouched. */
export interface RoutableBinding {
  /** 0..1, RFC 3261 §20.10. */
  readonly q: number;
  readonly registeredAt: number;
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

/** Targets in order, or a refusal. `steps` explains the decision to people (MML `TST ROUTE`). */
export type RouteDecision<B extends RoutableBinding> =
  | {
      readonly kind: 'targets';
      readonly callee: string;
      readonly targets: readonly B[];
      readonly steps: readonly string[];
    }
  | { readonly kind: 'refusal'; readonly refusal: RouteRefusal; readonly steps: readonly string[] };
