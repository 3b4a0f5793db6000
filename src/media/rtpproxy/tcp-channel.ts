import { connect, type Socket } from 'node:net';
import type { Clock, TimerHandle } from '../../platform/clock.js';
import { MediaError } from '../types.js';
import type { ControlChannel } from './control-channel.js';
import { StreamReply } from './stream-reply.js';

/** A command fails after this long, milliseconds; as over UDP. */
const TIMEOUT_MS = 2_250;
/** Commands that may wait for replies at once. */
const MAX_PENDING = 10_000;

interface Pending {
  readonly lines: number;
  readonly resolve: (reply: string) => void;
  readonly reject: (error: MediaError) => void;
  readonly timer: TimerHandle;
}

/**
 * RTPProxy's control protocol over TCP: a line a command, replies in the order of the commands, no cookies. Order is
 * all that ties a reply to its command, so a command that fails ends the connection and all that wait on it.
 */
export class TcpChannel implements ControlChannel {
  private socket: Socket | undefined;
  private reply = new StreamReply();
  private queue: Pending[] = [];
  private closed = false;

  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly clock: Clock,
  ) {}

  send(command: string, lines = 1): Promise<string> {
    if (this.closed) return Promise.reject(this.failure('channel is closed'));
    if (this.queue.length >= MAX_PENDING) return Promise.reject(this.failure('too many commands wait'));
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimeout(() => this.reset('media relay does not answer'), TIMEOUT_MS);
      this.queue.push({ lines, resolve, reject, timer });
      this.socket ??= this.open();
      this.socket.write(`${command}\n`);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.reset('channel is closed');
  }

  private open(): Socket {
    const socket = connect(this.port, this.host);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.setEncoding('latin1');
    const isMine = (): boolean => this.socket === socket;
    socket.on('error', (error) => isMine() && this.reset('media relay cannot be reached', error));
    socket.on('close', () => isMine() && this.reset('media relay closed the connection'));
    socket.on('data', (chunk: string) => isMine() && this.receive(chunk));
    return socket;
  }

  private receive(chunk: string): void {
    if (!this.reply.push(chunk)) {
      this.reset('reply of the media relay is too long');
      return;
    }
    for (;;) {
      const pending = this.queue[0];
      // A line that nobody asked for would be taken for the next reply.
      if (!pending) {
        if (this.reply.take(1) !== undefined) this.reset('media relay spoke unasked');
        return;
      }
      const whole = this.reply.take(pending.lines);
      if (whole === undefined) return;
      this.queue.shift();
      this.clock.clearTimeout(pending.timer);
      pending.resolve(whole);
    }
  }

  private reset(message: string, cause?: unknown): void {
    const { socket, queue } = this;
    this.socket = undefined;
    this.reply = new StreamReply();
    this.queue = [];
    socket?.destroy();
    for (const pending of queue) {
      this.clock.clearTimeout(pending.timer);
      pending.reject(this.failure(message, cause));
    }
  }

  private failure(message: string, cause?: unknown): MediaError {
    return new MediaError(message, { host: this.host, port: this.port }, cause);
  }
}
