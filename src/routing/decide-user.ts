import { diversionFault } from './diversions.js';
import { limitsOf } from './leg-limits.js';
import { type RouteStep, step } from './steps.js';
import type {
  CalleeFacts,
  CalleeFeatures,
  Diversion,
  DiversionReason,
  FailureKind,
  PhoneTarget,
  Round,
  RoutableBinding,
  RouteDecision,
  RouteFacts,
  RouteRefusal,
} from './types.js';

/** Seconds that one phone rings before the next, unless its user has another time. */
const DEFAULT_ONE_PHONE_SEC = 20;

const REASONS: Readonly<Record<FailureKind, DiversionReason>> = {
  busy: 'user-busy',
  'no-answer': 'no-answer',
  unreachable: 'unavailable',
};

/** Where a call to one subscriber goes. `steps` is added to. */
export function decideUser<B extends RoutableBinding>(
  facts: RouteFacts<B>,
  user: CalleeFacts<B>,
  steps: RouteStep[],
): RouteDecision<B> {
  const { username, status, bindings, features } = user;
  const refuse = (refusal: RouteRefusal, why: RouteStep): RouteDecision<B> => {
    steps.push(why);
    return { kind: 'refusal', refusal, steps };
  };
  /** Forwards when that is set and may be followed. */
  const forward = (
    to: string | undefined,
    reason: DiversionReason,
    orElse: RouteRefusal,
  ): RouteDecision<B> => {
    if (to === undefined) return { kind: 'refusal', refusal: orElse, steps };
    const diversion = { by: username, to, reason };
    const fault = diversionFault(diversion, facts.diversions, facts.caller.username);
    if (fault) return refuse(fault.isLoop && reason === 'unconditional' ? 'forward-loop' : orElse, fault.why);
    steps.push(step('forwards', { user: username, to, reason }));
    return { kind: 'diversion', diversion, steps };
  };

  if (status !== 'ACTIVE') return refuse('callee-suspended', step('userStatus', { user: username, status }));
  const { forwardAlways } = features;
  if (forwardAlways !== undefined) {
    if (forwardAlways !== facts.caller.username)
      return forward(forwardAlways, 'unconditional', 'forward-loop');
    steps.push(step('forwardsToCaller', { user: username, to: forwardAlways }));
  }
  if (features.doNotDisturb) {
    steps.push(step('userNotDisturbed', { user: username }));
    return forward(features.forwardBusy, 'do-not-disturb', 'callee-do-not-disturb');
  }
  if (bindings.length === 0) {
    steps.push(step('userHasNoPhone', { user: username }));
    return forward(features.forwardUnreachable, 'unavailable', 'callee-not-registered');
  }
  // Counted only when it matters.
  if (features.maxCalls !== undefined && user.calls >= features.maxCalls) {
    steps.push(step('userBusy', { user: username, calls: user.calls, most: features.maxCalls }));
    return forward(features.forwardBusy, 'user-busy', 'callee-busy');
  }
  const rounds = roundsOf(user, facts, steps);
  const onFailure = forwardings(username, features, facts, steps);
  const { mayDeflect, maxDurationSec } = features;
  const plan = {
    callee: username,
    rounds,
    onFailure,
    ...(mayDeflect && { mayDeflect }),
    ...(maxDurationSec !== undefined && { maxDurationSec }),
  };
  return { kind: 'plan', plan, steps };
}

/** The phones of a subscriber: highest q first (RFC 3261 §16.5), then the newest registration. */
export function phonesOf<B extends RoutableBinding>(
  { username, bindings, features }: CalleeFacts<B>,
  most: number,
): PhoneTarget<B>[] {
  const limits = limitsOf(features);
  return [...bindings]
    .sort((x, y) => y.q - x.q || y.registeredAt - x.registeredAt)
    .slice(0, most)
    .map((binding) => ({ kind: 'phone', username, binding, ...(limits && { limits }) }));
}

/** The rounds of one subscriber; together they take no longer than its no-answer time. */
function roundsOf<B extends RoutableBinding>(
  user: CalleeFacts<B>,
  facts: RouteFacts<B>,
  steps: RouteStep[],
): Round<PhoneTarget<B>>[] {
  const { ring = 'ALL', ringSec = DEFAULT_ONE_PHONE_SEC, noAnswerSec } = user.features;
  const totalMs = noAnswerSec === undefined ? facts.ringMs : noAnswerSec * 1000;
  const phones = phonesOf(user, facts.maxTargets);
  const of = { phones: phones.length, registered: user.bindings.length };
  if (ring === 'ALL' || phones.length === 1) {
    steps.push(step('phonesTogether', { ...of, seconds: totalMs / 1000 }));
    return [{ kind: 'phones', targets: phones, ringMs: totalMs }];
  }
  const turns =
    ring === 'Q'
      ? byQ(phones)
      : [...phones].sort((x, y) => y.binding.registeredAt - x.binding.registeredAt).map((phone) => [phone]);
  const rounds = inTime(turns, ringSec * 1000, totalMs);
  steps.push(step(ring === 'Q' ? 'phonesByQ' : 'phonesByAge', { ...of, rounds: rounds.length }));
  return rounds;
}

/** Phones of equal q ring together, the highest first (RFC 3261 §16.6). */
function byQ<B extends RoutableBinding>(phones: readonly PhoneTarget<B>[]): PhoneTarget<B>[][] {
  const turns = new Map<number, PhoneTarget<B>[]>();
  for (const phone of phones) turns.set(phone.binding.q, [...(turns.get(phone.binding.q) ?? []), phone]);
  return [...turns.values()];
}

/** One round a turn until the time is used up; the last one rings for what is left. */
function inTime<T>(turns: readonly (readonly T[])[], eachMs: number, totalMs: number): Round<T>[] {
  const rounds: Round<T>[] = [];
  let leftMs = totalMs;
  for (const [i, targets] of turns.entries()) {
    if (leftMs <= 0) break;
    const ringMs = i === turns.length - 1 ? leftMs : Math.min(eachMs, leftMs);
    rounds.push({ kind: 'phones', targets, ringMs });
    leftMs -= ringMs;
  }
  return rounds;
}

/** Where the call goes on when the phones fail: what the subscriber set, as far as it may be followed. */
function forwardings<B extends RoutableBinding>(
  username: string,
  features: CalleeFeatures,
  facts: RouteFacts<B>,
  steps: RouteStep[],
): Partial<Record<FailureKind, Diversion>> {
  const { forwardBusy, forwardNoAnswer, forwardUnreachable } = features;
  const wanted = { busy: forwardBusy, 'no-answer': forwardNoAnswer, unreachable: forwardUnreachable };
  const onFailure: Partial<Record<FailureKind, Diversion>> = {};
  for (const [kind, to] of Object.entries(wanted) as [FailureKind, string | undefined][]) {
    if (to === undefined) continue;
    const diversion = { by: username, to, reason: REASONS[kind] };
    const fault = diversionFault(diversion, facts.diversions, facts.caller.username);
    steps.push(fault?.why ?? step('forwardsWhen', { failure: kind, to }));
    if (!fault) onFailure[kind] = diversion;
  }
  return onFailure;
}
