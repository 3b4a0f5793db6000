import type { User, UserService } from '../accounts/types.js';
import type { UserFeatures } from '../accounts/user-features.js';
import type { DialledNumber } from '../routing/number.js';
import type { Party } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import type { CallerIdentity } from './header-policy.js';
import type { DirectoryParts } from './route-directory.js';
import type { TrunkPlace, TrunkPort } from './trunk-port.js';

/** What one call is routed by. */
export interface CallRouterOptions {
  readonly users: Pick<UserService, 'modify'>;
  readonly directory: DirectoryParts;
  readonly trunks?: TrunkPort | undefined;
  /** Domain of the numbers here. */
  readonly realm: string;
  /** Whether a host names this server. */
  isLocalHost(host: string): boolean;
  /** Host in From and To of B legs. */
  readonly identityHost: string;
  readonly maxTargets: number;
  readonly ringMs: number;
  /** Longest call of anybody, seconds; Infinity for no limit. */
  readonly maxDurationSec: number;
  /** Wall milliseconds. */
  now(): number;
}

/** Who calls: a subscriber, or somebody beyond a trunk. */
export interface RoutedCaller extends Pick<User, 'username' | 'status' | 'realm' | 'displayName'> {
  readonly features?: Pick<UserFeatures, 'maxDurationSec'>;
  /** Number by which a subscriber is called from outside. */
  readonly phone?: string;
  /** Set for who is no subscriber. */
  readonly outside?: { readonly trunk: string; readonly number: string; readonly isAnonymous: boolean };
}

/** The INVITE that is routed. */
export interface RoutedInvite {
  readonly req: SrfRequest;
  readonly from: Party;
  /** Who answers for the call unless it is forwarded. */
  readonly user: RoutedCaller;
  readonly scheme: string;
  readonly host: string;
  readonly number: DialledNumber | undefined;
  /** The server begins the call: there is nobody who could hear what a feature code did. */
  readonly isOriginated?: boolean;
  /** A REFER: the phones see who stays in the call, and the call's own way stays what it was. */
  readonly transfer?: {
    readonly shownAs: CallerIdentity;
    readonly headers: OutgoingHeaders;
    /** The trunk that the one who stays is beyond. */
    readonly trunk?: string;
    /** Has the place among outside calls until the transfer is done. */
    keep(place: TrunkPlace): void;
  };
}

/** The number by which a subscriber is known outside: its telephone number where it has one that can be dialled. */
export function outsideNumber({ phone = '', username }: Pick<RoutedCaller, 'phone' | 'username'>): string {
  return /^\+?\d{3,15}$/.test(phone) ? phone : username;
}
