import type { RouteStep } from './steps.js';
import type { TranslationRule } from './translate.js';
import type { Weighted } from './weighted-order.js';

/** What calls to a destination cost, in rising order; a subscriber may call those of its own class and below. */
export const CALL_CLASSES = ['LOCAL', 'NATIONAL', 'INTERNATIONAL', 'PREMIUM'] as const;
export type CallClass = (typeof CALL_CLASSES)[number];
/** What a subscriber may call; `NONE` keeps it inside. */
export const OUTSIDE_RIGHTS = ['NONE', ...CALL_CLASSES] as const;
export type OutsideRight = (typeof OUTSIDE_RIGHTS)[number];
/** Of routes and subscribers that say nothing: what costs more has to be granted. */
export const DEFAULT_CALL_CLASS: CallClass = 'NATIONAL';

/** A trunk in a route, with its turn. */
export interface RouteTrunk extends Weighted {
  readonly trunk: string;
}

/** Where calls to numbers of one kind leave. */
export interface OutsideRoute {
  readonly name: string;
  /** Beginning of the numbers; with a pattern absent, and `''` fits every number. */
  readonly prefix?: string;
  /** Pattern of whole numbers (`BoundedPattern`). */
  readonly pattern?: string;
  /** Routes of lower rank are asked first; of equal rank the one with the longer prefix. */
  readonly rank: number;
  readonly callClass: CallClass;
  /** None: such numbers are barred. */
  readonly trunks: readonly RouteTrunk[];
}

/** What is known of a trunk at the moment of a decision. */
export interface GatewayFacts {
  readonly name: string;
  /** Why it takes no calls; undefined when it does. */
  readonly down?: RouteStep;
  readonly calls: number;
  /** Undefined: any number. */
  readonly maxCalls?: number;
  /** Calls begun in the last second. */
  readonly rate: number;
  readonly maxRate?: number;
  readonly rules: readonly TranslationRule[];
  /** How long it may be silent before the next one is tried, milliseconds. */
  readonly tryMs: number;
  /** Calls that came from it may go back to it. */
  readonly mayReturn: boolean;
}

/** The rights of the subscriber that answers for a call to the outside. */
export interface PayerFacts {
  readonly username: string;
  readonly right: OutsideRight;
  /** Beginnings of the numbers that it may call; empty for all that its class allows. */
  readonly allowed: readonly string[];
  /** Outside calls that are up, and those begun in the last hour and day, each with its limit; Infinity for none. */
  readonly calls: number;
  readonly maxCalls: number;
  readonly hour: number;
  readonly maxHour: number;
  readonly day: number;
  readonly maxDay: number;
}

/** The trunk that a call came from. */
export interface OriginTrunk {
  readonly name: string;
  /** Calls from it may go out again though nobody here forwarded them. */
  readonly mayTransit: boolean;
}

/** Everything a decision about a call to the outside rests on. */
export interface OutsideFacts {
  readonly route: OutsideRoute;
  /** Those of the route's trunks that exist. */
  readonly gateways: readonly GatewayFacts[];
  /** Who forwarded the call last, else who calls; undefined when an operator set the way. */
  readonly payer: PayerFacts | undefined;
  readonly origin: OriginTrunk | undefined;
  /** Somebody here sent the call on. */
  readonly isForwarded: boolean;
  /** As the trunk shall show it, before its translations. */
  readonly callerNumber: string;
  /** Random numbers from 0 to below 1, for the weights. */
  readonly draws: readonly number[];
}

/** A gateway as a target of a round: the numbers as they go out. */
export interface TrunkTarget {
  readonly kind: 'trunk';
  readonly trunk: string;
  readonly called: string;
  readonly caller: string;
}
