import { decideRoute } from './decide.js';
import { type CodeTable, type DialledCode, matchCode } from './feature-codes.js';
import type { DialledNumber } from './number.js';
import { normaliseNumber } from './number.js';
import type { OutsideFacts } from './outside-types.js';
import { type RouteStep, step } from './steps.js';
import { ruleAt } from './time-rules.js';
import type {
  CalleeFacts,
  Destination,
  Diversion,
  HuntGroup,
  NumberEntry,
  RoomFacts,
  RoutableBinding,
  RouteCaller,
  RoutePlan,
  RouteRefusal,
  RouteTarget,
} from './types.js';

/** Short numbers that lead to short numbers: as many as this in one search. */
const MAX_ALIASES = 5;

/** Who knows the facts. Each rejects when its Store is away and nothing is remembered. */
export interface RouteDirectory<B extends RoutableBinding> {
  codes(): Promise<CodeTable | undefined>;
  entry(number: string): Promise<NumberEntry | undefined>;
  group(number: string): Promise<{ readonly group: HuntGroup; readonly turn: number } | undefined>;
  user(username: string): Promise<CalleeFacts<B> | undefined>;
  /** The conference room that one of these numbers is; absent where there are none. */
  room?(candidates: readonly string[]): Promise<RoomFacts | undefined>;
  /** The way to a number that nothing here has; absent where there are no trunks. */
  outside?(question: OutsideQuestion): Promise<OutsideFacts | undefined>;
}

/** A number that nothing here has, and who would call it. */
export interface OutsideQuestion {
  readonly number: string;
  readonly caller: RouteCaller;
  /** How the call came to that number: the last one answers for it. */
  readonly diversions: readonly Diversion[];
}

/** Who wants to reach what. */
export interface RouteRequest {
  readonly caller: RouteCaller;
  readonly scheme: string;
  readonly host: string;
  readonly isLocalHost: boolean;
  readonly number: DialledNumber | undefined;
  /** How the call came to that number so far. */
  readonly diversions: readonly Diversion[];
  /** Wall milliseconds. */
  readonly now: number;
  readonly maxTargets: number;
  readonly ringMs: number;
}

/** The end of a search for a way. */
export type FoundRoute<B extends RoutableBinding> = {
  /** The number that was decided on last. */
  readonly number: string;
  readonly diversions: readonly Diversion[];
  /** Every decision on the way, in order. */
  readonly steps: readonly RouteStep[];
  /** The conference room that it is. */
  readonly room?: string;
} & (
  | { readonly kind: 'plan'; readonly plan: RoutePlan<RouteTarget<B>> }
  | { readonly kind: 'refusal'; readonly refusal: RouteRefusal }
  | { readonly kind: 'code'; readonly code: DialledCode }
);

/** Asks `decideRoute` until there is a plan or a refusal, following short numbers and forwardings. */
export async function findRoute<B extends RoutableBinding>(
  directory: RouteDirectory<B>,
  request: RouteRequest,
): Promise<FoundRoute<B>> {
  const steps: RouteStep[] = [];
  let { number, diversions, scheme, host, isLocalHost } = request;
  let aliases = 0;
  for (;;) {
    const isDialled = diversions.length === 0 && aliases === 0 && request.caller.trunk === undefined;
    const code = isDialled ? await codeOf(directory, number) : undefined;
    const found = code ? { code, destination: undefined } : await lookUp(directory, number, request.now);
    const isHere = code || 'entry' in found || found.destination || (scheme !== 'tel' && !isLocalHost);
    const room = isHere || !number ? undefined : await directory.room?.(number.candidates);
    const outside =
      isHere || room || !number
        ? undefined
        : await directory.outside?.({ number: number.number, caller: request.caller, diversions });
    const decision = decideRoute<B>({
      caller: request.caller,
      scheme,
      host,
      isLocalHost,
      number: number?.number,
      ...found,
      room,
      outside,
      diversions,
      now: request.now,
      maxTargets: request.maxTargets,
      ringMs: request.ringMs,
    });
    steps.push(...decision.steps);
    const end = { number: number?.number ?? '', diversions, steps, ...(room && { room: room.room }) };
    if (decision.kind === 'plan') return { ...end, kind: 'plan', plan: decision.plan };
    if (decision.kind === 'code') return { ...end, kind: 'code', code: decision.code };
    if (decision.kind === 'refusal') return { ...end, kind: 'refusal', refusal: decision.refusal };
    if (decision.kind === 'diversion') diversions = [...diversions, decision.diversion];
    else if (++aliases > MAX_ALIASES) {
      steps.push(step('numberLoop', { most: MAX_ALIASES }));
      return { ...end, kind: 'refusal', refusal: 'forward-loop' };
    }
    const to = decision.kind === 'alias' ? decision.to : decision.diversion.to;
    number = normaliseNumber(to);
    // A number of our own tables, whatever the caller's Request-URI was.
    [scheme, host, isLocalHost] = ['tel', '', true];
  }
}

/** Feature codes are for people: nothing leads to one but dialling it. */
async function codeOf<B extends RoutableBinding>(
  directory: RouteDirectory<B>,
  number: DialledNumber | undefined,
): Promise<DialledCode | undefined> {
  if (number === undefined || !/^[*#]/.test(number.number)) return undefined;
  const table = await directory.codes();
  return table && matchCode(table, number.number);
}

/** The facts about one number, no more of them than the decision needs. */
async function lookUp<B extends RoutableBinding>(
  directory: RouteDirectory<B>,
  number: DialledNumber | undefined,
  now: number,
): Promise<{ entry?: NumberEntry; destination: Destination<B> | undefined }> {
  for (const candidate of number?.candidates ?? []) {
    const entry = await directory.entry(candidate);
    if (entry && (entry.to !== undefined || ruleAt(entry, now))) return { entry, destination: undefined };
    const destination = await findDestination(directory, candidate);
    if (destination) return { ...(entry && { entry }), destination };
  }
  return { destination: undefined };
}

async function findDestination<B extends RoutableBinding>(
  directory: RouteDirectory<B>,
  number: string,
): Promise<Destination<B> | undefined> {
  const found = await directory.group(number);
  if (!found) {
    const user = await directory.user(number);
    return user && { kind: 'user', user };
  }
  const members = await Promise.all(found.group.members.map((member) => directory.user(member)));
  const known = members.filter((member) => member !== undefined);
  return { kind: 'group', ...found, members: known };
}
