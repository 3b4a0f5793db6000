import { diversionFault } from './diversions.js';
import { limitsOf } from './leg-limits.js';
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
  steps: string[],
): RouteDecision<B> {
  const { username, status, bindings, features } = user;
  const refuse = (refusal: RouteRefusal, why: string): RouteDecision<B> => {
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
    steps.push(`${username} forwards to ${to} (${reason})`);
    return { kind: 'diversion', diversion, steps };
  };

  if (status !== 'ACTIVE') return refuse('callee-suspended', `subscriber ${username} is ${status}`);
  const { forwardAlways } = features;
  if (forwardAlways !== undefined) {
    if (forwardAlways !== facts.caller.username)
      return forward(forwardAlways, 'unconditional', 'forward-loop');
    steps.push(`${username} forwards to ${forwardAlways}, who is calling: not followed`);
  }
  if (features.doNotDisturb) {
    steps.push(`${username} is not to be disturbed`);
    return forward(features.forwardBusy, 'do-not-disturb', 'callee-do-not-disturb');
  }
  if (bindings.length === 0) {
    steps.push(`subscriber ${username} has no phone registered`);
    return forward(features.forwardUnreachable, 'unavailable', 'callee-not-registered');
  }
  // Counted only when it matters.
  if (features.maxCalls !== undefined && user.calls >= features.maxCalls) {
    steps.push(`${username} is in ${user.calls} calls, ${features.maxCalls} may be: busy`);
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
  steps: string[],
): Round<PhoneTarget<B>>[] {
  const { ring = 'ALL', ringSec = DEFAULT_ONE_PHONE_SEC, noAnswerSec } = user.features;
  const totalMs = noAnswerSec === undefined ? facts.ringMs : noAnswerSec * 1000;
  const phones = phonesOf(user, facts.maxTargets);
  const of = `${phones.length} of ${user.bindings.length} registered phones`;
  if (ring === 'ALL' || phones.length === 1) {
    steps.push(`${of} ring together for ${totalMs / 1000} s`);
    return [{ kind: 'phones', targets: phones, ringMs: totalMs }];
  }
  const turns =
    ring === 'Q'
      ? byQ(phones)
      : [...phones].sort((x, y) => y.binding.registeredAt - x.binding.registeredAt).map((phone) => [phone]);
  const rounds = inTime(turns, ringSec * 1000, totalMs);
  steps.push(`${of} ring in ${rounds.length} rounds, ${ring === 'Q' ? 'highest q first' : 'newest first'}`);
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
  steps: string[],
): Partial<Record<FailureKind, Diversion>> {
  const { forwardBusy, forwardNoAnswer, forwardUnreachable } = features;
  const wanted = { busy: forwardBusy, 'no-answer': forwardNoAnswer, unreachable: forwardUnreachable };
  const onFailure: Partial<Record<FailureKind, Diversion>> = {};
  for (const [kind, to] of Object.entries(wanted) as [FailureKind, string | undefined][]) {
    if (to === undefined) continue;
    const diversion = { by: username, to, reason: REASONS[kind] };
    const fault = diversionFault(diversion, facts.diversions, facts.caller.username);
    steps.push(fault?.why ?? `when ${kind}: on to ${to}`);
    if (!fault) onFailure[kind] = diversion;
  }
  return onFailure;
}
