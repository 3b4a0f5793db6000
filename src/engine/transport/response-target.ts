import { isIP } from 'node:net';
import type { Via } from '../../sip/via.js';
import type { Hop, Source } from '../types.js';

const DEFAULT_PORT = 5060;
const DEFAULT_TLS_PORT = 5061;

/**
 * Where a response goes when the connection its request came on is gone: the address the request came from, at the
 * port of sent-by (RFC 3261 §18.2.2).
 * Deviation: maddr is not followed, since it would let anyone direct our responses at a third party.
 */
export function responseHop(source: Source, topVia: Via | undefined): Hop {
  const port = topVia?.port ?? (source.protocol === 'tls' ? DEFAULT_TLS_PORT : DEFAULT_PORT);
  const address = topVia?.received ?? topVia?.host ?? source.address;
  return { protocol: source.protocol, address: isIP(address) ? address : source.address, port };
}
