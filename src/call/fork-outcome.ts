import type { LegLimits } from '../routing/leg-limits.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { CauseName } from './causes.js';
import type { LocalPhone } from './local-phone.js';
import type { TrunkGateway } from './trunk-port.js';

/** A phone or a trunk to be rung. */
export interface CalleeTarget {
  /** Request-URI: the registered Contact. */
  readonly uri: string;
  /** Next hop: the flow that the phone registered from (RFC 5626 §5.3). */
  readonly nextHop: string | undefined;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  /** Whose phone it is. */
  readonly username?: string;
  /** Its 3xx sends the call to another number. */
  readonly mayDeflect?: boolean;
  /** What its user's account or its trunk says. */
  readonly limits?: LegLimits;
  /** The trunk that it is. */
  readonly trunk?: TrunkGateway;
  /** It is no phone but something of the server's own, reached without the wire. */
  readonly local?: LocalPhone;
  /** The conference room that it is. */
  readonly room?: string;
  /** What it gets in place of the plan's headers of these names. */
  readonly headers?: OutgoingHeaders;
}

/** How an attempt to ring a phone failed. */
export interface LegFailure {
  readonly status: number;
  readonly reason: string;
  /** Made by our own side: nothing answered, or nothing could be sent. */
  readonly isLocal: boolean;
  /** Reason as the phone sent it (RFC 3326). */
  readonly reasonHeader: string | undefined;
  /** A 3xx of a phone that may deflect: the Contact it wants the call to go to. */
  readonly deflectTo?: string;
  /** What it is called when it is none of a phone's. */
  readonly cause?: CauseName;
}

/** Statuses of 4xx that tell the caller how to do better come first (RFC 3261 §16.7 step 6). */
const PREFERRED_4XX = [401, 407, 415, 420, 484];

/** Rank of a failure, lower is better: 6xx, then the lowest class; what a phone said beats what we made up. */
function rank(failure: LegFailure): number {
  if (failure.status >= 600) return 0;
  const ofClass = Math.floor(failure.status / 100) * 10;
  if (failure.isLocal) return 100 + ofClass;
  return PREFERRED_4XX.includes(failure.status) ? ofClass : ofClass + 1;
}

/** The failure that the caller hears when every phone failed (RFC 3261 §16.7 step 6); the first of equals. */
export function bestFailure(failures: readonly LegFailure[]): LegFailure | undefined {
  return failures.reduce<LegFailure | undefined>(
    (best, failure) => (best === undefined || rank(failure) < rank(best) ? failure : best),
    undefined,
  );
}
