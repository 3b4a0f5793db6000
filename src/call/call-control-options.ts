import type { User } from '../accounts/types.js';
import type { LeftRecord, RecordService } from '../cdr/types.js';
import type { MediaRelay } from '../media/types.js';
import type { Clock } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import type { SignallingConnection } from '../signalling/connection.js';
import type { SipHandler } from '../signalling/handle.js';
import type { LocalNames } from '../signalling/local-names.js';
import type { AdmissionDeps } from './admission.js';
import type { AnnouncerParts } from './announcing.js';
import type { Call } from './call.js';
import type { CallDialog } from './call-dialogs.js';
import type { ConferencePort } from './conference-port.js';
import type { Originator } from './originate.js';
import type { DirectoryParts, Numbering } from './route-directory.js';
import type { SessionPolicy } from './session-policy.js';
import type { SilencePolicy } from './silence.js';
import type { TrunkPort } from './trunk-port.js';
import type { CallService, ClickService, RouteService } from './types.js';

/** Bounds of call control; each may be left out. */
export interface CallLimits {
  /** Calls at once; more hear 503. Default 5000. */
  readonly maxCalls?: number;
  /** Phones of one user that ring at once. Default 10. */
  readonly maxTargets?: number;
  /** How long a callee's phones may ring, milliseconds, default 60000; then they are cancelled and the caller hears 480. */
  readonly noAnswerMs?: number;
  /** How long a call may look for somebody who answers, forwardings included, milliseconds, default 180000. */
  readonly searchMs?: number;
  /** Longest call, answer to end, seconds; default 0: no limit but those of users. */
  readonly maxDurationSec?: number;
  /** Session timers; default: what phones ask for, from 90 s on. */
  readonly session?: SessionPolicy;
  /** Calls without media; default: they go on. */
  readonly silence?: SilencePolicy;
  /** How often the phones of a call are asked whether they are still in it, milliseconds; default 0: never. */
  readonly checkMs?: number;
}

/** How calls outlive this process. */
export interface CallSurvival {
  /** Records of the calls that were up when the last process ended. */
  left(): readonly LeftRecord[];
  /** Calls that were away for longer are over, milliseconds. */
  readonly maxAwayMs: number;
}

export interface CallControlOptions extends Pick<DirectoryParts, 'users' | 'registrations'> {
  readonly authenticator: AdmissionDeps['authenticator'];
  /** Hunt groups and short numbers; without it there are none. */
  readonly numbering?: Numbering;
  readonly connection: SignallingConnection;
  readonly relay: MediaRelay;
  readonly records: RecordService;
  /** Names by which peers may call this server in URIs; without it every host is taken as ours. */
  readonly names?: LocalNames;
  /** Domain of the numbers here, default `ims`. */
  readonly realm?: string;
  /** Host in From and To towards the callee, default `localhost`, for which the engine puts its own address. */
  readonly identityHost?: string;
  /** Who takes requests outside calls, by method; those without a taker are refused. SUBSCRIBE goes there with a To tag too. */
  readonly outside?: Readonly<Partial<Record<'MESSAGE' | 'SUBSCRIBE' | 'PUBLISH', SipHandler>>>;
  /** Tells callers why their calls fail; without it they fail in silence. */
  readonly announcer?: AnnouncerParts;
  /** The ways to and from outside; without it there are none. */
  readonly trunks?: TrunkPort;
  /** Conference rooms; without it no number is one. */
  readonly conferences?: ConferencePort;
  /** Calls that are up when this process ends go on in the next one; absent: they end. */
  readonly survival?: CallSurvival;
  readonly limits?: CallLimits;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** Call control as the composition root holds it. */
export interface CallControl extends CallService, Originator, ClickService, Closeable {
  /** Says where calls would go. */
  readonly routes: RouteService;
  /**
   * Calls `watcher` for each call that is up, and after every change of one, with its subscribers' sides; none at its end.
   * Returns what ends that. The watcher must not throw.
   */
  watch(watcher: (id: string, dialogs: readonly CallDialog[]) => void): () => void;
  /**
   * Rings a subscriber's phones and calls a number for it when one answers (RFC 3725 §4.1), for an operator, `by`. The call has its
   * record whatever becomes of it.
   */
  callFor(user: User, to: string, by: string): Call;
  /** Draining: new INVITEs hear 503 with Retry-After, calls that are up go on. */
  setDraining(draining: boolean): void;
}
