import { phonesOf } from './decide-user.js';
import { diversionFault } from './diversions.js';
import { type RouteStep, step } from './steps.js';
import type {
  CalleeFacts,
  Destination,
  Diversion,
  DiversionReason,
  FailureKind,
  HuntGroup,
  PhoneTarget,
  Round,
  RoutableBinding,
  RouteDecision,
  RouteFacts,
} from './types.js';

type Group<B extends RoutableBinding> = Extract<Destination<B>, { kind: 'group' }>;

/** Where a call to a hunt group goes: to its members that are free, in the order of its strategy. `steps` is added to. */
export function decideGroup<B extends RoutableBinding>(
  facts: RouteFacts<B>,
  { group, members, turn }: Group<B>,
  steps: RouteStep[],
): RouteDecision<B> {
  const { number, name, strategy } = group;
  steps.push(step('numberIsGroup', { number, group: name || number, strategy, members: members.length }));
  const free = members.filter((member) => isFree(member, facts, steps));
  if (free.length === 0) return nobody(facts, group, members, steps);
  const ordered = inOrder(group, free, members, turn);
  const ringMs = group.memberSec * 1000;
  const rounds: Round<PhoneTarget<B>>[] =
    strategy === 'ALL'
      ? [{ kind: 'group', ringMs, targets: together(ordered, facts.maxTargets) }]
      : ordered.map((member) => ({ kind: 'group', ringMs, targets: phonesOf(member, facts.maxTargets) }));
  const users = ordered.map(({ username }) => username).join(', ');
  const how = strategy === 'ALL' ? 'membersTogether' : 'membersInTurn';
  steps.push(step(how, { seconds: group.memberSec, users }));
  const overflow = overflowOf(facts, group, steps, 'no-answer');
  const onFailure: Partial<Record<FailureKind, Diversion>> = overflow
    ? {
        busy: { ...overflow, reason: 'user-busy' },
        'no-answer': overflow,
        unreachable: { ...overflow, reason: 'unavailable' },
      }
    : {};
  return { kind: 'plan', plan: { callee: number, group: number, rounds, onFailure }, steps };
}

/** A member takes a group's call when it is registered, in no call, and wants to be disturbed. Its own forwardings do not count. */
function isFree<B extends RoutableBinding>(
  member: CalleeFacts<B>,
  facts: RouteFacts<B>,
  steps: RouteStep[],
): boolean {
  const why = whySkipped(member, facts.caller.username);
  if (why) steps.push(why);
  return why === undefined;
}

function whySkipped<B extends RoutableBinding>(
  { username: user, status, bindings, features, calls }: CalleeFacts<B>,
  caller: string,
): RouteStep | undefined {
  if (status !== 'ACTIVE') return step('memberStatus', { user, status });
  if (bindings.length === 0) return step('memberHasNoPhone', { user });
  if (features.doNotDisturb) return step('memberNotDisturbed', { user });
  if (user === caller) return step('memberCalls', { user });
  if (calls > 0) return step('memberBusy', { user });
  return undefined;
}

function inOrder<B extends RoutableBinding>(
  { strategy }: HuntGroup,
  free: readonly CalleeFacts<B>[],
  members: readonly CalleeFacts<B>[],
  turn: number,
): CalleeFacts<B>[] {
  switch (strategy) {
    case 'ALL':
    case 'LINEAR':
      return [...free];
    case 'ROUND_ROBIN': {
      const begin = turn % members.length;
      return [...members.slice(begin), ...members.slice(0, begin)].filter((member) => free.includes(member));
    }
    case 'LEAST_RECENT':
      return [...free].sort((x, y) => x.lastAnswer - y.lastAnswer);
  }
}

/** All phones of all members. */
function together<B extends RoutableBinding>(
  members: readonly CalleeFacts<B>[],
  perMember: number,
): PhoneTarget<B>[] {
  return members.flatMap((member) => phonesOf(member, perMember));
}

/** Nobody of the group is free. */
function nobody<B extends RoutableBinding>(
  facts: RouteFacts<B>,
  group: HuntGroup,
  members: readonly CalleeFacts<B>[],
  steps: RouteStep[],
): RouteDecision<B> {
  const isBusy = members.some(({ calls, bindings }) => calls > 0 && bindings.length > 0);
  steps.push(step('nobodyFree', {}));
  const diversion = overflowOf(facts, group, steps, isBusy ? 'user-busy' : 'unavailable');
  if (diversion) return { kind: 'diversion', diversion, steps };
  return { kind: 'refusal', refusal: isBusy ? 'callee-busy' : 'callee-not-registered', steps };
}

function overflowOf<B extends RoutableBinding>(
  facts: RouteFacts<B>,
  { number, overflow }: HuntGroup,
  steps: RouteStep[],
  reason: DiversionReason,
): Diversion | undefined {
  if (overflow === undefined) return undefined;
  const diversion = { by: number, to: overflow, reason };
  const fault = diversionFault(diversion, facts.diversions, facts.caller.username);
  steps.push(fault?.why ?? step('overflows', { to: overflow }));
  return fault ? undefined : diversion;
}
