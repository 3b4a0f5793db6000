import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { StreamParserUser } from '../../../sip/stream-parser.js';
import { type Link, type LinkUser, type MessageReader, prepareSocket } from '../link.js';
import { WholeMessageReader } from './whole-message-reader.js';

/** RFC 6455 §7.4.1 */
const PROTOCOL_ERROR = 1002;

/** A WebSocket that carries SIP (RFC 7118). */
export class WebSocketLink implements Link {
  constructor(
    private readonly webSocket: WebSocket,
    private readonly socket: Socket,
  ) {}

  get pendingBytes(): number {
    return this.webSocket.bufferedAmount;
  }

  createReader(user: StreamParserUser): MessageReader {
    return new WholeMessageReader(user);
  }

  listen(user: LinkUser): void {
    const { webSocket, socket } = this;
    prepareSocket(socket);
    // Ahead of the frame parser, which keeps the frames of an unfinished message to itself.
    socket.prependListener('data', () => user.onPart());
    webSocket.on('message', (data: RawData) => {
      user.onAlive();
      user.onData(toBuffer(data));
    });
    webSocket.on('ping', () => user.onAlive());
    webSocket.on('pong', () => user.onAlive());
    webSocket.on('error', (cause) => user.onClose(cause));
    webSocket.on('close', () => user.onClose());
  }

  /** RFC 7118 §4.2: text, since the parsers of some browsers' phones want it; what is no UTF-8 has to go as binary. */
  write(bytes: Buffer): void {
    this.webSocket.send(bytes, { binary: !isUtf8(bytes) });
  }

  ping(): void {
    this.webSocket.ping();
  }

  pause(): void {
    this.webSocket.pause();
  }

  resume(): void {
    this.webSocket.resume();
  }

  end(bytes: Buffer | undefined): void {
    if (bytes) this.write(bytes);
    this.webSocket.close(PROTOCOL_ERROR);
  }

  destroy(): void {
    this.webSocket.terminate();
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
