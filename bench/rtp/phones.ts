// Phones that send and hear G.711, as a process of its own: the relay shall not share a thread with its load.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** From the benchmark: open sockets for so many calls; send to these ports for so long. */
export type ToPhones =
  | { readonly type: 'open'; readonly calls: number }
  | { readonly type: 'talk'; readonly targets: readonly number[]; readonly seconds: number };

/** To the benchmark: the ports of caller and callee of each call in turn; what was heard. */
export type FromPhones =
  | { readonly type: 'ports'; readonly ports: readonly number[] }
  | { readonly type: 'heard'; readonly sent: number; readonly received: number; readonly p99Ms: number };

const PACKET_MS = 20;
/** 20 ms of G.711 behind an RTP header. */
const PACKET_BYTES = 172;
const HEADER_BYTES = 12;
const STARTS_PER_PACKET = 20;
const RECEIVE_BUFFER_BYTES = 1_000_000;
/** Time for the last packets to arrive. */
const TAIL_MS = 500;
/** The delay of every so-manieth packet is looked at. */
const DELAY_SAMPLE = 8;

const sockets: Socket[] = [];
let received = 0;
let sent = 0;
const delaysMs: number[] = [];

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function open(calls: number): Promise<void> {
  for (let i = 0; i < calls * 2; i++) {
    const socket = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) });
    socket.on('message', hear);
    const listening = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await listening;
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    sockets.push(socket);
  }
  tell({ type: 'ports', ports: sockets.map((socket) => socket.address().port) });
}

function hear(packet: Buffer): void {
  received++;
  if (received % DELAY_SAMPLE === 0) delaysMs.push(now() - packet.readDoubleBE(HEADER_BYTES));
}

/** Sends every 20 ms on each socket, spread over the 20 ms in as many groups as there are milliseconds. */
async function talk(targets: readonly number[], seconds: number): Promise<void> {
  [sent, received] = [0, 0];
  delaysMs.length = 0;
  const packets = sockets.map((_, i) => rtpPacket(i));
  const start = now();
  const rounds = (seconds * 1000) / PACKET_MS;
  for (let step = 0; step < rounds * STARTS_PER_PACKET; step++) {
    const dueMs = start + (step * PACKET_MS) / STARTS_PER_PACKET;
    while (now() < dueMs) await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - now())));
    for (let i = step % STARTS_PER_PACKET; i < sockets.length; i += STARTS_PER_PACKET) {
      const packet = packets[i]!;
      advance(packet, Math.floor(step / STARTS_PER_PACKET));
      // The octets are copied: a datagram waits in libuv when the socket's buffer is full.
      sockets[i]!.send(Buffer.from(packet), targets[i]!, '127.0.0.1');
      sent++;
    }
  }
  await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
  delaysMs.sort((a, b) => a - b);
  tell({ type: 'heard', sent, received, p99Ms: delaysMs[Math.floor(delaysMs.length * 0.99)] ?? Number.NaN });
}

/** RFC 3550 §5.1, payload type 0. */
function rtpPacket(ssrc: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xd5);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt32BE(ssrc + 1, 8);
  return packet;
}

function advance(packet: Buffer, sequence: number): void {
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * 160) >>> 0, 4);
  packet.writeDoubleBE(now(), HEADER_BYTES);
}

function tell(message: FromPhones): void {
  process.send?.(message);
}

process.on('message', (message: ToPhones) => {
  if (message.type === 'open') void open(message.calls);
  else void talk(message.targets, message.seconds);
});
