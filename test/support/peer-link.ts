import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6 } from 'node:net';
import type { SipMessage } from '../../src/sip/message.js';
import { parseMessage } from '../../src/sip/parser.js';
import { StreamParser } from '../../src/sip/stream-parser.js';

export interface LinkOptions {
  readonly server: { readonly address: string; readonly port: number };
  readonly transport?: 'udp' | 'tcp' | undefined;
}

/** How a SipPeer reaches the server: a UDP socket, or one TCP connection that it opened. */
export interface PeerLink {
  readonly port: number;
  send(bytes: Buffer): void;
  onMessage(listener: (message: SipMessage) => void): void;
  close(): Promise<void>;
}

/** Opens a link from a loopback address of the server's family. */
export function openLink(options: LinkOptions): Promise<PeerLink> {
  return options.transport === 'tcp' ? openTcp(options) : openUdp(options);
}

async function openUdp({ server }: LinkOptions): Promise<PeerLink> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  socket.bind(0, isIPv6(server.address) ? '::1' : '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    send: (bytes) => socket.send(bytes, server.port, server.address),
    onMessage: (listener) => socket.on('message', (bytes) => listener(parseMessage(bytes))),
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function openTcp({ server }: LinkOptions): Promise<PeerLink> {
  const socket = connect(server.port, server.address);
  await once(socket, 'connect');
  socket.on('error', () => {});
  return {
    port: socket.localPort ?? 0,
    send: (bytes) => socket.write(bytes),
    onMessage: (listener) => {
      const parser = new StreamParser({ onMessage: listener, onPing: () => {}, onError: () => {} });
      socket.on('data', (chunk) => parser.push(chunk));
    },
    close: async () => {
      if (socket.destroyed) return;
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
    },
  };
}
