import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decodeG711, encodeG711, type G711Law, PAYLOAD_TYPE } from '../../src/audio/g711.js';
import { shareOf, toneOf, toneSamples } from '../../src/testkit/tone.js';

/** A packet of G.711 as it came. */
export interface HeardPacket {
  readonly atMs: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** A media endpoint without signalling, µ-law: says tones and keeps what it hears. */
export class AudioPhone {
  readonly heard: HeardPacket[] = [];
  private sequence = 0;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('message', (packet) => {
      this.heard.push({
        atMs: performance.now(),
        payloadType: packet[1]! & 0x7f,
        marker: packet[1]! >= 0x80,
        sequence: packet.readUInt16BE(2),
        timestamp: packet.readUInt32BE(4),
        ssrc: packet.readUInt32BE(8),
        payload: packet.subarray(12),
      });
    });
  }

  static async open(address = '127.0.0.1'): Promise<AudioPhone> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(0, address);
    await once(socket, 'listening');
    return new AudioPhone(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** What an endpoint is told to send here. */
  get remote(): { address: string; port: number; law: 'PCMU'; eventType: number; isSending: boolean } {
    return { address: '127.0.0.1', port: this.port, law: 'PCMU', eventType: 101, isSending: true };
  }

  /** Says a tone until `close` or the next one. */
  say(hz: number, port: number, law: G711Law = 'PCMU'): void {
    clearInterval(this.timer);
    let due = performance.now();
    this.timer = setInterval(() => {
      for (; due <= performance.now(); due += 20) {
        const mu = toneSamples(hz, this.sequence * 160, 160);
        const payload = law === 'PCMU' ? mu : transcode(mu, 'PCMU', law);
        this.send(port, PAYLOAD_TYPE[law], payload, this.sequence * 160);
      }
    }, 20);
  }

  /** Says nothing any more. */
  hush(): void {
    clearInterval(this.timer);
  }

  /** Forgets what it heard. */
  forget(): void {
    this.heard.length = 0;
  }

  /** Which of these tones are among the last `packets` packets, each with a tenth of the energy at least. */
  chord(candidates: readonly number[], packets = 20): number[] {
    const samples = this.heard.slice(-packets).flatMap(({ payload, payloadType }) => {
      const law = payloadType === PAYLOAD_TYPE.PCMA ? 'PCMA' : 'PCMU';
      const into = new Int16Array(payload.length);
      decodeG711(law, payload, into);
      return [...into];
    });
    return candidates.filter((hz) => shareOf(samples, hz) > 0.1);
  }

  /** Sends one packet. */
  send(port: number, payloadType: number, payload: Buffer, timestamp: number): void {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = payloadType;
    header.writeUInt16BE(this.sequence++ & 0xffff, 2);
    header.writeUInt32BE(timestamp >>> 0, 4);
    header.writeUInt32BE(99, 8);
    this.socket.send(Buffer.concat([header, payload]), port, '127.0.0.1');
  }

  /** Which of these tones the last `packets` packets are. */
  tone(candidates: readonly number[], packets = 20): number {
    return toneOf(Buffer.concat(this.heard.slice(-packets).map(({ payload }) => payload)), candidates);
  }

  close(): void {
    clearInterval(this.timer);
    this.socket.close();
  }
}

function transcode(bytes: Buffer, from: G711Law, to: G711Law): Buffer {
  const samples = new Int16Array(bytes.length);
  const coded = Buffer.alloc(bytes.length);
  decodeG711(from, bytes, samples);
  encodeG711(to, samples, coded);
  return coded;
}
