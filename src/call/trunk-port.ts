import type { OutsideQuestion } from '../routing/find-route.js';
import type { LegLimits } from '../routing/leg-limits.js';
import type { DialledNumber } from '../routing/number.js';
import type { OutsideFacts, PayerFacts, TrunkTarget } from '../routing/outside-types.js';
import type { RouteStep } from '../routing/steps.js';
import type { CodecPolicy } from '../sdp/codec-policy.js';
import type { AuthOutcome } from '../security/authenticator.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';

/** A place among the calls of a trunk. `release` may be called more than once. */
export interface TrunkPlace {
  release(): void;
}

/** A call that a trunk sent, its numbers as they are here. */
export interface TrunkCall {
  readonly trunk: string;
  /** As the trunk sent it. */
  readonly dialled: string;
  readonly called: DialledNumber | undefined;
  readonly caller: string;
  readonly displayName: string;
  /** The caller asked not to be shown (RFC 3323). */
  readonly isAnonymous: boolean;
  readonly codecs?: CodecPolicy;
  readonly limits: LegLimits;
  /** Undefined when the trunk has as many calls as it may. */
  take(): TrunkPlace | undefined;
}

/** Who an INVITE comes from, as far as trunks know. */
export type TrunkRecognition =
  | { readonly kind: 'trunk'; readonly call: TrunkCall }
  /** It names a trunk, and its digest does not fit. */
  | { readonly kind: 'failed'; readonly outcome: AuthOutcome & { ok: false } };

/** The caller, as a trunk may show it. */
export interface OutgoingCaller {
  readonly displayName: string;
  readonly isAnonymous: boolean;
}

/** A trunk that is called, made ready for one call. */
export interface TrunkGateway {
  readonly name: string;
  readonly uri: string;
  /** Host as configured; an address or a name. */
  readonly host: string;
  readonly port: number;
  readonly transport: string;
  /** From, To and who the caller is; these replace what a phone would get. */
  readonly headers: OutgoingHeaders;
  readonly codecs?: CodecPolicy;
  readonly limits: LegLimits;
  /** Undefined when the trunk has as many calls as it may. */
  take(): TrunkPlace | undefined;
  /** Credentials for a 401 or 407 of the trunk; undefined when there are none. */
  answerChallenge(
    res: SrfResponse,
    method: string,
    uri: string,
    isAgain: boolean,
  ): OutgoingHeaders | undefined;
}

/** A call that is not made: its trunk, its numbers as they would be here, and why. */
export interface ImaginedCall {
  readonly trunk: string;
  readonly called: string;
  readonly caller: string;
  readonly steps: readonly RouteStep[];
}

/** What calls ask of trunks. Without trunks there are none: nothing comes from outside, nothing goes there. */
export interface TrunkPort {
  /** The trunk that an INVITE comes from; undefined for phones. */
  recognise(req: SrfRequest): Promise<TrunkRecognition | undefined>;
  /** The way to a number that nothing here has. Rejects with StoreError when the Store is away and nothing is remembered. */
  outside(question: OutsideQuestion): Promise<OutsideFacts | undefined>;
  /** Undefined when the trunk went away meanwhile. */
  gateway(target: TrunkTarget, caller: OutgoingCaller): TrunkGateway | undefined;
  /** A call to the outside begins, and `payer` answers for it until it ends. Undefined when others that began meanwhile used its limits up. */
  begin(payer: PayerFacts): TrunkPlace | undefined;
  /** A call as the trunk at that address would bring it, for tests of routes; undefined when there is none. */
  imagine(address: string, called: string, caller: string): ImaginedCall | undefined;
}
