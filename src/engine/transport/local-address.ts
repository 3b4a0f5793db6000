import type { Clock } from '../../platform/clock.js';
import { closeUdp, createUdpSocket } from './udp-socket.js';

/** Peers whose answer is remembered, and for how long. */
const MAX_REMEMBERED = 4_096;
const REMEMBER_MS = 60_000;
/** Any port will do: nothing is sent. */
const DISCARD_PORT = 9;

interface Entry {
  readonly address: string;
  readonly untilMs: number;
}

/**
 * Which of our addresses faces a peer, for listeners bound to all of them. The kernel's routing table is asked by
 * connecting an unbound datagram socket, which sends nothing.
 */
export class LocalAddressFinder {
  private readonly known = new Map<string, Entry>();

  constructor(private readonly clock: Clock) {}

  /** Our address on the route to `peer` (an IP literal); a loopback address when there is no route. */
  find(peer: string): string {
    const nowMs = this.clock.monotonic();
    const entry = this.known.get(peer);
    if (entry && entry.untilMs > nowMs) return entry.address;
    const address = askKernel(peer);
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    this.known.set(peer, { address, untilMs: nowMs + REMEMBER_MS });
    return address;
  }
}

function askKernel(peer: string): string {
  const family = peer.includes(':') ? 6 : 4;
  const socket = createUdpSocket(family, false);
  socket.on('error', () => {});
  try {
    socket.bind(0);
    socket.connect(DISCARD_PORT, peer);
    return socket.address().address;
  } catch {
    return family === 6 ? '::1' : '127.0.0.1';
  } finally {
    void closeUdp(socket);
  }
}
