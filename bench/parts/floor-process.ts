// What Node spends on the packets and frames of a call without any SIP work: node floor-process.js engine <sip> <admin>
// Receives, sends and tells an application what `ims engine` does, in the same numbers and sizes and over the same kinds
// of sockets; of what it gets it looks at the kind of the message and the Call-ID only.
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { FrameDecoder } from '../../src/engine/drachtio/frame-codec.js';
import { bindUdp, createUdpSocket, enlargeReceiveBuffer } from '../../src/engine/transport/udp-socket.js';
import { DONE_BYTES, FloorMessages, frameOf, NEWS_BYTES, type Step } from './floor-messages.js';

const HOST = '127.0.0.1';
const BATCH_MS = 1;
const CALL_ID = 'Call-ID: ';
const [sipPort = 0, adminPort = 0] = process.argv.slice(3).map(Number);

const messages = new FloorMessages(sipPort);
const listener = createUdpSocket(4, true);
let callee: UdpSocket | undefined;
let callerPort = 0;
let application: Socket | undefined;
let outgoing = '';
let flushedMs = 0;

function onDatagram(bytes: Buffer, port: number): void {
  const from = bytes.indexOf(CALL_ID, 0, 'latin1') + CALL_ID.length;
  const callId = bytes.toString('latin1', from, bytes.indexOf('\r', from, 'latin1'));
  const step = stepOf(bytes);
  if (step === 'invite') {
    callerPort = port;
    toCaller('trying', callId);
  }
  tell(step, callId, NEWS_BYTES[step]);
}

/** By the first letter of a method or status. */
function stepOf(bytes: Buffer): Step {
  const [first] = bytes;
  if (first === 0x49) return 'invite';
  if (first === 0x41) return 'ack';
  if (first === 0x42) return 'bye';
  if (bytes[8] === 0x31) return 'ring';
  return bytes.includes(' BYE\r', 0, 'latin1') ? 'byeOk' : 'answer';
}

function onFrame(frame: string): void {
  const [step, callId = ''] = frame.split('|', 2) as [Step | 'callee', string];
  if (step === 'callee') connectCallee(Number(callId));
  else {
    if (step === 'invite' || step === 'ack' || step === 'bye') callee?.send(messages.datagram(step, callId));
    else toCaller(step, callId);
    tell(step, callId, DONE_BYTES[step]);
  }
}

function toCaller(step: Step, callId: string): void {
  listener.send(messages.datagram(step, callId), callerPort, HOST);
}

function tell(step: Step, callId: string, octets: number | undefined): void {
  if (outgoing === '') flushSoon();
  outgoing += frameOf(step, callId, octets);
}

/** When frames leave: as in ClientSession. */
function flushSoon(): void {
  if (performance.now() - flushedMs >= BATCH_MS) setImmediate(flush);
  else setTimeout(flush, BATCH_MS);
}

function flush(): void {
  const frames = outgoing;
  outgoing = '';
  flushedMs = performance.now();
  application?.write(frames, 'latin1');
}

/** A connected socket for the callee on the same port: as in UdpPeers. */
function connectCallee(port: number): void {
  callee = createUdpSocket(4, true);
  callee.on('message', (bytes, from) => onDatagram(bytes, from.port));
  callee.bind(sipPort, HOST);
  callee.connect(port, HOST);
  enlargeReceiveBuffer(callee);
}

await bindUdp(listener, HOST, sipPort);
enlargeReceiveBuffer(listener);
listener.on('message', (bytes, from) => onDatagram(bytes, from.port));
const server = createServer((socket) => {
  const decoder = new FrameDecoder(onFrame);
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => decoder.push(chunk));
  application = socket;
});
server.listen(adminPort, HOST, () => process.send?.('ready'));
