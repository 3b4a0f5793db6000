import { CALL_CLASSES, DEFAULT_CALL_CLASS, type OutsideRoute } from '../routing/outside-types.js';
import { invalid } from './errors.js';
import { checkPattern } from './trunk-rules.js';
import type { RouteInput } from './types.js';

export const MAX_ROUTES = 1000;
export const MAX_ROUTE_TRUNKS = 20;
export const DEFAULT_RANK = 100;
export const MAX_RANK = 10_000;
/** Priority and weight. */
export const MAX_TURN = 1000;
const PREFIX = /^[A-Za-z0-9+*#._-]{0,64}$/;

/** A route that leads nowhere yet. */
export function newRoute(name: string): OutsideRoute {
  return { name, prefix: '', rank: DEFAULT_RANK, callClass: DEFAULT_CALL_CLASS, trunks: [] };
}

/** A route after a change. Throws TrunkError (FIELD_INVALID). */
export function changeRoute(before: OutsideRoute, input: RouteInput): OutsideRoute {
  const { name } = before;
  const { rank = before.rank, callClass = before.callClass, trunks = before.trunks } = input;
  const pattern = input.pattern ?? (input.prefix === undefined ? before.pattern : undefined) ?? '';
  const prefix = input.prefix ?? before.prefix ?? '';
  if (!PREFIX.test(prefix)) throw invalid('a prefix has at most 64 letters, digits or any of + * # . _ -');
  if (pattern !== '') checkPattern(pattern);
  if (!Number.isInteger(rank) || rank < 0 || rank > MAX_RANK) throw invalid(`rank is 0 to ${MAX_RANK}`);
  if (!CALL_CLASSES.includes(callClass)) throw invalid(`class is one of ${CALL_CLASSES.join(', ')}`);
  if (trunks.length > MAX_ROUTE_TRUNKS) throw invalid(`a route has at most ${MAX_ROUTE_TRUNKS} trunks`);
  if (new Set(trunks.map(({ trunk }) => trunk)).size < trunks.length)
    throw invalid('a trunk stands in the list twice');
  const isTurn = (value: number) => Number.isInteger(value) && value >= 0 && value <= MAX_TURN;
  if (trunks.some(({ priority, weight }) => !isTurn(priority) || !isTurn(weight)))
    throw invalid(`priority and weight are 0 to ${MAX_TURN}`);
  return { name, ...(pattern === '' ? { prefix } : { pattern }), rank, callClass, trunks };
}
