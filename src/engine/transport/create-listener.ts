import { TcpListener } from './tcp-listener.js';
import { TlsListener } from './tls/tls-listener.js';
import type { Listener, ListenerContext, ListenerSpec } from './types.js';
import { UdpListener } from './udp-listener.js';
import { WsListener } from './ws/ws-listener.js';
import { WssListener } from './ws/wss-listener.js';

/** The listener class of each protocol. Throws TransportError `LISTEN_FAILED` when one of TLS has no certificate. */
export function createListener(spec: ListenerSpec, context: ListenerContext): Listener {
  switch (spec.protocol) {
    case 'udp':
      return new UdpListener(spec, context);
    case 'tcp':
      return new TcpListener(spec, context);
    case 'tls':
      return new TlsListener(spec, context);
    case 'ws':
      return new WsListener(spec, context);
    case 'wss':
      return new WssListener(spec, context);
  }
}
