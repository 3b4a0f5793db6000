import type { MediaRelay } from '../media/types.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import type { Announcer } from './announcing.js';
import type { Call } from './call.js';
import type { CallRegistry } from './call-registry.js';
import type { Leg } from './leg.js';
import type { HuntMemory } from './route-directory.js';
import type { CallRouterOptions } from './routed-invite.js';
import type { SessionPolicy } from './session-policy.js';
import type { SilencePolicy } from './silence.js';
import type { CallSaver } from './survival/call-saver.js';

/** What every call needs of the server. */
export interface CallDeps {
  readonly engine: SrfEngine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly relay: MediaRelay;
  readonly registry: CallRegistry;
  readonly memory: HuntMemory;
  /** Routes a call that is transferred. */
  readonly router: CallRouterOptions;
  /** How long the search for somebody who answers may take, all rounds and forwardings together, milliseconds. */
  readonly searchMs: number;
  /** Between two looks whether the phones of a call are still there, milliseconds; 0 for none. */
  readonly checkMs: number;
  readonly session: SessionPolicy;
  readonly silence: SilencePolicy;
  /** Tells callers why their calls fail; absent when it cannot. */
  readonly announcer?: Announcer;
  /** Keeps calls over a restart; absent when they end with this process. */
  readonly saver?: CallSaver;
  /** Methods that we take, as Allow's value. */
  readonly allow: string;
}

/** Somebody is to take the place of a party. While it lasts, new offers in the call are 491. */
export interface Takeover {
  begin?(): void;
  /** Whether the leg's BYE leaves its call to the takeover. */
  outlives(leg: Leg): boolean;
  /** One of its calls ends. */
  stop(ended: Call): void;
}

/** Who is in a call, for consoles. */
export interface CallParties {
  caller: string;
  callee: string;
  readonly dialled: string;
}
