import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Hop } from '../types.js';
import { isWildcard } from './select-listener.js';
import { StreamListener } from './stream-listener.js';

/** SIP over TCP (RFC 3261 §18). */
export class TcpListener extends StreamListener {
  protected createServer(onSocket: (socket: Socket) => void): Server {
    return createServer(onSocket);
  }

  protected connect(hop: Hop): Socket {
    const { address } = this.bound;
    return connect({
      host: hop.address,
      port: hop.port,
      ...(isWildcard(address) ? {} : { localAddress: address }),
    });
  }
}
