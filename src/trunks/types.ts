import type { Ha1 } from '../accounts/types.js';
import type { CallClass, OutsideRoute, RouteTrunk } from '../routing/outside-types.js';
import type { TranslationRule } from '../routing/translate.js';

export const TRUNK_TRANSPORTS = ['udp', 'tcp', 'tls'] as const;
export const TRUNK_STATUSES = ['ACTIVE', 'INACTIVE'] as const;
/** How a trunk is told who calls, beside From: P-Asserted-Identity (RFC 3325), Remote-Party-ID, or both. */
export const IDENTITY_HEADERS = ['NONE', 'PAI', 'RPI', 'BOTH'] as const;

/** A carrier or gateway: how it is reached, how its calls are recognised, and what may pass. */
export interface Trunk {
  readonly name: string;
  readonly status: (typeof TRUNK_STATUSES)[number];
  /** `host` or `host:port` that calls are sent to; empty for a trunk that only calls us. */
  readonly address: string;
  readonly transport: (typeof TRUNK_TRANSPORTS)[number];
  /** Host in From and the identity headers; empty: this server's address. */
  readonly domain: string;
  /** For its 401 and 407, and for REGISTER. */
  readonly username: string;
  /** In clear: a digest for a realm that the trunk chooses cannot be made from anything else. Never shown or logged. */
  readonly password: string;
  /** Whether we register with it. */
  readonly register: boolean;
  /** Seconds asked for in REGISTER. */
  readonly registerSec: number;
  /** Addresses that its calls come from: `192.0.2.0/24`, `192.0.2.7`, `192.0.2.7:5080`, `[2001:db8::1]:5060`. */
  readonly sources: readonly string[];
  /** Name by which it answers our 407; empty for none. */
  readonly inUsername: string;
  readonly inHa1?: Ha1 & { readonly realm: string };
  /** Seconds between two OPTIONS; 0: its health is not watched. */
  readonly optionsSec: number;
  /** OPTIONS that have to fail, or to succeed, one after another until it counts as down, or as up. */
  readonly downAfter: number;
  readonly upAfter: number;
  /** Calls at once, and calls begun a second, in and out together; 0: any number. */
  readonly maxCalls: number;
  readonly maxRate: number;
  /** Longest call, seconds; 0: no limit of the trunk's. */
  readonly maxDurationSec: number;
  /** Seconds without media after which a call ends, and session interval that is offered; 0: as the server has it. */
  readonly silenceSec: number;
  readonly sessionSec: number;
  /** Seconds that it may be silent before the next trunk is tried. */
  readonly trySec: number;
  readonly identity: (typeof IDENTITY_HEADERS)[number];
  /** All callers are hidden from it. */
  readonly anonymous: boolean;
  /** User part of From in place of the caller's number; empty for that. */
  readonly fromUser: string;
  /** What it says in P-Asserted-Identity and Remote-Party-ID is believed. */
  readonly trustIdentity: boolean;
  readonly codecs: readonly string[];
  readonly dropCodecs: readonly string[];
  /** Its calls may go out again by a route. */
  readonly transit: boolean;
  /** Calls that came from it may go back to it. */
  readonly mayReturn: boolean;
  /** In order; the first that fits counts. */
  readonly rules: readonly TranslationRule[];
}

/** What consoles may see of a trunk. */
export type TrunkView = Omit<Trunk, 'password' | 'inHa1'> & {
  readonly hasPassword: boolean;
  readonly hasInPassword: boolean;
};

/** Fields that an operator may give; those absent stay. An `inPassword` is turned into HA1 at once. */
export type TrunkInput = {
  readonly [K in keyof Omit<Trunk, 'name' | 'inHa1' | 'rules'>]?: Trunk[K] | undefined;
} & { readonly inPassword?: string | undefined };

/** Fields of a route that an operator may give; an empty pattern takes it away. */
export interface RouteInput {
  readonly prefix?: string | undefined;
  readonly pattern?: string | undefined;
  readonly rank?: number | undefined;
  readonly callClass?: CallClass | undefined;
  readonly trunks?: readonly RouteTrunk[] | undefined;
}

/** Where the registration with a trunk stands. */
export interface RegistrationState {
  readonly state: 'off' | 'trying' | 'registered' | 'failed';
  /** What its last answer was, or why there was none. */
  readonly reason: string;
  /** Wall milliseconds. */
  readonly expiresAt?: number;
  readonly nextAt?: number;
}

/** A trunk as it is now. */
export interface TrunkState {
  readonly name: string;
  readonly status: Trunk['status'];
  readonly address: string;
  /** `unwatched` without OPTIONS. */
  readonly health: 'up' | 'down' | 'unwatched';
  readonly healthReason: string;
  /** Wall milliseconds of the last change of health. */
  readonly healthSince?: number;
  readonly registration: RegistrationState;
  readonly callsIn: number;
  readonly callsOut: number;
  /** Calls begun in the last second. */
  readonly rate: number;
  /** Calls that its limits refused since start. */
  readonly refused: number;
}

/**
 * Trunks and routes for consoles. Changes reject with TrunkError (TRUNK_EXISTS, TRUNK_UNKNOWN, ROUTE_EXISTS, ROUTE_UNKNOWN,
 * FIELD_INVALID), all with StoreError when the Store is away.
 */
export interface TrunkService {
  list(): TrunkView[];
  states(): TrunkState[];
  add(name: string, input: TrunkInput): Promise<TrunkView>;
  modify(name: string, input: TrunkInput): Promise<TrunkView>;
  remove(name: string): Promise<void>;
  /** Adds a translation at that place, from 1; behind the others without one. */
  addRule(name: string, rule: TranslationRule, place?: number): Promise<TrunkView>;
  removeRule(name: string, place: number): Promise<TrunkView>;
  listRoutes(): OutsideRoute[];
  addRoute(name: string, input: RouteInput): Promise<OutsideRoute>;
  modifyRoute(name: string, input: RouteInput): Promise<OutsideRoute>;
  removeRoute(name: string): Promise<void>;
}
