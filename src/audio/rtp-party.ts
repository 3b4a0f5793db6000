import { randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import type { PortPair } from '../media/relay/port-pool.js';
import { SourceLatch } from '../media/relay/source-latch.js';
import { DigitReader } from './digits.js';
import { FRAME_SAMPLES } from './frame.js';
import { decodeG711, encodeG711, type G711Law, PAYLOAD_TYPE } from './g711.js';
import { JitterBuffer } from './jitter-buffer.js';
import { addInto, type MixParty } from './mix.js';
import type { Player } from './player.js';
import { RTP_HEADER_BYTES, type RtpPacket, readRtp, writeRtpHeader } from './rtp.js';
import type { AudioRemote, EndpointStats } from './types.js';

/** Packets that may wait in the kernel's queue before their memory is used again. */
const PACKET_RING = 8;
/** Longest payload that is taken, bytes: 200 ms. */
const MAX_PAYLOAD_BYTES = 10 * FRAME_SAMPLES;

/** What goes on in the thread for one endpoint: its socket, its source latch, its sound, and its place in a mix. */
export class RtpParty implements MixParty {
  muted = false;
  private readonly latch = new SourceLatch(false);
  private readonly jitter = new JitterBuffer();
  private readonly digits = new DigitReader();
  private readonly packets = Array.from({ length: PACKET_RING }, () =>
    Buffer.alloc(RTP_HEADER_BYTES + FRAME_SAMPLES),
  );
  private readonly outgoing = new Int16Array(FRAME_SAMPLES);
  private readonly ssrc: number;
  private sequence: number;
  private timestamp: number;
  private remote: AudioRemote | undefined;
  private player: Player | undefined;
  private isMixed = false;
  /** The last frame was not sent, so the next one begins a talk spurt (RFC 3551 §4.1). */
  private wasSilent = true;
  private sent = 0;
  private received = 0;
  private dropped = 0;

  constructor(
    readonly ports: PortPair,
    private readonly nowMs: () => number,
    private readonly onDigit: (digit: string) => void,
  ) {
    // RFC 3550 §5.1: all three begin at random.
    const random = randomBytes(10);
    this.ssrc = random.readUInt32BE(0);
    this.timestamp = random.readUInt32BE(4);
    this.sequence = random.readUInt16BE(8);
    ports.rtp.on('message', (packet, from) => this.receive(packet, from));
  }

  connect(remote: AudioRemote): void {
    this.remote = remote;
    const { address, port } = remote;
    this.latch.tell({ address, port }, { asymmetric: false, nowMs: this.nowMs() });
    this.latch.confirm();
  }

  /** Plays from now on; a former sound ends. */
  play(player: Player): void {
    this.player?.end('stopped');
    this.player = player;
  }

  /** What it says into its mix is kept from now on, or no more. */
  setMixed(isMixed: boolean): void {
    this.isMixed = isMixed;
  }

  /** The next 20 ms of a party that is in no mix. */
  run(): void {
    const frame = this.player?.read();
    if (frame) this.send(frame);
    else this.pause();
  }

  hear(): Int16Array | undefined {
    return this.jitter.read();
  }

  tell(frame: Int16Array): void {
    const own = this.player?.read();
    this.outgoing.set(frame);
    if (own) addInto(this.outgoing, own);
    this.send(this.outgoing);
  }

  stats(): EndpointStats {
    const { sent, received, dropped } = this;
    return { sent, received, dropped, late: this.jitter.late };
  }

  close(): void {
    this.player?.end('closed');
    this.player = undefined;
    this.remote = undefined;
  }

  /** Time goes on without a packet. */
  private pause(): void {
    this.timestamp = (this.timestamp + FRAME_SAMPLES) >>> 0;
    this.wasSilent = true;
  }

  private send(frame: Int16Array): void {
    const { remote, latch } = this;
    if (!remote?.isSending || latch.port === 0) {
      this.pause();
      return;
    }
    const packet = this.packets[this.sent % PACKET_RING]!;
    const { sequence, timestamp, ssrc, wasSilent: marker } = this;
    writeRtpHeader(packet, { payloadType: PAYLOAD_TYPE[remote.law], marker, sequence, timestamp, ssrc });
    encodeG711(remote.law, frame, packet, RTP_HEADER_BYTES);
    this.ports.rtp.send(packet, latch.port, latch.address, ignoreError);
    this.sent++;
    this.sequence = (sequence + 1) & 0xffff;
    this.pause();
    this.wasSilent = false;
  }

  private receive(bytes: Buffer, from: RemoteInfo): void {
    const { latch, remote } = this;
    const isKnown = latch.settled && from.port === latch.port && from.address === latch.address;
    const isOurs = isKnown || (remote && latch.admit(from.address, from.port, bytes[0] ?? 0, this.nowMs()));
    const packet = isOurs ? readRtp(bytes) : undefined;
    if (packet && this.take(packet)) this.received++;
    else this.dropped++;
  }

  private take(packet: RtpPacket): boolean {
    const { payloadType, ssrc, timestamp, payload } = packet;
    if (payloadType === this.remote?.eventType) {
      const digit = this.digits.read(packet);
      if (digit !== undefined) this.onDigit(digit);
      return true;
    }
    const law = lawOf(payloadType);
    if (!law || payload.length > MAX_PAYLOAD_BYTES) return false;
    if (!this.isMixed) return true;
    const samples = new Int16Array(payload.length);
    decodeG711(law, payload, samples);
    this.jitter.write(ssrc, timestamp, samples);
    return true;
  }
}

function lawOf(payloadType: number): G711Law | undefined {
  if (payloadType === PAYLOAD_TYPE.PCMU) return 'PCMU';
  return payloadType === PAYLOAD_TYPE.PCMA ? 'PCMA' : undefined;
}

/** A party that cannot be reached is not news: its call ends by its signalling. */
function ignoreError(): void {}
