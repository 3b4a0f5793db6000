import { type RouteStep, step } from './steps.js';
import type {
  RoomFacts,
  RoomReason,
  RoutableBinding,
  RouteDecision,
  RouteFacts,
  RouteRefusal,
} from './types.js';

/** Whether a call gets a seat in a conference room. `steps` is added to. */
export function decideRoom<B extends RoutableBinding>(
  { caller, ringMs }: Pick<RouteFacts<B>, 'caller' | 'ringMs'>,
  facts: RoomFacts,
  steps: RouteStep[],
): RouteDecision<B> {
  const { room, because, members, maxMembers } = facts;
  steps.push(describe(room, because));
  const fault = roomFault(facts, caller.trunk);
  if (fault) {
    steps.push(fault.why);
    return { kind: 'refusal', refusal: fault.refusal, steps };
  }
  steps.push(step('roomHas', { members, most: maxMembers }));
  const round = { kind: 'room', targets: [{ kind: 'room', room }], ringMs } as const;
  return { kind: 'plan', plan: { callee: room, room, rounds: [round], onFailure: {} }, steps };
}

function describe(number: string, { by, value }: RoomReason): RouteStep {
  return by === 'prefix'
    ? step('roomByPrefix', { number, prefix: value })
    : step('roomByRange', { number, range: value });
}

/** Why nobody else comes in now; `trunk` is the one that the caller is beyond. */
export function roomFault(
  facts: Omit<RoomFacts, 'because'>,
  trunk?: string,
): { readonly refusal: RouteRefusal & `conference-${string}`; readonly why: RouteStep } | undefined {
  const { room, members, maxMembers, isLocked, mayOutside, rooms, maxRooms } = facts;
  if (trunk !== undefined && !mayOutside)
    return {
      refusal: 'conference-forbidden',
      why: step('roomNotForTrunk', { room, trunk }),
    };
  if (isLocked) return { refusal: 'conference-locked', why: step('roomLocked', { room }) };
  if (members >= maxMembers)
    return { refusal: 'conference-full', why: step('roomFull', { room, members, most: maxMembers }) };
  if (members === 0 && rooms >= maxRooms)
    return { refusal: 'conference-limit', why: step('roomsFull', { rooms, most: maxRooms }) };
  return undefined;
}
