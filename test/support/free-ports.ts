import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Finds `count` neighbouring UDP ports of 127.0.0.1 that nobody has, the first one even. */
export async function freePorts(count: number): Promise<{ min: number; max: number }> {
  for (let tries = 0; tries < 200; tries++) {
    const min = 20_000 + 2 * Math.floor(Math.random() * 6_000);
    const sockets: Socket[] = [];
    const isFree = await bindAll(sockets, min, count);
    for (const socket of sockets) socket.close();
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    if (isFree) return { min, max: min + count - 1 };
  }
  throw new Error(`no ${count} neighbouring ports are free`);
}

async function bindAll(sockets: Socket[], min: number, count: number): Promise<boolean> {
  for (let port = min; port < min + count; port++) {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.bind(port, '127.0.0.1');
    try {
      await once(socket, 'listening');
    } catch {
      return false;
    }
  }
  return true;
}
