import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type RawData, WebSocket } from 'ws';
import { formatHost } from '../../src/sip/host.js';
import type { SipMessage } from '../../src/sip/message.js';
import { parseMessage } from '../../src/sip/parser.js';
import { StreamParser } from '../../src/sip/stream-parser.js';

export type LinkTransport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

export interface LinkOptions {
  readonly server: { readonly address: string; readonly port: number };
  readonly transport?: LinkTransport | undefined;
  /** Another loopback address to send from; over UDP and TCP. */
  readonly from?: string | undefined;
}

/** How a SipPeer reaches the server: a UDP socket, or one connection that it opened. Any certificate will do. */
export interface PeerLink {
  readonly port: number;
  send(bytes: Buffer): void;
  onMessage(listener: (message: SipMessage) => void): void;
  /** Resolves when either side has closed the socket or the connection. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Opens a link from a loopback address of the server's family. */
export function openLink(options: LinkOptions): Promise<PeerLink> {
  const { server, from } = options;
  const transport: LinkTransport = options.transport ?? 'udp';
  const isLocal = { rejectUnauthorized: false };
  switch (transport) {
    case 'udp':
      return openUdp(options);
    case 'tcp':
      return openStream(
        connect({ host: server.address, port: server.port, ...(from && { localAddress: from }) }),
        'connect',
      );
    case 'tls':
      return openStream(connectTls(server.port, server.address, isLocal), 'secureConnect');
    case 'ws':
    case 'wss':
      return openWebSocket(`${transport}://${formatHost(server.address)}:${server.port}/`);
  }
}

async function openUdp({ server, from }: LinkOptions): Promise<PeerLink> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  socket.bind(0, from ?? (isIPv6(server.address) ? '::1' : '127.0.0.1'));
  await once(socket, 'listening');
  const closed = new Promise<void>((resolve) => void socket.once('close', resolve));
  return {
    port: socket.address().port,
    closed,
    send: (bytes) => socket.send(bytes, server.port, server.address),
    onMessage: (listener) => socket.on('message', (bytes) => listener(parseMessage(bytes))),
    close: () => {
      socket.close();
      return closed;
    },
  };
}

async function openStream(socket: Socket, event: 'connect' | 'secureConnect'): Promise<PeerLink> {
  await once(socket, event);
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  return {
    port: socket.localPort ?? 0,
    closed,
    send: (bytes) => socket.write(bytes),
    onMessage: (listener) => {
      const parser = new StreamParser({ onMessage: listener, onPing: () => {}, onError: () => {} });
      socket.on('data', (chunk) => parser.push(chunk));
    },
    close: () => {
      socket.destroy();
      return closed;
    },
  };
}

async function openWebSocket(url: string): Promise<PeerLink> {
  const webSocket = new WebSocket(url, 'sip', { rejectUnauthorized: false });
  let port = 0;
  webSocket.on('upgrade', ({ socket }) => {
    port = socket.localPort ?? 0;
  });
  await once(webSocket, 'open');
  webSocket.on('error', () => {});
  const closed = new Promise<void>((resolve) => void webSocket.once('close', () => resolve()));
  return {
    port,
    closed,
    send: (bytes) => webSocket.send(bytes.toString('utf8')),
    onMessage: (listener) =>
      webSocket.on('message', (data: RawData) => listener(parseMessage(Buffer.from(String(data))))),
    close: () => {
      webSocket.close();
      return closed;
    },
  };
}
