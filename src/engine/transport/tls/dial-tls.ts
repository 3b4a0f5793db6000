import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { Hop } from '../../types.js';
import { StreamLink } from '../link.js';
import type { ListenerContext } from '../types.js';
import { checkSipIdentity } from './sip-identity.js';

/**
 * Begins a TLS connection to a hop: its name goes out as SNI and must be what its certificate is
 * for (RFC 5922 §7.3); a hop without a name must prove its address.
 */
export function dialTls(hop: Hop, context: ListenerContext, localAddress: string | undefined): StreamLink {
  const credentials = context.credentials();
  const name = hop.name ?? hop.address;
  const { verifyServer = true } = credentials.settings;
  const socket = connect({
    ...credentials.context,
    host: hop.address,
    port: hop.port,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: verifyServer,
    checkServerIdentity: (_host, certificate) => checkSipIdentity(name, certificate),
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.once('error', (error) => {
    const reason: unknown = socket.authorizationError;
    if (reason)
      context.log.warn({ err: error, name, port: hop.port }, 'the certificate of a peer is no good');
  });
  return new StreamLink(socket, 'secureConnect', hop.name);
}
