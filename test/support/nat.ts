import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { toneOf } from '../../src/testkit/tone.js';
import { waitFor } from './wait-for.js';

const RTP_HEADER_BYTES = 12;
/** µ-law bytes listened to in one go: 0.6 s. */
const LISTEN_BYTES = 4800;

interface Address {
  readonly address: string;
  readonly port: number;
}

/** One port on the phones' side behind which a server's port stands; each phone comes to it from a port of its own. */
class PortMapping {
  readonly outside = new Map<number, Socket>();
  packetsIn = 0;
  /** Payload of the last RTP packets in. */
  payload = Buffer.alloc(0);

  private constructor(
    private readonly inside: Socket,
    private readonly target: Address,
    private readonly change: (bytes: Buffer) => Promise<Buffer>,
  ) {
    inside.on('message', (bytes, phone) => this.outsideFor(phone).send(bytes, target.port, target.address));
    inside.on('error', () => undefined);
  }

  static async open(
    target: Address,
    change: (bytes: Buffer) => Promise<Buffer> = (bytes) => Promise.resolve(bytes),
  ): Promise<PortMapping> {
    const inside = createSocket('udp4');
    inside.bind(0, '127.0.0.1');
    await once(inside, 'listening');
    return new PortMapping(inside, target, change);
  }

  get port(): number {
    return this.inside.address().port;
  }

  async close(): Promise<void> {
    const sockets = [this.inside, ...this.outside.values()];
    const closed = sockets.map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.close();
    await Promise.all(closed);
  }

  private outsideFor(phone: Address): Socket {
    const known = this.outside.get(phone.port);
    if (known) return known;
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    socket.on('message', (bytes, from) => {
      // A hole lets through what comes from where the phone sent to.
      if (from.port !== this.target.port) return;
      this.packetsIn++;
      this.payload = Buffer.concat([this.payload, bytes.subarray(RTP_HEADER_BYTES)]).subarray(-LISTEN_BYTES);
      void this.change(bytes).then((changed) => this.inside.send(changed, phone.port, phone.address));
    });
    this.outside.set(phone.port, socket);
    return socket;
  }
}

/**
 * Stands between phones and a server on 127.0.0.1 as a router does that translates ports: SIP and RTP of a phone reach the
 * server from ports that no Contact and no SDP of it names, and come back only through them. On one machine there is no
 * route to lead a phone's RTP and requests in a dialog through here,
 * so the ports in the SDP and Contact it is sent are changed to ours. RTP is PCMU.
 */
export class Nat {
  private sip!: PortMapping;
  private readonly media = new Map<number, PortMapping>();

  private constructor(private readonly server: Address) {}

  static async start(server: Address): Promise<Nat> {
    const nat = new Nat(server);
    nat.sip = await PortMapping.open(server, (bytes) => nat.mapAddresses(bytes));
    return nat;
  }

  /** Phones behind it send SIP here in place of the server. */
  get sipPort(): number {
    return this.sip.port;
  }

  /** The port that the server sees the SIP of the phone at `phonePort` come from. */
  outsidePortOf(phonePort: number): number | undefined {
    return this.sip.outside.get(phonePort)?.address().port;
  }

  /** RTP packets that came in from the server through the holes. */
  get mediaPacketsIn(): number {
    return [...this.media.values()].reduce((sum, { packetsIn }) => sum + packetsIn, 0);
  }

  /** Which of the tones comes in from the server from now on; rejects when no audio comes. One phone, one call. */
  async hears(candidatesHz: readonly number[]): Promise<number> {
    const before = this.mediaPacketsIn;
    await waitFor('audio to come in', () => this.mediaPacketsIn >= before + 35);
    return toneOf([...this.media.values()].at(-1)?.payload ?? Buffer.alloc(0), candidatesHz);
  }

  /** Resolves when no audio comes in for a while. */
  async silence(): Promise<void> {
    await waitFor('silence', async () => {
      const before = this.mediaPacketsIn;
      await delay(300);
      return this.mediaPacketsIn === before;
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.sip, ...this.media.values()].map((mapping) => mapping.close()));
  }

  /** Makes the server's Contact and audio port our own in a message to a phone: its packets must come through here. */
  private async mapAddresses(bytes: Buffer): Promise<Buffer> {
    const { address, port } = this.server;
    const text = bytes
      .toString('latin1')
      .replace(/^Contact: .*$/im, (line) =>
        line.replaceAll(`${address}:${port}`, `${address}:${this.sipPort}`),
      );
    const offered = Number(/\r\nm=audio (\d+) /.exec(text)?.[1] ?? 0);
    if (offered === 0) return Buffer.from(text, 'latin1');
    let mapping = this.media.get(offered);
    if (!mapping) {
      mapping = await PortMapping.open({ address, port: offered });
      this.media.set(offered, mapping);
    }
    if (String(mapping.port).length !== String(offered).length)
      throw new Error('Content-Length would be wrong');
    return Buffer.from(text.replace(`m=audio ${offered} `, `m=audio ${mapping.port} `), 'latin1');
  }
}
