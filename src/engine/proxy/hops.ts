import { isIP } from 'node:net';
import { parseUri } from '../../sip/uri.js';
import type { CoreContext } from '../core/core-context.js';
import type { LocalEnd } from '../core/local-addressing.js';
import type { Hop } from '../types.js';
import type { Target } from './types.js';

/** Our end of the way to a hop. Throws TransportError when nothing listens there. */
export function localEnd(ctx: CoreContext, hop: Hop): LocalEnd {
  return { sentBy: ctx.outlet(hop).sentBy, protocol: hop.protocol };
}

/**
 * Where a target leads: the way that is known, and when that is no more where an address in its URI says; else the
 * connection of a phone, else what RFC 3263 says. Throws or rejects with ResolveError.
 */
export function hopOf(ctx: CoreContext, { uri, hop }: Target): Hop | Promise<Hop> {
  if (!hop) return ctx.registeredFlows.find(uri) ?? ctx.resolve(uri);
  const other = isIP(parseUri(uri)?.host ?? '') === 0 ? undefined : ctx.resolve(uri);
  return other === undefined || other instanceof Promise ? hop : { ...hop, alternatives: [other] };
}
