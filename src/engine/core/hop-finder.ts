import { errorMessage } from '../../platform/errors.js';
import { ResolveError } from '../resolve/errors.js';
import { TransportError } from '../transport/errors.js';
import type { Hop } from '../types.js';
import type { CoreContext } from './core-context.js';
import { RefusedError } from './errors.js';

/** What follows when a next hop is looked for. */
export interface HopUser {
  /** May throw: what is thrown refuses the request. */
  found(hop: Hop): void;
  /** The name has no address (RFC 3263). */
  unresolved(): void;
  refused(reason: string): void;
}

/** Finds a next hop, at once when it is known, and goes on with it. Never throws; calls one of the three. */
export function findHop(ctx: CoreContext, resolve: () => Hop | Promise<Hop>, user: HopUser): void {
  const guarded = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (error instanceof ResolveError && error.code !== 'UNKNOWN_TRANSPORT') user.unresolved();
      else user.refused(reasonOf(ctx, error));
    }
  };
  guarded(() => {
    const hop = resolve();
    if (!(hop instanceof Promise)) user.found(hop);
    else
      hop.then(
        (found) => guarded(() => user.found(found)),
        (error) =>
          guarded(() => {
            throw error;
          }),
      );
  });
}

function reasonOf(ctx: CoreContext, error: unknown): string {
  if (error instanceof RefusedError) return error.message;
  if (error instanceof TransportError || error instanceof ResolveError)
    return 'requested protocol/transport not available';
  ctx.log.error({ err: error }, 'sending a request failed');
  return `Error creating sip transaction for uac request: ${errorMessage(error)}`;
}
