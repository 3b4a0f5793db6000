import { type RouteStep, step } from './steps.js';
import type { Diversion, DiversionReason } from './types.js';

/** Most times that one call is forwarded. */
export const MAX_DIVERSIONS = 5;

/** Why a forwarding is not followed; undefined when it may be. */
export function diversionFault(
  diversion: Diversion,
  former: readonly Diversion[],
  caller: string,
): { readonly why: RouteStep; readonly isLoop: boolean } | undefined {
  const { by, to } = diversion;
  const places = { user: by, to };
  if (to === caller) return { why: step('forwardsToCaller', places), isLoop: false };
  if (former.length >= MAX_DIVERSIONS)
    return { why: step('forwardsTooOften', { ...places, most: MAX_DIVERSIONS }), isLoop: true };
  if (former.some((one) => one.by === by || one.by === to))
    return { why: step('forwardsInLoop', places), isLoop: true };
  return undefined;
}

/** The cause parameter of RFC 4458 that stands for a reason, as History-Info has it (RFC 7044). */
export function causeOfDiversion(reason: DiversionReason): number {
  switch (reason) {
    case 'unconditional':
      return 302;
    case 'user-busy':
    case 'do-not-disturb':
      return 486;
    case 'no-answer':
      return 408;
    case 'unavailable':
      return 503;
    case 'deflection':
      return 480;
  }
}
