import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';

/** Kernel buffer asked for each media socket, bytes. */
const RECEIVE_BUFFER_BYTES = 262_144;
/** Ports tried before an allocation gives up: others on the machine may hold some. */
const MAX_TRIES = 200;

/** Two sockets on neighbouring ports: RTP on the even one, RTCP on the odd one. RFC 3550 §11. */
export interface PortPair {
  readonly port: number;
  readonly rtp: Socket;
  readonly rtcp: Socket;
}

/**
 * The relay's ports, handed out in pairs. The order is random at start, and a freed pair goes to the end, so a port
 * rests as long as possible before another call gets it and late packets of the old call find nobody.
 */
export class PortPool {
  private readonly free: number[] = [];
  private readonly used = new Set<number>();

  /** `min` and `max` are inclusive; an odd `min` is rounded up. Throws RangeError when no pair fits. */
  constructor(min: number, max: number) {
    for (let port = min + (min & 1); port + 1 <= max; port += 2) this.free.push(port);
    if (this.free.length === 0) throw new RangeError(`no pair of ports between ${min} and ${max}`);
    for (let i = this.free.length - 1; i > 0; i--) {
      const j = randomInt(i + 1);
      [this.free[i], this.free[j]] = [this.free[j]!, this.free[i]!];
    }
  }

  /** Pairs not in use. */
  get available(): number {
    return this.free.length;
  }

  /** Binds the next pair on `address`; undefined when none can be had. The caller gives it back with `release`. */
  async acquire(address: string): Promise<PortPair | undefined> {
    for (let tries = Math.min(this.free.length, MAX_TRIES); tries > 0; tries--) {
      const port = this.free.shift();
      if (port === undefined) return undefined;
      this.used.add(port);
      const pair = await bindPair(port, address);
      if (pair) return pair;
      this.recycle(port);
    }
    return undefined;
  }

  /** Binds this very pair; undefined when it cannot be had, or is none of this pool. */
  async acquireOne(port: number, address: string): Promise<PortPair | undefined> {
    const at = this.free.indexOf(port);
    if (at < 0) return undefined;
    this.free.splice(at, 1);
    this.used.add(port);
    const pair = await bindPair(port, address);
    if (!pair) this.recycle(port);
    return pair;
  }

  /** Closes the sockets of a pair and puts its ports at the end of the queue. Idempotent. */
  release(pair: PortPair): void {
    if (!this.used.has(pair.port)) return;
    pair.rtp.removeAllListeners('message').close();
    pair.rtcp.removeAllListeners('message').close();
    this.recycle(pair.port);
  }

  private recycle(port: number): void {
    this.used.delete(port);
    this.free.push(port);
  }
}

async function bindPair(port: number, address: string): Promise<PortPair | undefined> {
  const rtp = await bindUdp(port, address);
  if (!rtp) return undefined;
  const rtcp = await bindUdp(port + 1, address);
  if (rtcp) return { port, rtp, rtcp };
  rtp.close();
  return undefined;
}

/** A bound socket, or undefined when the port cannot be had. Errors after that (unreachable peers) are not news. */
function bindUdp(port: number, address: string): Promise<Socket | undefined> {
  const family = address.includes(':') ? 6 : 4;
  // Media addresses are literal, and going through the resolver would cost a tick and a closure for each packet.
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners('error').on('error', () => {});
      resolve(socket);
    });
  });
}
