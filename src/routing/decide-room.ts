import type { RoomFacts, RoutableBinding, RouteDecision, RouteFacts, RouteRefusal } from './types.js';

/** Whether a call gets a seat in a conference room. `steps` is added to. */
export function decideRoom<B extends RoutableBinding>(
  { caller, ringMs }: Pick<RouteFacts<B>, 'caller' | 'ringMs'>,
  facts: RoomFacts,
  steps: string[],
): RouteDecision<B> {
  const { room, because, members, maxMembers } = facts;
  steps.push(`number ${room} is a conference room (${because})`);
  const fault = roomFault(facts, caller.trunk);
  if (fault) {
    steps.push(fault.why);
    return { kind: 'refusal', refusal: fault.refusal, steps };
  }
  steps.push(`${members} of ${maxMembers} members are in it`);
  const round = { kind: 'room', targets: [{ kind: 'room', room }], ringMs } as const;
  return { kind: 'plan', plan: { callee: room, room, rounds: [round], onFailure: {} }, steps };
}

/** Why nobody else comes in now; `trunk` is the one that the caller is beyond. */
export function roomFault(
  facts: Omit<RoomFacts, 'because'>,
  trunk?: string,
): { readonly refusal: RouteRefusal & `conference-${string}`; readonly why: string } | undefined {
  const { room, members, maxMembers, isLocked, mayOutside, rooms, maxRooms } = facts;
  if (trunk !== undefined && !mayOutside)
    return {
      refusal: 'conference-forbidden',
      why: `room ${room} is not open to calls from trunk ${trunk}`,
    };
  if (isLocked) return { refusal: 'conference-locked', why: `room ${room} is locked` };
  if (members >= maxMembers)
    return { refusal: 'conference-full', why: `room ${room} has ${members} of ${maxMembers} members` };
  if (members === 0 && rooms >= maxRooms)
    return { refusal: 'conference-limit', why: `there are ${rooms} of ${maxRooms} rooms` };
  return undefined;
}
