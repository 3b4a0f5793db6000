import type { User } from '../accounts/types.js';
import type { Clock } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import { AppError } from '../platform/errors.js';
import { limitsOf } from '../routing/leg-limits.js';
import { type DialledNumber, normaliseNumber } from '../routing/number.js';
import type { Authenticator, AuthOutcome } from '../security/authenticator.js';
import { header, type Party } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { parseUri, type SipUri, uriScheme } from '../sip/uri.js';
import type { ALeg } from './a-leg.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { isBadDescription } from './call-media.js';
import { CallRefusedError } from './errors.js';
import { INVITE_EXTENSIONS, nextMaxForwards, PRODUCT, unsupportedExtensions } from './header-policy.js';
import type { DialPlan } from './hunt.js';
import { offered } from './offered.js';
import { replaceCall } from './replace-call.js';
import { CallRouter } from './route-call.js';
import type { CallRouterOptions, RoutedCaller } from './routed-invite.js';
import { isTooBrief, type SessionPolicy } from './session-policy.js';
import type { TrunkCall, TrunkPort, TrunkRecognition } from './trunk-port.js';

/** Longest wait for the directory inside an INVITE; both services answer from memory when the Store is away. */
const LOOKUP_TIMEOUT_MS = 4000;

export interface AdmissionDeps {
  readonly authenticator: Authenticator;
  readonly router: CallRouterOptions;
  readonly maxCalls: number;
  readonly session: SessionPolicy;
  readonly calls: CallDeps;
  readonly clock: Clock;
  /** Without it nothing comes from outside. */
  readonly trunks?: TrunkPort | undefined;
  isDraining(): boolean;
  activeCalls(): number;
  isKnownDialog(dialogId: string): boolean;
}

/** An INVITE on its way to become a call that rings. Steps fill it in. */
export interface Attempt {
  readonly req: SrfRequest;
  readonly res: SrfResponse;
  readonly leg: ALeg;
  readonly from: Party;
  readonly uri: SipUri | undefined;
  /** As it is here: a trunk's is translated. */
  number: DialledNumber | undefined;
  /** The call with its record, opened at the first call of this: an INVITE that is only challenged leaves none. */
  open(): Call;
  /** Answered 407 or 422: this request leaves no trace, the one that follows will. */
  isChallenged?: boolean;
  user?: User;
  /** The call comes from a trunk. */
  trunk?: TrunkCall;
  plan?: DialPlan;
  /** The caller's offer as the phones get it; absent in a late-offer call. */
  offer?: string;
}

/** A step refuses with CallRefusedError. */
export type AdmissionStep = (deps: AdmissionDeps, attempt: Attempt) => void | Promise<void>;

/**
 * What an INVITE has to pass before phones ring, in this order. Authentication comes before the header fields and the body are
 * looked at (RFC 3261 §8.2), so that a stranger cannot fill the records.
 */
export const ADMISSION_STEPS: readonly AdmissionStep[] = [
  checkMerged,
  checkDraining,
  checkSession,
  authenticate,
  checkRequest,
  checkFrom,
  checkCapacity,
  replace,
  route,
  offerMedia,
  dial,
];

/** RFC 3261 §8.2.2.2: the same request by two ways. */
function checkMerged(deps: AdmissionDeps, { leg }: Attempt): void {
  if (deps.isKnownDialog(leg.dialogId)) throw new CallRefusedError('loop-detected', 'merged request');
}

function checkRequest(_deps: AdmissionDeps, { req }: Attempt): void {
  // RFC 3261 §8.1.1.8: an INVITE has exactly one Contact.
  if (header(req, 'contact') === undefined)
    throw new CallRefusedError('request-malformed', 'Missing Contact Header');
  if (nextMaxForwards(req) < 0) throw new CallRefusedError('too-many-hops', 'Max-Forwards is 0');
  const extensions = unsupportedExtensions(req, INVITE_EXTENSIONS);
  if (extensions.length > 0)
    throw new CallRefusedError('extension-required', 'unsupported extension', {
      Unsupported: extensions.join(', '),
    });
  const type = header(req, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  // RFC 3261 §8.2.3
  if (req.body && type !== 'application/sdp')
    throw new CallRefusedError('body-unsupported', `body of type ${type}`, { Accept: 'application/sdp' });
  const encoding = header(req, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (req.body && encoding !== 'identity')
    throw new CallRefusedError('body-unsupported', `body in ${encoding}`, { 'Accept-Encoding': 'identity' });
}

/** RFC 4028 §9: a caller that asks for too short a session asks again, so this leaves no record. */
function checkSession({ session }: AdmissionDeps, attempt: Attempt): void {
  if (!isTooBrief(attempt.req, session)) return;
  respondOnly(attempt.res, 422, { headers: { 'Min-SE': session.minSec, Server: PRODUCT } });
  attempt.isChallenged = true;
}

function checkDraining(deps: AdmissionDeps): void {
  if (deps.isDraining()) throw new CallRefusedError('server-draining', 'no new calls while draining');
}

async function authenticate(deps: AdmissionDeps, attempt: Attempt): Promise<void> {
  const { req } = attempt;
  const recognised = await withDeadline(recognise(deps, req), LOOKUP_TIMEOUT_MS, 'recognising a trunk');
  if (recognised?.kind === 'trunk') {
    admitTrunk(attempt, recognised.call);
    return;
  }
  if (recognised) {
    refuseDigest(deps, attempt, recognised.outcome);
    return;
  }
  const outcome = await withDeadline(
    deps.authenticator.authenticate(req, 'proxy'),
    LOOKUP_TIMEOUT_MS,
    'authentication',
  );
  if (outcome.ok) {
    attempt.user = outcome.user;
    const { username } = outcome.user;
    const call = attempt.open();
    call.caller = username;
    attempt.leg.limits = limitsOf(outcome.user.features ?? {}) ?? {};
    call.trail.add({ kind: 'authenticated', username });
    return;
  }
  refuseDigest(deps, attempt, outcome);
}

async function recognise({ trunks }: AdmissionDeps, req: SrfRequest): Promise<TrunkRecognition | undefined> {
  return trunks?.recognise(req);
}

/** A trunk vouches for its callers: none of them is one of our subscribers, whatever number it shows. */
function admitTrunk(attempt: Attempt, trunk: TrunkCall): void {
  attempt.trunk = trunk;
  attempt.number = trunk.called;
  const call = attempt.open();
  attempt.leg.codecs = trunk.codecs;
  attempt.leg.limits = trunk.limits;
  attempt.leg.place = trunk.take();
  if (!attempt.leg.place) throw new CallRefusedError('trunk-limit', `trunk ${trunk.trunk} is full`);
  call.trunkIn = trunk.trunk;
}

function refuseDigest(
  deps: AdmissionDeps,
  attempt: Attempt,
  outcome: AuthOutcome & { readonly ok: false },
): void {
  const { req, res } = attempt;
  if (outcome.failure === 'inactive') throw new CallRefusedError('caller-suspended', 'Account Not Active');
  if (outcome.failure === 'throttled')
    throw new CallRefusedError('authentication-failed', 'Too Many Attempts');
  if (outcome.failure === 'uri-mismatch')
    throw new CallRefusedError('request-malformed', 'Digest URI Mismatch');
  deps.authenticator.reject(req, res, 'proxy', outcome);
  attempt.isChallenged = true;
}

/** The caller calls as itself or as nobody (RFC 3323 §4.1), never as another (RFC 3261 §22.1). */
function checkFrom(_deps: AdmissionDeps, { from, user, trunk }: Attempt): void {
  if (trunk || /@anonymous\.invalid(?:[:;>]|$)/i.test(from.uri)) return;
  const fromUser = parseUri(from.uri)?.user;
  if (fromUser !== user?.username)
    throw new CallRefusedError('from-mismatch', 'From is not the authenticated user');
}

function checkCapacity(deps: AdmissionDeps): void {
  // The call itself is among the active ones by now.
  if (deps.activeCalls() > deps.maxCalls) throw new CallRefusedError('server-overloaded', 'too many calls');
}

/** RFC 3891 §3: an INVITE with Replaces rings nobody, it takes a call over. */
async function replace(deps: AdmissionDeps, { req, user, open }: Attempt): Promise<void> {
  if (user) await replaceCall(deps.calls, open(), user.username, req);
}

async function route(deps: AdmissionDeps, attempt: Attempt): Promise<void> {
  const { req, from, uri, number, user, trunk } = attempt;
  const caller = trunk ? outsideCaller(trunk, deps.router.realm) : user;
  if (!caller) return;
  // A trunk writes what it likes behind the @.
  const scheme = trunk ? 'tel' : (uri?.scheme ?? uriScheme(req.uri) ?? '');
  const invite = { req, from, user: caller, scheme, host: uri?.host ?? '', number };
  const plan = await new CallRouter(deps.router, invite, attempt.open()).route();
  if (plan) attempt.plan = plan;
}

/** A caller from outside as routing knows it; its name can be that of no subscriber. */
function outsideCaller({ trunk, caller, displayName, isAnonymous, limits }: TrunkCall, realm: string) {
  return {
    username: `${trunk}:${caller}`,
    status: 'ACTIVE',
    realm,
    displayName,
    outside: { trunk, number: caller, isAnonymous },
    features: limits,
  } satisfies RoutedCaller;
}

async function offerMedia(_deps: AdmissionDeps, attempt: Attempt): Promise<void> {
  const { req, leg } = attempt;
  if (!req.body) return;
  try {
    attempt.offer = offered(await attempt.open().media.offer('a', req.body, leg.peer), leg);
  } catch (error) {
    if (isBadDescription(error)) throw new CallRefusedError('offer-not-acceptable', (error as Error).message);
    throw error;
  }
}

function dial(_deps: AdmissionDeps, { plan, offer, open }: Attempt): void {
  const call = open();
  if (plan && !call.isEnding) call.dial(plan, offer);
}

/** The release reason for whatever a step threw. */
export function refusalOf(error: unknown): CallRefusedError {
  if (error instanceof CallRefusedError) return error;
  if (!(error instanceof AppError)) return new CallRefusedError('server-error', 'internal error');
  if (error.code === 'MEDIA_FAILED') return new CallRefusedError('media-unavailable', error.message);
  if (error.code === 'BAD_REQUEST') return new CallRefusedError('request-malformed', error.message);
  if (error.code.startsWith('STORE') || error.code === 'TIMEOUT')
    return new CallRefusedError('store-unavailable', error.message);
  return new CallRefusedError('server-error', error.message);
}

/** Number and URI of the dialled party. */
export function dialled(req: SrfRequest): { uri: SipUri | undefined; number: DialledNumber | undefined } {
  const uri = parseUri(req.uri);
  return { uri, number: uri?.user === undefined ? undefined : normaliseNumber(uri.user) };
}
