import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TlsOptions,
} from 'node:tls';
import { Inbox } from './inbox.js';

/** A bare UDP socket that speaks text; its datagrams wait in `inbox`. */
export class RawUdp {
  readonly inbox = new Inbox<string>();
  /** Takes each datagram at once, in place of the inbox. */
  onMessage: ((text: string) => void) | undefined;

  private constructor(private readonly socket: UdpSocket) {
    socket.on('message', (bytes) => {
      const text = bytes.toString('latin1');
      if (this.onMessage) this.onMessage(text);
      else this.inbox.push(text);
    });
  }

  static async open(address = '127.0.0.1', port = 0): Promise<RawUdp> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new RawUdp(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(text: string | Buffer, port: number, address = '127.0.0.1'): void {
    this.socket.send(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, port, address);
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }
}

/** One TCP connection that speaks text; what arrives waits in `inbox` cut into whole messages by Content-Length. */
export class RawTcp {
  readonly inbox = new Inbox<string>();
  readonly closed: Promise<void>;
  private text = '';

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => this.receive(chunk.toString('latin1')));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
  }

  static async connect(port: number, address = '127.0.0.1', localAddress?: string): Promise<RawTcp> {
    const socket = connect({ port, host: address, ...(localAddress !== undefined && { localAddress }) });
    await once(socket, 'connect');
    return new RawTcp(socket);
  }

  /** Over TLS; rejects when the handshake fails. */
  static async connectTls(port: number, options: ConnectionOptions = {}): Promise<RawTcp> {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    await once(socket, 'secureConnect');
    return new RawTcp(socket);
  }

  get localPort(): number {
    return this.socket.localPort ?? 0;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Closes and waits until it is closed. */
  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  private receive(text: string): void {
    this.text += text;
    for (;;) {
      if (this.text.startsWith('\r\n')) {
        this.inbox.push('\r\n');
        this.text = this.text.slice(2);
        continue;
      }
      const end = this.text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = end + 4 + Number(/^Content-Length: *(\d+)/im.exec(this.text.slice(0, end))?.[1] ?? 0);
      if (this.text.length < length) return;
      this.inbox.push(this.text.slice(0, length));
      this.text = this.text.slice(length);
    }
  }
}

/** A TCP server that hands out its connections. */
export class RawTcpServer {
  readonly connections = new Inbox<RawTcp>();
  private readonly all: RawTcp[] = [];

  private constructor(
    private readonly server: Server,
    event: 'connection' | 'secureConnection' = 'connection',
  ) {
    server.on(event, (socket) => {
      const connection = new RawTcp(socket);
      this.all.push(connection);
      this.connections.push(connection);
    });
  }

  static async listen(address = '127.0.0.1', port = 0): Promise<RawTcpServer> {
    const server = createServer();
    server.listen(port, address);
    await once(server, 'listening');
    return new RawTcpServer(server);
  }

  static async listenTls(options: TlsOptions, address = '127.0.0.1'): Promise<RawTcpServer> {
    const server = createTlsServer(options);
    server.listen(0, address);
    await once(server, 'listening');
    return new RawTcpServer(server, 'secureConnection');
  }

  get port(): number {
    const address = this.server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** How many connections were made so far. */
  get accepted(): number {
    return this.all.length;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const connection of this.all) connection.socket.destroy();
    await closed;
  }
}
