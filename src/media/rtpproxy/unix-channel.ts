import { connect } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import { MediaError } from '../types.js';
import type { ControlChannel } from './control-channel.js';
import { StreamReply } from './stream-reply.js';

/** A command fails after this long, milliseconds; as over UDP. */
const TIMEOUT_MS = 2_250;
/** Commands under way at once; each has a connection. */
const MAX_PENDING = 1_000;

/**
 * RTPProxy's control protocol over a Unix socket. Its `unix:` sockets serve one command a connection and close, its
 * `cunix:` ones serve many; a connection for each command suits both.
 */
export class UnixChannel implements ControlChannel {
  private readonly aborts = new Set<() => void>();
  private closed = false;

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {}

  send(command: string, lines = 1): Promise<string> {
    if (this.closed) return Promise.reject(this.failure('channel is closed'));
    if (this.aborts.size >= MAX_PENDING) return Promise.reject(this.failure('too many commands wait'));
    return new Promise((resolve, reject) => {
      const socket = connect(this.path);
      const reply = new StreamReply();
      const finish = (settle: () => void): void => {
        this.clock.clearTimeout(timer);
        this.aborts.delete(abort);
        socket.destroy();
        settle();
      };
      const abort = (): void => finish(() => reject(this.failure('channel is closed')));
      const timer = this.clock.setTimeout(
        () => finish(() => reject(this.failure('media relay does not answer'))),
        TIMEOUT_MS,
      );
      this.aborts.add(abort);
      socket.setEncoding('latin1');
      socket.on('error', (error) =>
        finish(() => reject(this.failure('media relay cannot be reached', error))),
      );
      socket.on('data', (chunk: string) => {
        if (!reply.push(chunk)) finish(() => reject(this.failure('reply of the media relay is too long')));
        const whole = reply.take(lines);
        if (whole !== undefined) finish(() => resolve(whole));
      });
      socket.on('end', () => {
        const rest = reply.rest();
        finish(() =>
          rest === '' ? reject(this.failure('media relay closed without a reply')) : resolve(rest),
        );
      });
      socket.write(`${command}\n`);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const abort of [...this.aborts]) abort();
  }

  private failure(message: string, cause?: unknown): MediaError {
    return new MediaError(message, { path: this.path }, cause);
  }
}
