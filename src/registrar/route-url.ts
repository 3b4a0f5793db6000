import { uriHost } from '../signalling/hostport.js';
import { parseNameAddr } from '../sip/name-addr.js';
import { parseUri } from '../sip/uri.js';
import type { Binding } from './types.js';

type Way = Pick<Binding, 'address' | 'port' | 'protocol' | 'path'>;

/**
 * Next hop to a phone: back to the address and port, or over the connection, that it registered from (RFC 5626 §5.3). Behind a
 * proxy that named itself in Path it is where that proxy listens, as long as that is the address which the REGISTER came from: a
 * Path leads requests to nobody who did not ask for them.
 */
export function routeUrlFor({ address, port, protocol, path }: Way): string {
  const proxy = path?.[0] === undefined ? undefined : parseUri(parseNameAddr(path[0])?.uri ?? '');
  const at = proxy?.host === address ? (proxy.port ?? (protocol === 'tls' ? 5061 : 5060)) : port;
  return `sip:${uriHost(address)}:${at};transport=${protocol}`;
}

/** Header fields by which the engine is told the proxies that a request to a phone has to pass (RFC 3327 §5.1). */
export function routeHeaders({ path = [] }: Pick<Binding, 'path'>): Record<string, string> {
  return path.length === 0 ? {} : { 'X-Preloaded-Route': path.join(', ') };
}
