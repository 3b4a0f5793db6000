import type { Via } from '../../sip/via.js';
import type { Source } from '../types.js';
import type { SentBy } from './types.js';

/**
 * Whether the transport that Via names is the one the message came over. A browser behind a proxy that ends TLS for us
 * says WSS where we see WS.
 */
export function isFrom(topVia: Via, source: Source): boolean {
  const named = topVia.protocol.toLowerCase();
  return named === source.protocol || (named.startsWith('ws') && source.protocol.startsWith('ws'));
}

/** Addresses that we wrote into the Via of requests; as many as there are listeners and faces of them. */
export class OwnSentBys {
  private readonly known = new Map<string, Set<number>>();

  add(sentBy: SentBy): void {
    const ports = this.known.get(sentBy.host);
    if (ports) ports.add(sentBy.port);
    else this.known.set(sentBy.host, new Set([sentBy.port]));
  }

  has(via: Via): boolean {
    return via.port !== undefined && this.known.get(via.host)?.has(via.port) === true;
  }
}
