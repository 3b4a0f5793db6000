import type { OutsideRoute } from './outside-types.js';
import { patternOf } from './translate.js';

/** The route of a number: lowest rank, then longest prefix, then pattern, then name. */
export function findOutsideRoute(routes: readonly OutsideRoute[], number: string): OutsideRoute | undefined {
  return routes.filter((route) => fits(route, number)).sort(byTurn)[0];
}

function fits({ prefix, pattern }: OutsideRoute, number: string): boolean {
  // Names are no telephone numbers: a route of every number does not carry them away.
  if (pattern === undefined) return number.startsWith(prefix ?? '') && /^\+?[\d*#]+$/.test(number);
  return patternOf(pattern).match(number) !== undefined;
}

function byTurn(x: OutsideRoute, y: OutsideRoute): number {
  const lengths = (y.prefix?.length ?? -1) - (x.prefix?.length ?? -1);
  return x.rank - y.rank || lengths || (x.name < y.name ? -1 : 1);
}
