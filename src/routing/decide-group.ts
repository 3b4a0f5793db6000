import { phonesOf } from './decide-user.js';
import { diversionFault } from './diversions.js';
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
  steps: string[],
): RouteDecision<B> {
  steps.push(
    `${group.number} is group ${group.name || group.number}, ${group.strategy}, ${members.length} members`,
  );
  const free = members.filter((member) => isFree(member, facts, steps));
  if (free.length === 0) return nobody(facts, group, members, steps);
  const ordered = inOrder(group, free, members, turn);
  const ringMs = group.memberSec * 1000;
  const rounds: Round<PhoneTarget<B>>[] =
    group.strategy === 'ALL'
      ? [{ kind: 'group', ringMs, targets: together(ordered, facts.maxTargets) }]
      : ordered.map((member) => ({ kind: 'group', ringMs, targets: phonesOf(member, facts.maxTargets) }));
  const names = ordered.map(({ username }) => username).join(', ');
  steps.push(
    `${group.strategy === 'ALL' ? 'together' : 'one after another'}, ${group.memberSec} s: ${names}`,
  );
  const overflow = overflowOf(facts, group, steps, 'no-answer');
  const onFailure: Partial<Record<FailureKind, Diversion>> = overflow
    ? {
        busy: { ...overflow, reason: 'user-busy' },
        'no-answer': overflow,
        unreachable: { ...overflow, reason: 'unavailable' },
      }
    : {};
  return { kind: 'plan', plan: { callee: group.number, group: group.number, rounds, onFailure }, steps };
}

/** A member takes a group's call when it is registered, in no call, and wants to be disturbed. Its own forwardings do not count. */
function isFree<B extends RoutableBinding>(
  member: CalleeFacts<B>,
  facts: RouteFacts<B>,
  steps: string[],
): boolean {
  const { username, status, bindings, features } = member;
  const why =
    status !== 'ACTIVE'
      ? `is ${status}`
      : bindings.length === 0
        ? 'has no phone registered'
        : features.doNotDisturb
          ? 'is not to be disturbed'
          : username === facts.caller.username
            ? 'is calling'
            : member.calls > 0
              ? 'is busy'
              : undefined;
  if (why !== undefined) steps.push(`member ${username} ${why}: skipped`);
  return why === undefined;
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
  steps: string[],
): RouteDecision<B> {
  const isBusy = members.some(({ calls, bindings }) => calls > 0 && bindings.length > 0);
  steps.push('no member is free');
  const diversion = overflowOf(facts, group, steps, isBusy ? 'user-busy' : 'unavailable');
  if (diversion) return { kind: 'diversion', diversion, steps };
  return { kind: 'refusal', refusal: isBusy ? 'callee-busy' : 'callee-not-registered', steps };
}

function overflowOf<B extends RoutableBinding>(
  facts: RouteFacts<B>,
  { number, overflow }: HuntGroup,
  steps: string[],
  reason: DiversionReason,
): Diversion | undefined {
  if (overflow === undefined) return undefined;
  const diversion = { by: number, to: overflow, reason };
  const fault = diversionFault(diversion, facts.diversions, facts.caller.username);
  steps.push(fault?.why ?? `when nobody takes it: on to ${overflow}`);
  return fault ? undefined : diversion;
}
