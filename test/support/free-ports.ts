import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A process has a region of ports of 127.0.0.1 to itself until it ends. They lie below 20000: from there on relays of
 * whole servers, and from 32768 on the system, take any that is free.
 */
const FIRST_PORT = 10_000;
const REGION_PORTS = 800;
const REGIONS = 12;
/** How long a process waits for a region when all are taken. */
const WAIT_MS = 120_000;
const RETRY_MS = 200;

/** Ports of a region in turn, so that one rests as long as possible before it is given out again. */
class PortRegion {
  private next: number;

  /** `first` is even; `end` is the one after the last. */
  constructor(
    private readonly first: number,
    private readonly end: number,
  ) {
    this.next = first;
  }

  /** The first of the next `count` ports. */
  take(count: number): number {
    if (this.next + count > this.end) this.next = this.first;
    const min = this.next;
    this.next = even(min + count);
    return min;
  }

  /** One of the `count` last taken is in use: the next begin behind it, unless more were taken since. */
  skip(used: number, min: number, count: number): void {
    if (this.next === even(min + count)) this.next = even(used + 1);
  }
}

const even = (port: number): number => port + (port % 2);

let own: Promise<PortRegion> | undefined;

/**
 * Finds `count` neighbouring UDP ports of 127.0.0.1 that nobody has, the first one even. No other test process is given
 * them; this one is when it came once round its region.
 */
export async function freePorts(count: number): Promise<{ min: number; max: number }> {
  own ??= claimRegion();
  const region = await own;
  for (let tries = 0; tries < REGION_PORTS / 2 && count < REGION_PORTS; tries++) {
    const min = region.take(count);
    const used = await firstUsed(min, count);
    if (used === undefined) return { min, max: min + count - 1 };
    region.skip(used, min, count);
  }
  throw new Error(`no ${count} neighbouring ports are free`);
}

/** A region of which no process holds the last port for TCP; this one does from then on. */
async function claimRegion(): Promise<PortRegion> {
  const deadline = Date.now() + WAIT_MS;
  for (let tries = process.pid; Date.now() < deadline; tries++) {
    const first = FIRST_PORT + (tries % REGIONS) * REGION_PORTS;
    const end = first + REGION_PORTS - 1;
    if (await holds(end)) return new PortRegion(first, end);
    if ((tries - process.pid) % REGIONS === REGIONS - 1) await delay(RETRY_MS);
  }
  throw new Error(`other test processes have all ports from ${FIRST_PORT} on`);
}

/** Listens on a TCP port until the process ends; false when another does. */
async function holds(port: number): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, '127.0.0.1').unref();
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  }
}

/** The first of these ports that cannot be bound. */
async function firstUsed(min: number, count: number): Promise<number | undefined> {
  const sockets: Socket[] = [];
  const used = await bindAll(sockets, min, count);
  for (const socket of sockets) socket.close();
  await Promise.all(sockets.map((socket) => once(socket, 'close')));
  return used;
}

async function bindAll(sockets: Socket[], min: number, count: number): Promise<number | undefined> {
  for (let port = min; port < min + count; port++) {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.bind(port, '127.0.0.1');
    try {
      await once(socket, 'listening');
    } catch {
      return port;
    }
  }
  return undefined;
}
