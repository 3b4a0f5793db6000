import type { Socket } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import { CLOSE_TIMEOUT_MS, DRAIN_TIMEOUT_MS, MAX_OUTPUT_BACKLOG_BYTES } from '../limits.js';
import type { SessionTransport } from '../session/session-state.js';
import type { TerminalPort } from '../terminal/terminal-port.js';

/** How the screen at the other end looks; may change at any time. */
export interface Screen {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  /** Bytes go as they are; else a lone CR is sent as CR NUL (RFC 854). */
  readonly isBinary: boolean;
}

export interface SocketPortOptions {
  readonly socket: Socket;
  readonly transport: SessionTransport;
  readonly address: string;
  readonly screen: Screen;
  readonly clock: Clock;
  /** The client did not read its output and was cut off. */
  onUnread(): void;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A terminal at the other end of a socket. Owns the socket's output side and its closing. */
export class SocketPort implements TerminalPort {
  readonly transport: SessionTransport;
  readonly address: string;
  private ending = false;

  constructor(private readonly options: SocketPortOptions) {
    this.transport = options.transport;
    this.address = options.address;
  }

  /** Closing: nothing that comes in is looked at any more. */
  get isEnding(): boolean {
    return this.ending;
  }

  /** Text is UTF-8, which has no byte 255, so no IAC needs doubling (RFC 854). */
  write(value: string | Buffer): void {
    const { socket } = this.options;
    if (this.ending || socket.destroyed || value.length === 0) return;
    const isText = typeof value === 'string' && !this.options.screen.isBinary;
    socket.write(isText ? value.replace(/\r(?!\n)/g, '\r\0') : value);
    if (socket.writableLength > MAX_OUTPUT_BACKLOG_BYTES) this.cutOff();
  }

  async drained(): Promise<void> {
    const { socket, clock } = this.options;
    if (!socket.writableNeedDrain || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(() => this.cutOff(), DRAIN_TIMEOUT_MS);
      const done = () => {
        clock.clearTimeout(timer);
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  isTerminal(): boolean {
    return this.options.screen.isTerminal;
  }

  columns(): number {
    return this.options.screen.columns ?? DEFAULT_COLUMNS;
  }

  rows(): number {
    return this.options.screen.rows ?? DEFAULT_ROWS;
  }

  pause(): void {
    this.options.socket.pause();
  }

  resume(): void {
    this.options.socket.resume();
  }

  end(): void {
    const { socket, clock } = this.options;
    if (this.ending) return;
    this.ending = true;
    // What still comes in is thrown away; a client that neither reads nor closes is cut off.
    socket.resume();
    socket.end();
    const timer = clock.setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
    socket.once('close', () => clock.clearTimeout(timer));
  }

  private cutOff(): void {
    if (this.options.socket.destroyed) return;
    this.options.onUnread();
    this.options.socket.destroy();
  }
}
