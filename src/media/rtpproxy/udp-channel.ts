import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock, TimerHandle } from '../../platform/clock.js';
import { randomToken } from '../../platform/ids.js';
import { MediaError } from '../types.js';
import type { ControlChannel } from './control-channel.js';

/** A command is sent again after these pauses, milliseconds; after the last one it has failed: 2.25 s in all. */
const PAUSES_MS = [150, 300, 600, 1_200];
/** Commands that may wait for replies at once. */
const MAX_PENDING = 10_000;
/** A refused port (ICMP) fails a command once it has been sent this often: a relay that restarts gets one more try. */
const REFUSED_AFTER_SENDS = 2;

interface Pending {
  readonly datagram: string;
  readonly resolve: (reply: string) => void;
  readonly reject: (error: MediaError) => void;
  sends: number;
  timer?: TimerHandle;
}

/**
 * RTPProxy's control protocol over UDP: `cookie command`, answered by `cookie reply`. A lost datagram is made good by
 * repeating the command under the same cookie, which the relay runs once. Replies may come in any order; one that
 * comes after its command was given up is passed over.
 */
export class UdpChannel implements ControlChannel {
  private readonly pending = new Map<string, Pending>();
  private readonly prefix = randomToken(8);
  private count = 0;
  private socket: Promise<Socket> | undefined;
  private closed = false;

  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly clock: Clock,
  ) {}

  send(command: string): Promise<string> {
    if (this.closed) return Promise.reject(this.failure('channel is closed'));
    if (this.pending.size >= MAX_PENDING) return Promise.reject(this.failure('too many commands wait'));
    const cookie = `${this.prefix}${(++this.count).toString(36)}`;
    return new Promise((resolve, reject) => {
      const pending: Pending = { datagram: `${cookie} ${command}`, resolve, reject, sends: 0 };
      this.pending.set(cookie, pending);
      this.transmit(cookie, pending);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.failAll('channel is closed');
    const socket = await this.socket?.catch(() => undefined);
    this.socket = undefined;
    socket
      ?.removeAllListeners()
      .on('error', () => {})
      .close();
  }

  private transmit(cookie: string, pending: Pending): void {
    const pauseMs = PAUSES_MS[pending.sends];
    if (pauseMs === undefined) {
      this.fail(cookie, 'media relay does not answer');
      return;
    }
    pending.sends++;
    pending.timer = this.clock.setTimeout(() => this.transmit(cookie, pending), pauseMs);
    this.socket ??= this.open();
    this.socket.then(
      (socket) => {
        // The callback keeps a refused port from becoming an unhandled error; the next repetition finds out.
        if (this.pending.has(cookie) && !this.closed) socket.send(pending.datagram, () => {});
      },
      (error: unknown) => {
        this.socket = undefined;
        this.fail(cookie, 'media relay cannot be reached', error);
      },
    );
  }

  /** A connected socket: only the relay's own datagrams come in, and a refused port is told. */
  private open(): Promise<Socket> {
    const socket = createSocket({ type: isIPv6(this.host) ? 'udp6' : 'udp4', recvBufferSize: 1_048_576 });
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.connect(this.port, this.host, () => {
        socket.removeAllListeners('error').on('error', () => this.refused());
        socket.on('message', (datagram) => this.receive(datagram));
        resolve(socket);
      });
    });
  }

  private receive(datagram: Buffer): void {
    const text = datagram.toString('latin1');
    const at = text.indexOf(' ');
    const cookie = at < 0 ? '' : text.slice(0, at);
    const pending = this.pending.get(cookie);
    if (!pending) return;
    this.settle(cookie, pending);
    pending.resolve(text.slice(at + 1).replace(/[\r\n\0]+$/, ''));
  }

  private refused(): void {
    for (const [cookie, pending] of this.pending) {
      if (pending.sends >= REFUSED_AFTER_SENDS) this.fail(cookie, 'media relay is not running');
    }
  }

  private fail(cookie: string, message: string, cause?: unknown): void {
    const pending = this.pending.get(cookie);
    if (!pending) return;
    this.settle(cookie, pending);
    pending.reject(this.failure(message, cause));
  }

  private failAll(message: string): void {
    for (const cookie of [...this.pending.keys()]) this.fail(cookie, message);
  }

  private settle(cookie: string, pending: Pending): void {
    this.pending.delete(cookie);
    this.clock.clearTimeout(pending.timer);
  }

  private failure(message: string, cause?: unknown): MediaError {
    return new MediaError(message, { host: this.host, port: this.port }, cause);
  }
}
