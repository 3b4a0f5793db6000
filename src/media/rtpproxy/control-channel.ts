import type { Clock } from '../../platform/clock.js';
import type { RelayUrl } from './relay-url.js';
import { TcpChannel } from './tcp-channel.js';
import { UdpChannel } from './udp-channel.js';
import { UnixChannel } from './unix-channel.js';

/** A way to one RTPProxy: commands in, replies out. */
export interface ControlChannel {
  /**
   * Sends a command, without cookie and line end, and resolves with the reply without them. `lines` is the number of
   * lines that the reply has, 1 unless the command is I. Rejects with MediaError when no reply comes in bounded time.
   */
  send(command: string, lines?: number): Promise<string>;
  /** Rejects what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Opens the channel that a URL names; nothing is sent or connected before the first command. */
export function openChannel(url: RelayUrl, clock: Clock): ControlChannel {
  switch (url.kind) {
    case 'udp':
      return new UdpChannel(url.host, url.port, clock);
    case 'tcp':
      return new TcpChannel(url.host, url.port, clock);
    case 'unix':
      return new UnixChannel(url.path, clock);
  }
}
