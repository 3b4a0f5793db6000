import type { RemoteInfo, Socket } from 'node:dgram';
import type { OwnPorts, RingLeg } from './own-ports.js';
import { SourceLatch } from './source-latch.js';

/** Figures of all legs of a relay together; legs add to them, the control side reads them. */
export interface RelayCounters {
  packetsReceived: number;
  packetsRelayed: number;
  packetsDropped: number;
  /** The kernel refused to send: host unreachable, message too long, buffers full. */
  sendErrors: number;
}

/** What legs share with their relay. */
export interface LegContext {
  readonly counters: RelayCounters;
  /** Milliseconds, refreshed now and then: the packet path asks no clock. */
  nowMs: number;
  readonly trustAnySource: boolean;
  readonly ownPorts: OwnPorts;
}

/**
 * One port of the relay, facing one party: packets of that party come in here, and packets for it leave from here (RFC
 * 4961 §3), so that it only ever sees the port that its description named. RTP and RTCP have a leg each.
 */
export class MediaLeg implements RingLeg {
  readonly latch: SourceLatch;
  packetsIn = 0;
  bytesIn = 0;
  /** Packets of this leg's party that were passed on. */
  relayed = 0;
  dropped = 0;
  /** Of the last packet that was taken, by the relay's coarse clock; 0 before the first. */
  lastPacketAtMs = 0;
  /** The leg that faces the other party. */
  peer: MediaLeg | undefined;
  /** The RTCP leg beside an RTP leg, whose sender can be guessed. */
  private companion: MediaLeg | undefined;
  private socket: Socket | undefined;
  private port = 0;
  private readonly onSent: (error: Error | null) => void;

  constructor(private readonly context: LegContext) {
    this.latch = new SourceLatch(context.trustAnySource, (address, port) =>
      context.ownPorts.mayAim(this, address, port),
    );
    this.onSent = (error) => {
      if (error) context.counters.sendErrors++;
    };
  }

  link(peer: MediaLeg, companion?: MediaLeg): void {
    this.peer = peer;
    this.companion = companion;
  }

  /** Starts to use a bound socket; the owner of the port pair closes it. */
  attach(socket: Socket): void {
    this.socket = socket;
    this.port = socket.address().port;
    this.context.ownPorts.add(this.port, this);
    // Somebody may have named this port before it was ours.
    this.peer?.latch.recheck();
    socket.on('message', (packet, from) => this.receive(packet, from));
  }

  /** Stops sending; to be called before the socket is closed. */
  detach(): void {
    this.socket = undefined;
    this.context.ownPorts.remove(this.port, this);
  }

  /** The packet path. It must not allocate, log, or ask the time. */
  private receive(packet: Buffer, from: RemoteInfo): void {
    const { latch, context, peer } = this;
    context.counters.packetsReceived++;
    const isKnown = latch.settled && from.port === latch.port && from.address === latch.address;
    if (packet.length === 0 || !(isKnown || this.admit(packet, from))) {
      this.drop();
      return;
    }
    this.packetsIn++;
    this.bytesIn += packet.length;
    this.lastPacketAtMs = context.nowMs;
    if (peer?.send(packet)) {
      this.relayed++;
      context.counters.packetsRelayed++;
    } else this.drop();
  }

  private drop(): void {
    this.dropped++;
    this.context.counters.packetsDropped++;
  }

  private admit(packet: Buffer, from: RemoteInfo): boolean {
    if (!this.latch.admit(from.address, from.port, packet[0]!, this.context.nowMs)) return false;
    this.companion?.latch.guess(from.address, from.port + 1);
    return true;
  }

  /** Sends to this leg's party; false when it is not known where that is. */
  private send(packet: Buffer): boolean {
    const { socket, latch } = this;
    if (!socket || latch.port === 0) return false;
    socket.send(packet, 0, packet.length, latch.port, latch.address, this.onSent);
    return true;
  }
}
