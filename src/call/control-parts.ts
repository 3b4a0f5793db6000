import { systemClock } from '../platform/clock.js';
import type { AdmissionDeps } from './admission.js';
import { Announcer } from './announcing.js';
import type { CallControlOptions, CallLimits } from './call-control-options.js';
import type { CallDeps } from './call-deps.js';
import type { CallRegistry } from './call-registry.js';
import type { OriginateDeps } from './originate.js';
import { HuntMemory } from './route-directory.js';
import type { CallRouterOptions } from './routed-invite.js';
import { CallSaver } from './survival/call-saver.js';

// What call control hands to those that work for it, made of its options. Limits may change while running: each is read when it
// is used.

/** Allow of our INVITEs, of their answers and of OPTIONS: what a call's dialog takes (RFC 3261 §20.5). */
const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, REFER';

/** What calls are routed by. */
export function routerOptions(options: CallControlOptions, registry: CallRegistry): CallRouterOptions {
  const { users, registrations, numbering, names, limits = {}, identityHost = 'localhost' } = options;
  const { trunks, conferences, realm = 'ims' } = options;
  const clock = options.clock ?? systemClock;
  return {
    directory: { users, registrations, registry, numbering, memory: new HuntMemory(), trunks, conferences },
    users,
    trunks,
    realm,
    isLocalHost: (host) => names?.has(host) ?? true,
    identityHost,
    maxTargets: limits.maxTargets ?? 10,
    get ringMs() {
      return limits.noAnswerMs ?? 60_000;
    },
    get maxDurationSec() {
      return limits.maxDurationSec || Number.POSITIVE_INFINITY;
    },
    now: () => clock.now(),
  };
}

/** What every call gets. */
export function callDeps(
  options: CallControlOptions,
  registry: CallRegistry,
  router: CallRouterOptions,
): CallDeps {
  const { connection, relay, log, limits = {} } = options;
  const clock = options.clock ?? systemClock;
  return {
    engine: connection.srf,
    clock,
    log,
    relay,
    registry,
    memory: router.directory.memory,
    router,
    get searchMs() {
      return Math.max(limits.searchMs ?? 180_000, limits.noAnswerMs ?? 0);
    },
    get checkMs() {
      return limits.checkMs ?? 0;
    },
    session: limits.session ?? { intervalSec: 0, minSec: 90 },
    silence: limits.silence ?? { silenceSec: 0, of: 'both', whenHeld: false },
    ...(options.survival && { saver: new CallSaver(clock, log) }),
    allow: ALLOW,
    ...(options.announcer && { announcer: new Announcer(options.announcer) }),
  };
}

/** What the steps of admission look at. */
export function admissionDeps(
  { authenticator, trunks, limits = {} }: CallControlOptions,
  calls: CallDeps,
  isDraining: () => boolean,
): AdmissionDeps {
  const { router, session, clock, registry } = calls;
  return {
    authenticator,
    trunks,
    router,
    get maxCalls() {
      return maxCalls(limits);
    },
    session,
    calls,
    clock,
    isDraining,
    activeCalls: () => registry.size,
    isKnownDialog: (dialogId) => registry.find(dialogId) !== undefined,
  };
}

/** What calls of the server's own begin with. */
export function originateDeps(
  { records, limits = {} }: CallControlOptions,
  call: CallDeps,
  isDraining: () => boolean,
): OriginateDeps {
  return {
    call,
    records,
    get maxCalls() {
      return maxCalls(limits);
    },
    isDraining,
  };
}

function maxCalls(limits: CallLimits): number {
  return limits.maxCalls ?? 5000;
}
