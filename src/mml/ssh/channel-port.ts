import type { Socket } from 'node:net';
import type { ServerChannel } from 'ssh2';
import type { Clock } from '../../platform/clock.js';
import { CLOSE_TIMEOUT_MS, DRAIN_TIMEOUT_MS, MAX_OUTPUT_BACKLOG_BYTES } from '../limits.js';
import type { TerminalPort } from '../terminal/terminal-port.js';

/** The pseudo-terminal that a client asked for (RFC 4254 §6.2); its size may change. */
export interface Screen {
  isTerminal: boolean;
  columns: number | undefined;
  rows: number | undefined;
}

export interface ChannelPortOptions {
  readonly channel: ServerChannel;
  /** What the channel goes over; its backlog counts too. */
  readonly socket: Socket;
  readonly address: string;
  readonly screen: Screen;
  readonly clock: Clock;
  /** The client does not read or does not close: the connection is to be cut off. */
  cutOff(reason: 'unread' | 'unclosed'): void;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** One channel of an SSH connection as a session sees it. Owns the channel's output side and its closing. */
export class ChannelPort implements TerminalPort {
  readonly transport = 'ssh';
  readonly address: string;
  /** What the client is told when the port ends (RFC 4254 §6.10). */
  exitStatus = 0;
  private ending = false;
  private gone = false;
  /** Writes that the channel's window has not let through yet. */
  private waiting = 0;
  /** Bytes that were taken while a key exchange held them back; they go out when it is over. */
  private held = 0;
  private waiters: (() => void)[] = [];
  private closeTimer: ReturnType<Clock['setTimeout']> | undefined;

  constructor(private readonly options: ChannelPortOptions) {
    this.address = options.address;
  }

  /** Without a terminal lines end with LF, as from other commands of a Unix system. */
  write(value: string): void {
    const { channel, socket, screen } = this.options;
    const text = screen.isTerminal ? value : value.replaceAll('\r', '');
    if (this.ending || this.gone || text.length === 0) return;
    const sentBefore = socket.bytesWritten;
    this.waiting++;
    channel.write(text, () => {
      this.waiting--;
      this.look();
    });
    if (channel.writableLength === 0 && socket.bytesWritten === sentBefore)
      this.held += Buffer.byteLength(text);
    if (this.backlog() > MAX_OUTPUT_BACKLOG_BYTES) this.options.cutOff('unread');
  }

  async drained(): Promise<void> {
    if (this.isDrained()) return;
    const { socket, clock } = this.options;
    const timer = clock.setTimeout(() => this.options.cutOff('unread'), DRAIN_TIMEOUT_MS);
    const look = () => this.look();
    socket.on('drain', look);
    await new Promise<void>((resolve) => this.waiters.push(resolve));
    socket.off('drain', look);
    clock.clearTimeout(timer);
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
    this.options.channel.pause();
  }

  resume(): void {
    this.options.channel.resume();
  }

  /** Sends what was written and the exit status, then closes the channel; the client ends the connection. */
  end(): void {
    const { channel, clock, cutOff } = this.options;
    if (this.ending || this.gone) return;
    this.ending = true;
    // What still comes in is thrown away.
    channel.resume();
    channel.exit(this.exitStatus);
    channel.end();
    this.closeTimer = clock.setTimeout(() => cutOff('unclosed'), CLOSE_TIMEOUT_MS);
  }

  /** RFC 4253 §9: a key exchange is over, and what it held back has gone out. */
  rekeyed(): void {
    this.held = 0;
    this.look();
  }

  /** The channel or its connection is closed: nothing is written any more. */
  closed(): void {
    this.gone = true;
    this.options.clock.clearTimeout(this.closeTimer);
    this.look();
  }

  private backlog(): number {
    const { channel, socket } = this.options;
    return channel.writableLength + socket.writableLength + this.held;
  }

  private isDrained(): boolean {
    if (this.gone) return true;
    return this.waiting === 0 && this.held === 0 && !this.options.socket.writableNeedDrain;
  }

  private look(): void {
    if (!this.isDrained()) return;
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
