import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** How long a packet that must come may take, milliseconds. */
const ARRIVAL_MS = 2_000;

/** A packet as it came in, and from where. */
export interface Arrival {
  readonly packet: Buffer;
  readonly from: RemoteInfo;
}

/** A bare media endpoint: sends and receives datagrams on one port. */
export class RtpPhone {
  readonly arrivals: Arrival[] = [];
  private sequence = 0;
  private wake: (() => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly ssrc: number,
  ) {
    socket.on('message', (packet, from) => {
      this.arrivals.push({ packet, from });
      this.wake?.();
    });
  }

  static async open(ssrc: number, address = '127.0.0.1', port = 0): Promise<RtpPhone> {
    const socket = createSocket('udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new RtpPhone(socket, ssrc);
  }

  /** Two phones on neighbouring ports, the first even: RTP and RTCP. */
  static async openPair(ssrc: number, address = '127.0.0.1'): Promise<{ rtp: RtpPhone; rtcp: RtpPhone }> {
    for (let tries = 0; tries < 50; tries++) {
      const rtp = await RtpPhone.open(ssrc, address);
      if (rtp.port % 2 === 0) {
        try {
          return { rtp, rtcp: await RtpPhone.open(ssrc, address, rtp.port + 1) };
        } catch {
          // Somebody has the odd port; try another pair.
        }
      }
      rtp.close();
    }
    throw new Error('no pair of ports to be had');
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Sends a G.711 packet, 20 ms; returns it. */
  sendRtp(port: number, address = '127.0.0.1'): Buffer {
    const packet = Buffer.alloc(172);
    packet[0] = 0x80;
    packet.writeUInt16BE(this.sequence & 0xffff, 2);
    packet.writeUInt32BE(this.sequence++ * 160, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    this.socket.send(packet, port, address);
    return packet;
  }

  send(packet: Buffer, port: number, address = '127.0.0.1'): void {
    this.socket.send(packet, port, address);
  }

  /** Waits until `count` packets have come since `clear`, and returns the last of them. */
  async receive(count = 1): Promise<Arrival> {
    const until = Date.now() + ARRIVAL_MS;
    while (this.arrivals.length < count) {
      const leftMs = until - Date.now();
      if (leftMs <= 0) throw new Error(`${this.arrivals.length} of ${count} packets came`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.arrivals[count - 1]!;
  }

  clear(): void {
    this.arrivals.length = 0;
  }

  /** Packets that carry this SSRC, among those that came. */
  countFrom(ssrc: number): number {
    return this.arrivals.filter(({ packet }) => packet.length >= 12 && packet.readUInt32BE(8) === ssrc)
      .length;
  }

  close(): void {
    this.socket.close();
  }
}
