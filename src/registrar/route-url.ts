import { uriHost } from '../signalling/hostport.js';
import type { Binding } from './types.js';

/** Next hop to a phone: back to the address and port, or over the connection, that it registered from (RFC 5626 §5.3). */
export function routeUrlFor(binding: Pick<Binding, 'address' | 'port' | 'protocol'>): string {
  return `sip:${uriHost(binding.address)}:${binding.port};transport=${binding.protocol}`;
}
