import { connect, type Socket } from 'node:net';
import type { Hop } from '../types.js';
import { type Link, StreamLink } from './link.js';
import { StreamListener } from './stream-listener.js';

/** SIP over TCP (RFC 3261 §18). */
export class TcpListener extends StreamListener {
  protected readonly canDial = true;

  protected accept(socket: Socket): void {
    this.adopt(socket, new StreamLink(socket));
  }

  protected dial(hop: Hop): Link {
    const { localAddress } = this;
    const from = localAddress === undefined ? {} : { localAddress };
    return new StreamLink(connect({ host: hop.address, port: hop.port, ...from }));
  }
}
