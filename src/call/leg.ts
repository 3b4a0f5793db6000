import type { MediaPeer, MediaSide } from '../media/types.js';
import type { LegLimits } from '../routing/leg-limits.js';
import type { CodecPolicy } from '../sdp/codec-policy.js';
import { type OutgoingHeaders, respondOnly } from '../signalling/respond.js';
import type { SrfHandler, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import type { CalleeTarget } from './fork-outcome.js';
import type { LegDialog } from './leg-dialog.js';
import type { SavedLeg } from './survival/saved-call.js';
import type { Trail } from './trail.js';

/** Tags of a dialog, ours and the phone's (RFC 3261 §12). */
export interface DialogTags {
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
}

/** One side of a call (RFC 7092 §3): what offer/answer, mid-call requests and release need of it, whichever side it is. */
export interface Leg {
  /** `a`, or `b1`, `b2`… as the timeline names it. */
  readonly name: string;
  readonly side: MediaSide;
  readonly party: 'CALLER' | 'CALLEE';
  /** Where its phone is. */
  readonly target: Pick<CalleeTarget, 'address' | 'port'>;
  /** What its user's account or its trunk says. */
  readonly limits?: LegLimits | undefined;
  /** Its phone speaks from another address now. */
  movedTo(address: string): void;
  /** The media hint for its phone. */
  readonly peer: MediaPeer;
  /** What its side may be offered, and what of its own offers goes on. */
  readonly codecs?: CodecPolicy | undefined;
  /** Its dialog once that is confirmed by a 2xx, until it ends. */
  readonly dialog: LegDialog | undefined;
  /** Whether its phone said that it takes the method; true when it said nothing (RFC 3261 §20.5). */
  allows(method: string): boolean;
  /** Behind it is a conference room, which is heard all the time whoever is in it. */
  readonly isFocus?: boolean;
  /** Tags of its dialog, as far as they are known. */
  readonly tags?: DialogTags | undefined;
  /** Marks the dialog as over without a BYE of ours: the other side sent one, or the engine did. */
  ended(): void;
  /** Ends it by what its state asks for: final response, CANCEL or BYE. Resolves when its phone has answered. Never rejects. */
  end(ending: LegEnding): Promise<void>;
}

/** The side of a call that answers: a phone that was rung, or one that picked the call up. */
export interface CalleeLeg extends Leg {
  readonly target: CalleeTarget;
  readonly userAgent: string | undefined;
  readonly dialogId: string | undefined;
  /** Last description that came in a provisional response. */
  readonly earlySdp: string | undefined;
  /** It goes on in another place, of this call or another. */
  moveTo(place: LegPlace): void;
  /** What a restart must not lose of it; undefined when it cannot outlive one. */
  save(): SavedLeg | undefined;
  /** ACKs the 2xx, with the answer in a late-offer call. */
  acknowledge(body?: string): void;
}

/** Where a leg stands: its call's timeline, its name there, its side. */
export interface LegPlace extends Pick<Leg, 'name' | 'side' | 'party'> {
  readonly trail: Trail;
  /** Whose phone it is, when the leg does not know. */
  readonly username?: string;
  /** Takes what srf brings up elsewhere. */
  readonly onRequest: SrfHandler;
}

/** How a leg is told that the call is over. */
export interface LegEnding {
  /** For the caller's leg while the INVITE has no final response. */
  readonly status: number;
  readonly reasonPhrase?: string;
  /** For that response, and for CANCEL and BYE: Reason above all. */
  readonly headers: OutgoingHeaders;
  /** What the record says of an INVITE of ours that is cancelled; 487 when absent. */
  readonly attemptStatus?: number;
}

/** Methods in an Allow header, upper case; undefined without the header. */
export function parseAllow(allow: string | undefined): ReadonlySet<string> | undefined {
  if (allow === undefined) return undefined;
  return new Set(
    allow
      .split(',')
      .map((method) => method.trim().toUpperCase())
      .filter(Boolean),
  );
}

/** UPDATE of the caller before our answer. With an offer it comes too early: 500 with Retry-After (RFC 3311 §5.2). */
export function answerEarlyUpdate(req: SrfRequest, res: SrfResponse): void {
  if (req.body) respondOnly(res, 500, { headers: { 'Retry-After': '2' } });
  else acceptRefresh(req, res);
}

/** UPDATE of the callee while the offer in our INVITE is open: 491 when it holds another (RFC 3311 §5.2). */
export function answerCrossingUpdate(req: SrfRequest, res: SrfResponse): void {
  if (req.body) respondOnly(res, 491);
  else acceptRefresh(req, res);
}

/** The Contact of a 2xx to UPDATE is where the request came to. */
function acceptRefresh(req: SrfRequest, res: SrfResponse): void {
  respondOnly(res, 200, { headers: { Contact: `<${req.uri}>` } });
}
