import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { StreamParser, type StreamParserUser } from '../../sip/stream-parser.js';

/** Cuts what a link brings into messages; a StreamParser is one. */
export interface MessageReader {
  push(chunk: Buffer): void;
  /** Bytes held of an unfinished message. */
  readonly pendingBytes: number;
  close(): void;
}

/** What a link tells its connection. */
export interface LinkUser {
  /** It can carry SIP now; only for links that we opened. */
  onOpen(): void;
  onData(chunk: Buffer): void;
  /** Bytes came that may be a part of a message; for links that keep such parts to themselves. */
  onPart(): void;
  /** The peer showed that it is there without sending a message. */
  onAlive(): void;
  /** Told at least once when the link is gone. */
  onClose(cause?: Error): void;
}

/** What carries SIP beneath a Connection: a stream of bytes, or a WebSocket. */
export interface Link {
  /** Bytes written that the peer has not taken yet. */
  readonly pendingBytes: number;
  /** The name that the peer's certificate proved; undefined when none was asked for. */
  readonly provenName?: string | undefined;
  /** Whether a certificate of the peer, if it has shown one, stands for that host. */
  readonly proves?: ((host: string) => boolean) | undefined;
  createReader(user: StreamParserUser): MessageReader;
  listen(user: LinkUser): void;
  write(bytes: Buffer): void;
  /** Asks for a sign of life; absent where the peer has to see to that itself. */
  ping?(): void;
  /** Leaves what the peer sends unread until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends what is left and closes. */
  end(bytes: Buffer | undefined): void;
  destroy(): void;
}

/** Between probes of a silent connection by the kernel. Milliseconds. */
const KEEP_ALIVE_MS = 45_000;

/** A TCP or TLS connection. */
export class StreamLink implements Link {
  constructor(
    private readonly socket: Socket | TLSSocket,
    /** What the socket emits when it can carry SIP. */
    private readonly openEvent: 'connect' | 'secureConnect' = 'connect',
    readonly provenName?: string,
    readonly proves?: (host: string) => boolean,
  ) {}

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  createReader(user: StreamParserUser): MessageReader {
    return new StreamParser(user);
  }

  listen(user: LinkUser): void {
    const { socket } = this;
    prepareSocket(socket);
    socket.on(this.openEvent, () => user.onOpen());
    socket.on('data', (chunk: Buffer) => user.onData(chunk));
    socket.on('error', (cause) => user.onClose(cause));
    socket.on('close', () => user.onClose());
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(bytes: Buffer | undefined): void {
    if (bytes) this.socket.end(bytes);
    else this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Small messages leave at once, and a peer that vanished is found out. */
export function prepareSocket(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}
