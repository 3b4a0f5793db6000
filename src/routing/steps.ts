import { fillText } from '../platform/fill-text.js';

/**
 * Everything that routing says about its decisions, in English, with `{name}` for what differs. A code is one whole sentence:
 * other languages have other words for it, not the same parts in another order (`mml/report/route-steps.ts` has the Chinese).
 */
export const STEPS = {
  callerUnknown: 'no subscriber {user}: the caller would not pass its authentication',
  callerNeedsPassword: 'a caller at {address} has to show its password',
  callerIsTrunk: '{address} is trunk {trunk}',
  callerIsTrunkWithPassword: '{address} is trunk {trunk}, which has to show its password',
  callerStatus: 'caller {user} is {status}',
  callerMayCall: 'caller {user} may call',

  schemeNotServed: 'scheme {scheme} is not served',
  noNumber: 'the Request-URI has no usable number',
  hostNotServed: 'host {host} is not served here',
  featureCode: '{number} is the feature code {action}',
  featureCodeWith: '{number} is the feature code {action} with {argument}',
  numberUnknown: 'no subscriber, group or short number {number}',
  numberIsUser: 'number {number} is subscriber {user}',
  numberLeadsNow: 'number {number} leads to {to} at this time ({zone})',
  numberLeadsNowhere: 'number {number}: no time rule holds now',
  numberLeads: 'number {number} leads to {to}',
  numberLoop: 'over {most} short numbers lead to each other: a loop',

  userStatus: 'subscriber {user} is {status}',
  userNotDisturbed: '{user} is not to be disturbed',
  userHasNoPhone: 'subscriber {user} has no phone registered',
  userBusy: '{user} is in {calls} calls, {most} may be: busy',
  phonesTogether: '{phones} of {registered} registered phones ring together for {seconds} s',
  phonesByQ: '{phones} of {registered} registered phones ring in {rounds} rounds, highest q first',
  phonesByAge: '{phones} of {registered} registered phones ring in {rounds} rounds, newest first',

  forwards: '{user} forwards to {to} ({reason})',
  forwardsToCaller: '{user} forwards to {to}, who is calling: not followed',
  forwardsTooOften: 'forwarded {most} times already: {user} may not send it on to {to}',
  forwardsInLoop: '{user} forwards to {to}: a loop',
  forwardsWhen: 'when {failure}: on to {to}',

  numberIsGroup: '{number} is group {group}, {strategy}, {members} members',
  memberStatus: 'member {user} is {status}: skipped',
  memberHasNoPhone: 'member {user} has no phone registered: skipped',
  memberNotDisturbed: 'member {user} is not to be disturbed: skipped',
  memberCalls: 'member {user} is calling: skipped',
  memberBusy: 'member {user} is busy: skipped',
  membersTogether: 'together, {seconds} s: {users}',
  membersInTurn: 'one after another, {seconds} s: {users}',
  nobodyFree: 'no member is free',
  overflows: 'when nobody takes it: on to {to}',

  roomByPrefix: 'number {number} is a conference room (prefix {prefix})',
  roomByRange: 'number {number} is a conference room (range {range})',
  roomHas: '{members} of {most} members are in it',
  roomNotForTrunk: 'room {room} is not open to calls from trunk {trunk}',
  roomLocked: 'room {room} is locked',
  roomFull: 'room {room} has {members} of {most} members',
  roomsFull: 'there are {rooms} of {most} rooms',

  outsideByPrefix:
    "no subscriber, group or short number {number}; route {route} (prefix '{prefix}', {callClass}) has it",
  outsideByPattern:
    'no subscriber, group or short number {number}; route {route} (pattern {pattern}, {callClass}) has it',
  routeBars: 'route {route} bars these numbers',
  transitRefused: 'calls from trunk {trunk} may not go out again',
  transitAllowed: 'calls from trunk {trunk} may go out again',
  payerMayCall: '{user} may call {callClass} numbers',
  nobodyPays: 'the way was set by an operator: no limits of a subscriber',
  classNotAllowed: '{user} may call {right}, not {callClass}',
  prefixNotAllowed: '{user} may call numbers beginning with {prefixes} only',
  outsideCallsFull: '{user}: {count} of {most} outside calls are up',
  outsideHourFull: '{user}: {count} of {most} outside calls were begun in an hour',
  outsideDayFull: '{user}: {count} of {most} outside calls were begun in a day',

  trunkMissing: 'trunk {trunk} does not exist: skipped',
  trunkInactive: 'trunk {trunk} is inactive: skipped',
  trunkHasNoAddress: 'trunk {trunk} has no address: skipped',
  trunkDown: 'trunk {trunk} is down ({answer}): skipped',
  trunkNotRegistered: 'trunk {trunk} is not registered ({answer}): skipped',
  trunkIsOrigin: 'trunk {trunk} is where the call came from: skipped',
  trunkFull: 'trunk {trunk} has {calls} of {most} calls: skipped',
  trunkRateFull: 'trunk {trunk} began {calls} of {most} calls this second: skipped',
  tryTrunk: 'try {turn}: trunk {trunk}, priority {priority}',
  noTrunkLeft: 'no trunk of route {route} takes the call',
  calledBecomes: '{trunk}: called {number} becomes {to} (translation {rule})',
  callerBecomes: '{trunk}: caller {number} becomes {to} (translation {rule})',
} as const;

export type StepCode = keyof typeof STEPS;

type PlacesIn<Template extends string> = Template extends `${string}{${infer Place}}${infer Rest}`
  ? Place | PlacesIn<Rest>
  : never;

/** What may stand in braces. */
export type StepPlace = PlacesIn<(typeof STEPS)[StepCode]>;

/** A sentence that explains a decision, in no language yet. */
export interface RouteStep {
  readonly code: StepCode;
  readonly args: Readonly<Partial<Record<StepPlace, string | number>>>;
}

/** Makes a sentence; `args` has the places of its code, neither fewer nor others. */
export function step<Code extends StepCode>(
  code: Code,
  args: Readonly<Record<PlacesIn<(typeof STEPS)[Code]>, string | number>>,
): RouteStep {
  return { code, args };
}

/** The sentence in English, for logs, errors and scripts. */
export function sayStep({ code, args }: RouteStep): string {
  return fillText(STEPS[code], args);
}
