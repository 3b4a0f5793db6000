import { TransportError } from './errors.js';
import { TcpListener } from './tcp-listener.js';
import type { Listener, ListenerContext, ListenerSpec } from './types.js';
import { UdpListener } from './udp-listener.js';

/** The listener class of each protocol. Throws TransportError `LISTEN_FAILED` for one that is not there. */
export function createListener(spec: ListenerSpec, context: ListenerContext): Listener {
  switch (spec.protocol) {
    case 'udp':
      return new UdpListener(spec, context);
    case 'tcp':
      return new TcpListener(spec, context);
    case 'tls':
    case 'ws':
    case 'wss':
      throw new TransportError('LISTEN_FAILED', `protocol ${spec.protocol} is not supported`);
  }
}
