import type { ClientTransaction, Hop } from '../types.js';
import type { MessageFacts } from './application.js';

/** Facts of a request that has left in a transaction of ours. */
export function requestFacts(tx: ClientTransaction, text: string): MessageFacts {
  return factsOf(tx.hop, tx.localAddress, tx.localPort, text);
}

/** Over UDP applications are told our end, over connections the peer's. */
export function factsOf(hop: Hop, localAddress: string, localPort: number, text: string): MessageFacts {
  const isUdp = hop.protocol === 'udp';
  return {
    origin: 'application',
    sizeBytes: text.length,
    protocol: hop.protocol,
    address: isUdp ? localAddress : hop.address,
    port: isUdp ? localPort : hop.port,
  };
}
