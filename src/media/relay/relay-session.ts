import { type LegContext, MediaLeg } from './media-leg.js';
import type { PortPair, PortPool } from './port-pool.js';
import type { TellOptions } from './source-latch.js';
import type { RemoteAddress } from './update-options.js';

/** 1 faces the party named by the session's from-tag, 0 the other one; as RTPProxy numbers its streams. */
export type SideIndex = 0 | 1;

/** One party's side: its ports and the two legs on them. */
export interface RelaySide {
  readonly rtp: MediaLeg;
  readonly rtcp: MediaLeg;
  ports: PortPair | undefined;
  /** Deletes of weak users still to come (`w`). */
  weak: boolean;
}

/** One stream between two parties, known by Call-ID and from-tag. */
export class RelaySession {
  readonly sides: readonly [RelaySide, RelaySide];
  strong = true;
  /** Both sides have ports. */
  complete = false;
  /** By the relay's coarse clock: when U or L last touched the session. */
  touchedAtMs: number;
  private closed = false;

  constructor(
    readonly callId: string,
    readonly fromTag: string,
    private readonly pool: PortPool,
    private readonly context: LegContext,
  ) {
    this.touchedAtMs = context.nowMs;
    this.sides = [this.makeSide(), this.makeSide()];
    const [other, from] = this.sides;
    other.rtp.link(from.rtp, other.rtcp);
    from.rtp.link(other.rtp, from.rtcp);
    other.rtcp.link(from.rtcp);
    from.rtcp.link(other.rtcp);
  }

  private makeSide(): RelaySide {
    return {
      rtp: new MediaLeg(this.context),
      rtcp: new MediaLeg(this.context),
      ports: undefined,
      weak: false,
    };
  }

  /**
   * Gives a side its ports, or other ones where it has some; `wanted` and no other when given. Returns the RTP port, or
   * undefined when there is none.
   */
  async openPorts(index: SideIndex, bindAddress: string, wanted?: number): Promise<number | undefined> {
    const pair = await (wanted === undefined
      ? this.pool.acquire(bindAddress)
      : this.pool.acquireOne(wanted, bindAddress));
    if (!pair) return undefined;
    if (this.closed) {
      this.pool.release(pair);
      return undefined;
    }
    this.closePorts(index);
    const side = this.sides[index];
    side.ports = pair;
    side.rtp.attach(pair.rtp);
    side.rtcp.attach(pair.rtcp);
    return pair.port;
  }

  /** Takes what a party's description says; RTCP is expected one port up. RFC 3550 §11. */
  tell(index: SideIndex, remote: RemoteAddress | null, options: TellOptions): void {
    const side = this.sides[index];
    side.rtp.latch.tell(remote, options);
    const rtcp = remote && {
      address: remote.address,
      port: remote.port && Math.min(remote.port + 1, 65_535),
    };
    side.rtcp.latch.tell(rtcp, options);
  }

  /** An answer came: what both descriptions say holds. */
  confirm(): void {
    for (const side of this.sides) {
      side.rtp.latch.confirm();
      side.rtcp.latch.confirm();
    }
  }

  /** When a packet last came or a command last touched the session. */
  lastActiveAtMs(): number {
    return Math.max(
      this.touchedAtMs,
      ...this.sides.map((side) => Math.max(side.rtp.lastPacketAtMs, side.rtcp.lastPacketAtMs)),
    );
  }

  /** Frees all ports. Idempotent. */
  close(): void {
    this.closed = true;
    this.closePorts(0);
    this.closePorts(1);
  }

  private closePorts(index: SideIndex): void {
    const side = this.sides[index];
    if (!side.ports) return;
    side.rtp.detach();
    side.rtcp.detach();
    this.pool.release(side.ports);
    side.ports = undefined;
  }
}
