import { isIPv4 } from 'node:net';

/** A port of the relay as a ring is followed through it. */
export interface RingLeg {
  /** The leg that sends on what this one receives. */
  readonly peer: RingLeg | undefined;
  /** Where this leg sends; port 0 means nowhere. */
  readonly latch: { readonly address: string; readonly port: number };
}

/** Legs followed before a chain through the relay counts as a ring: no call passes here as often. */
const MAX_CHAIN = 32;

/**
 * The relay's own ports, and which targets would do it harm. Descriptions are written by strangers: two of them could
 * name the relay's ports for each other, so that one packet went round for ever, or the control socket, so that media
 * became commands. A call that passes this relay twice (RFC 5853 §3.1.1) is no ring and goes on.
 */
export class OwnPorts {
  /** Targets refused since start. */
  refused = 0;
  private readonly legs = new Map<number, RingLeg>();
  private readonly closedPorts = new Set<number>();
  private readonly addresses: ReadonlySet<string>;

  /** `addresses` are those that this machine is reached at, beside loopback. */
  constructor(addresses: Iterable<string>) {
    this.addresses = new Set([...addresses].map(canonical));
  }

  add(port: number, leg: RingLeg): void {
    this.legs.set(port, leg);
  }

  remove(port: number, leg: RingLeg): void {
    if (this.legs.get(port) === leg) this.legs.delete(port);
  }

  /** Nothing may ever be sent to this port of this machine. */
  forbid(port: number): void {
    this.closedPorts.add(port);
  }

  /** Whether `leg` may send there. */
  mayAim(leg: RingLeg, address: string, port: number): boolean {
    const isHarmful = this.isOwn(address) && (this.closedPorts.has(port) || this.isRing(leg, port));
    if (isHarmful) this.refused++;
    return !isHarmful;
  }

  private isRing(leg: RingLeg, port: number): boolean {
    let next = port;
    for (let count = 0; count < MAX_CHAIN; count++) {
      const sender = this.legs.get(next)?.peer;
      if (sender === leg) return true;
      if (!sender || sender.latch.port === 0 || !this.isOwn(sender.latch.address)) return false;
      next = sender.latch.port;
    }
    return true;
  }

  private isOwn(address: string): boolean {
    const plain = canonical(address);
    return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.')) || this.addresses.has(plain);
  }
}

/** IPv4 as such also where IPv6 writes it; a zone and the case of digits do not matter. */
function canonical(address: string): string {
  const lower = address.toLowerCase().replace(/%.*$/, '');
  return lower.replace(/^::ffff:(?=\d+\.)/, '');
}
