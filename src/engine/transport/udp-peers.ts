import type { Socket } from 'node:dgram';
import { setImmediate } from 'node:timers/promises';
import type { TimerHandle } from '../../platform/clock.js';
import { TransportError } from './errors.js';
import { RecentSenders } from './recent-senders.js';
import type { BoundListener, ListenerContext, SendFailureListener } from './types.js';
import type { UdpOutbox } from './udp-outbox.js';
import { closeUdp, createUdpSocket, enlargeReceiveBuffer } from './udp-socket.js';

/** Other systems share a bound port between sockets by other rules, or not at all. */
const CAN_SHARE_PORT = process.platform === 'linux';
/** A peer used within this time is not given up for another. Milliseconds. */
const MIN_HOLD_MS = 2_000;
/** What an ICMP error says of the peer (ip(7), udp(7)); other errors are of the one datagram. */
const PEER_ERRORS = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENOPROTOOPT']);

export type DatagramHandler = (bytes: Buffer, address: string, port: number) => void;

interface Peer {
  readonly address: string;
  readonly port: number;
  readonly socket: Socket;
  readonly senders: RecentSenders;
  usedMs: number;
}

/**
 * Sockets bound to the listener's own address and port and connected to one peer each. Linux reports an ICMP port
 * unreachable to connected sockets only, so this is how a request to a dead UDP port fails at once rather than by
 * timer B or F (RFC 3261 §18.4). Datagrams from that peer arrive here, and are handed on as if the listener had them.
 */
export class UdpPeers {
  private readonly peers = new Map<string, Peer>();
  private sweepTimer: TimerHandle | undefined;

  constructor(
    private readonly listener: BoundListener,
    private readonly context: ListenerContext,
    private readonly outbox: UdpOutbox,
    private readonly onDatagram: DatagramHandler,
  ) {}

  /** Sends on the peer's socket; false when there is none to be had, and the caller sends without. */
  send(bytes: Buffer, address: string, port: number, failure: SendFailureListener | undefined): boolean {
    const key = `${address} ${port}`;
    const peer = this.peers.get(key) ?? this.open(key, address, port);
    if (!peer) return false;
    const nowMs = this.context.clock.monotonic();
    peer.usedMs = nowMs;
    if (failure) peer.senders.add(failure, nowMs);
    this.outbox.put(peer.socket, bytes, undefined, (error) => this.onUnsent(peer, error, failure));
    return true;
  }

  async close(): Promise<void> {
    this.context.clock.clearTimeout(this.sweepTimer);
    this.sweepTimer = undefined;
    await Promise.all([...this.peers.keys()].map((key) => this.drop(key)));
  }

  private open(key: string, address: string, port: number): Peer | undefined {
    if (!CAN_SHARE_PORT || !this.makeRoom()) return undefined;
    const socket = createUdpSocket(this.listener.family, true);
    const peer: Peer = { address, port, socket, senders: new RecentSenders(), usedMs: 0 };
    socket.on('error', (error) => this.fail(peer, error));
    socket.on('message', (bytes, from) => this.onDatagram(bytes, from.address, from.port));
    try {
      socket.bind(this.listener.port, this.listener.address);
      socket.connect(port, address);
      socket.remoteAddress();
    } catch (error) {
      this.context.log.debug({ err: error, address, port }, 'no connected UDP socket for this peer');
      void closeUdp(socket);
      return undefined;
    }
    enlargeReceiveBuffer(socket);
    this.peers.set(key, peer);
    this.sweepTimer ??= this.context.clock.setTimeout(() => this.sweep(), this.context.limits.udpPeerIdleMs);
    return peer;
  }

  /** Whether one more peer fits, after giving up the one unused for longest when it must be. */
  private makeRoom(): boolean {
    if (this.peers.size < this.context.limits.maxUdpPeers) return true;
    let oldestKey: string | undefined;
    let oldestMs = this.context.clock.monotonic() - MIN_HOLD_MS;
    for (const [key, peer] of this.peers)
      if (peer.usedMs < oldestMs) [oldestKey, oldestMs] = [key, peer.usedMs];
    if (oldestKey === undefined) return false;
    void this.drop(oldestKey);
    return true;
  }

  private onUnsent(peer: Peer, cause: Error, sender: SendFailureListener | undefined): void {
    if (PEER_ERRORS.has(codeOf(cause))) this.fail(peer, cause);
    else {
      this.context.counters.sendFailures++;
      sender?.onSendFailure(errorOf('SEND_FAILED', peer, cause));
    }
  }

  /** The peer cannot be reached: whoever sent to it lately is told. */
  private fail(peer: Peer, cause: Error): void {
    if (codeOf(cause) === 'ECONNREFUSED') this.context.counters.udpRefusals++;
    else this.context.counters.sendFailures++;
    peer.senders.fail(errorOf('PEER_REFUSED', peer, cause));
  }

  private sweep(): void {
    const { clock, limits } = this.context;
    const oldMs = clock.monotonic() - limits.udpPeerIdleMs;
    for (const [key, peer] of this.peers) if (peer.usedMs <= oldMs) void this.drop(key);
    this.sweepTimer =
      this.peers.size > 0 ? clock.setTimeout(() => this.sweep(), limits.udpPeerIdleMs) : undefined;
  }

  /** Gives a peer up; what the kernel holds for it already is read before its socket is closed. */
  private async drop(key: string): Promise<void> {
    const peer = this.peers.get(key);
    if (!peer) return;
    this.peers.delete(key);
    // Between the two the event loop polls once, whatever phase of it this is.
    await setImmediate();
    await setImmediate();
    await closeUdp(peer.socket);
  }
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

function errorOf(code: 'SEND_FAILED' | 'PEER_REFUSED', peer: Peer, cause: Error): TransportError {
  return new TransportError(code, `udp ${peer.address}:${peer.port}: ${cause.message}`, cause);
}
