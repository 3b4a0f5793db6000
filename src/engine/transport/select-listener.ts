import { isIPv4, isIPv6 } from 'node:net';
import type { Hop } from '../types.js';
import type { Listener } from './types.js';

/**
 * The listener a request to `hop` leaves from: same protocol and family; of several one that is bound to the address
 * facing the hop, then one bound to all addresses, then the first. Undefined when there is none.
 */
export function selectListener(
  listeners: readonly Listener[],
  hop: Hop,
  facing: (peer: string) => string,
): Listener | undefined {
  const family = familyOf(hop.address);
  let first: Listener | undefined;
  let isOnly = true;
  for (const listener of listeners) {
    const { bound } = listener;
    if (bound.protocol !== hop.protocol || bound.family !== family) continue;
    if (first) isOnly = false;
    else first = listener;
  }
  if (isOnly) return first;
  const fit = listeners.filter(({ bound }) => bound.protocol === hop.protocol && bound.family === family);
  const local = facing(hop.address);
  return (
    fit.find((listener) => listener.bound.address === local) ??
    fit.find((listener) => isWildcard(listener.bound.address)) ??
    fit[0]
  );
}

/** 0 for what is no IP literal. Most are IPv4, and the pattern of IPv6 is a costly one to fail on. */
function familyOf(address: string): 0 | 4 | 6 {
  if (address.includes(':')) return isIPv6(address) ? 6 : 0;
  return isIPv4(address) ? 4 : 0;
}

/** Whether an address stands for all addresses of its family. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
