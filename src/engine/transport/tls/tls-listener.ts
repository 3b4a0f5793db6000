import type { Socket } from 'node:net';
import type { PeerCertificate, Server, TLSSocket } from 'node:tls';
import type { Hop } from '../../types.js';
import { type Link, StreamLink } from '../link.js';
import { StreamListener } from '../stream-listener.js';
import { dialTls } from './dial-tls.js';
import { checkSipIdentity } from './sip-identity.js';
import { createTlsServer } from './tls-server.js';

/** SIP over TLS (RFC 3261 §18, RFC 3261 §26.2.1, RFC 5922). */
export class TlsListener extends StreamListener {
  protected readonly canDial = true;
  private readonly tls: Server = createTlsServer(this.context.credentials(), this.context, (socket) =>
    this.adopt(socket, acceptedLink(socket)),
  );

  protected accept(socket: Socket): void {
    this.tls.emit('connection', socket);
  }

  protected dial(hop: Hop): Link {
    return dialTls(hop, this.context, this.localAddress);
  }
}

/** The client's certificate, if it showed a good one, may prove names later (RFC 5923 §8.2). */
function acceptedLink(socket: TLSSocket): StreamLink {
  const proves = (host: string): boolean => socket.authorized && isProven(host, socket.getPeerCertificate());
  return new StreamLink(socket, 'secureConnect', undefined, proves);
}

function isProven(host: string, certificate: PeerCertificate): boolean {
  return Object.keys(certificate).length > 0 && checkSipIdentity(host, certificate) === undefined;
}
