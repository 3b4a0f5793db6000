import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Closeable } from '../platform/lifecycle.js';
import { toneOf, toneSamples } from './tone.js';

const PTIME_MS = 20;
const SAMPLES_PER_PACKET = 160;
const RTP_HEADER_BYTES = 12;
/** µ-law bytes of received audio kept for looking at, two seconds. */
const HEARD_BYTES = 16_000;

export interface RtpCounters {
  readonly sent: number;
  readonly received: number;
  /** Holes in the received sequence numbers. */
  readonly lost: number;
  /** Frequency of the strongest of the tones asked about, Hz; 0 for silence. */
  readonly heardHz: number;
}

/** Sends a tone as PCMU over RTP (RFC 3550, RFC 3551 §4.5.14) and counts what comes back. */
export class RtpStream implements Closeable {
  private readonly ssrc = Math.floor(Math.random() * 2 ** 32);
  private seq = Math.floor(Math.random() * 2 ** 16);
  private timestamp = Math.floor(Math.random() * 2 ** 32);
  private timer: NodeJS.Timeout | undefined;
  /** Goes on over pauses, so that the tone has no seam. */
  private sample = 0;
  private sent = 0;
  private received = 0;
  private lost = 0;
  private expectedSeq: number | undefined;
  private heard = Buffer.alloc(0);
  private closed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly toneHz: number,
  ) {
    socket.on('message', (packet) => this.receive(packet));
    socket.on('error', () => undefined);
  }

  static async open(address: string, toneHz: number): Promise<RtpStream> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new RtpStream(socket, toneHz);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Starts sending, or goes on to another address. */
  sendTo(address: string, port: number): void {
    clearInterval(this.timer);
    let due = performance.now();
    this.timer = setInterval(() => {
      // Timers drift; every packet that is due goes out.
      for (const now = performance.now(); due <= now; due += PTIME_MS, this.sample += SAMPLES_PER_PACKET) {
        this.socket.send(
          this.packet(toneSamples(this.toneHz, this.sample, SAMPLES_PER_PACKET)),
          port,
          address,
        );
        this.sent++;
      }
    }, PTIME_MS);
  }

  /** Stops sending; what comes in is still counted. */
  pause(): void {
    clearInterval(this.timer);
  }

  /** Counts so far; `candidatesHz` are the tones to listen for. */
  counters(candidatesHz: readonly number[] = []): RtpCounters {
    return {
      sent: this.sent,
      received: this.received,
      lost: this.lost,
      heardHz: toneOf(this.heard, candidatesHz),
    };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    this.socket.close();
    await once(this.socket, 'close');
  }

  private packet(payload: Buffer): Buffer {
    const packet = Buffer.alloc(RTP_HEADER_BYTES + payload.length);
    packet[0] = 0x80; // Version 2, no padding, extension or sources (RFC 3550 §5.1).
    packet[1] = 0; // PCMU.
    packet.writeUInt16BE(this.seq, 2);
    packet.writeUInt32BE(this.timestamp, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    payload.copy(packet, RTP_HEADER_BYTES);
    this.seq = (this.seq + 1) & 0xffff;
    this.timestamp = (this.timestamp + SAMPLES_PER_PACKET) >>> 0;
    return packet;
  }

  private receive(packet: Buffer): void {
    if (packet.length < RTP_HEADER_BYTES || packet[0]! >> 6 !== 2) return;
    const seq = packet.readUInt16BE(2);
    this.received++;
    if (this.expectedSeq !== undefined) {
      const gap = (seq - this.expectedSeq) & 0xffff;
      if (gap < 1000) this.lost += gap;
    }
    this.expectedSeq = (seq + 1) & 0xffff;
    this.heard = Buffer.concat([this.heard, packet.subarray(RTP_HEADER_BYTES)]).subarray(-HEARD_BYTES);
  }
}
