import type { Closeable } from '../../platform/lifecycle.js';
import { type ControlListener, listenControl } from './control-listener.js';
import { Relay } from './relay.js';
import type { RelayOptions, RelayStats } from './relay-options.js';

export interface StartRelayOptions extends RelayOptions {
  /** Control sockets, at least one: `udp:127.0.0.1:7722`, `tcp:…`, `unix:/path`. Whoever reaches them commands the relay. */
  readonly control: readonly string[];
}

/** A relay that answers on its control sockets. */
export interface RunningRelay extends Closeable {
  /** One for each control socket, in order: `rtpproxy+udp://127.0.0.1:7722`. */
  readonly controlUrls: readonly string[];
  stats(): RelayStats;
}

/**
 * Starts an RTPProxy stand-in in this thread. The caller closes it.
 * Rejects when a control socket cannot be had; then nothing is left open.
 */
export async function startRelay(options: StartRelayOptions): Promise<RunningRelay> {
  const relay = new Relay(options);
  const listeners: ControlListener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await relay.close();
  };
  try {
    for (const where of options.control) {
      const listener = await listenControl(
        where,
        (line) => relay.run(line),
        () => options.clock.monotonic(),
      );
      listeners.push(listener);
      const udpPort = /^rtpproxy\+udp:.*:(\d+)$/.exec(listener.url)?.[1];
      if (udpPort !== undefined) relay.forbid(Number(udpPort));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const controlUrls = listeners.map((listener) => listener.url);
  options.log.info({ control: controlUrls.join(' '), ports: options.ports }, 'media relay listens');
  return { controlUrls, stats: () => relay.stats(), close };
}
