import type { Diversion, DiversionReason } from './types.js';

/** Most times that one call is forwarded. */
export const MAX_DIVERSIONS = 5;

/** Why a forwarding is not followed; undefined when it may be. */
export function diversionFault(
  diversion: Diversion,
  former: readonly Diversion[],
  caller: string,
): { readonly why: string; readonly isLoop: boolean } | undefined {
  const { by, to } = diversion;
  if (to === caller) return { why: `${by} forwards to ${to}, who is calling: not followed`, isLoop: false };
  if (former.length >= MAX_DIVERSIONS)
    return {
      why: `forwarded ${MAX_DIVERSIONS} times already: ${by} may not send it on to ${to}`,
      isLoop: true,
    };
  if (former.some((step) => step.by === by || step.by === to))
    return { why: `${by} forwards to ${to}: a loop`, isLoop: true };
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
