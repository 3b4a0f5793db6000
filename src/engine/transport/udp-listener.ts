import type { Socket } from 'node:dgram';
import { SipParseError } from '../../sip/errors.js';
import type { SipMessage } from '../../sip/message.js';
import { isKeepAlive, parseMessage } from '../../sip/parser.js';
import type { Via } from '../../sip/via.js';
import type { Hop, Source } from '../types.js';
import { TransportError } from './errors.js';
import { stunResponse } from './stun-keep-alive.js';
import type { BoundListener, Listener, ListenerContext, ListenerSpec, SendFailureListener } from './types.js';
import { UdpOutbox } from './udp-outbox.js';
import { UdpPeers } from './udp-peers.js';
import { bindUdp, closeUdp, createUdpSocket, enlargeReceiveBuffer } from './udp-socket.js';

/** SIP over UDP (RFC 3261 §18): one socket, and the sockets of UdpPeers that share its port. */
export class UdpListener implements Listener {
  readonly reliable = false;
  readonly connectionCount = 0;
  private socket: Socket | undefined;
  private peers: UdpPeers | undefined;
  private address: BoundListener | undefined;
  private readonly outbox = new UdpOutbox();
  private readonly onDatagram = (bytes: Buffer, address: string, port: number): void =>
    this.receive(bytes, address, port);

  constructor(
    private readonly spec: ListenerSpec,
    private readonly context: ListenerContext,
  ) {}

  get bound(): BoundListener {
    if (!this.address) throw new TransportError('NO_LISTENER', 'the listener is not started');
    return this.address;
  }

  async start(): Promise<void> {
    const family = this.spec.address.includes(':') ? 6 : 4;
    const port = await reservePort(this.spec, family);
    const socket = createUdpSocket(family, true);
    this.socket = socket;
    await bindUdp(socket, this.spec.address, port);
    this.address = { ...this.spec, port, family };
    this.peers = new UdpPeers(this.address, this.context, this.outbox, this.onDatagram);
    socket.on('error', (error) => this.context.log.warn({ err: error }, 'UDP socket error'));
    socket.on('message', (bytes, from) => this.receive(bytes, from.address, from.port));
    const receiveBufferBytes = enlargeReceiveBuffer(socket);
    this.context.log.debug({ ...this.address, receiveBufferBytes }, 'listening');
  }

  sendRequest(bytes: Buffer, hop: Hop, failure?: SendFailureListener): void {
    this.context.counters.messagesSent++;
    if (this.peers?.send(bytes, hop.address, hop.port, failure) !== true)
      this.sendUnconnected(bytes, hop.address, hop.port, failure);
  }

  /** To the address and port the request came from, from the socket it came to (RFC 3581 §4). */
  sendResponse(bytes: Buffer, source: Source, _topVia: Via | undefined, failure?: SendFailureListener): void {
    this.context.counters.messagesSent++;
    this.sendUnconnected(bytes, source.address, source.port, failure);
  }

  async close(): Promise<void> {
    const { socket, peers } = this;
    this.outbox.flush();
    this.socket = undefined;
    this.peers = undefined;
    await peers?.close();
    if (socket) await closeUdp(socket);
  }

  private sendUnconnected(bytes: Buffer, address: string, port: number, failure?: SendFailureListener): void {
    if (!this.socket) {
      this.failLater(failure, new Error('the listener is closed'));
      return;
    }
    this.outbox.put(this.socket, bytes, { address, port }, (error) => this.failNow(failure, error));
  }

  private failLater(failure: SendFailureListener | undefined, cause: Error): void {
    process.nextTick(() => this.failNow(failure, cause));
  }

  private failNow(failure: SendFailureListener | undefined, cause: Error): void {
    this.context.counters.sendFailures++;
    failure?.onSendFailure(new TransportError('SEND_FAILED', `udp: ${cause.message}`, cause));
  }

  private receive(bytes: Buffer, address: string, port: number): void {
    const { admission, blocked, counters } = this.context;
    if (blocked.drops(address)) {
      counters.blockedDropped++;
      return;
    }
    if (!this.address || (admission && !admission.admits(address))) return;
    if (isKeepAlive(bytes)) {
      this.context.counters.keepAlives++;
      return;
    }
    // No SIP message begins so.
    if (bytes[0] === 0 && this.answerStun(bytes, address, port)) return;
    const { address: localAddress, port: localPort } = this.address;
    const source: Source = { protocol: 'udp', address, port, localAddress, localPort };
    const message = parseDatagram(bytes);
    if (message instanceof SipParseError) this.refuse(message, source);
    else this.context.accept(message, source);
  }

  private answerStun(bytes: Buffer, address: string, port: number): boolean {
    const response = stunResponse(bytes, address, port);
    if (!response) return false;
    this.context.counters.keepAlives++;
    this.sendUnconnected(response, address, port);
    return true;
  }

  private refuse(error: SipParseError, source: Source): void {
    const response = this.context.reject(error, source);
    if (response) this.sendResponse(response, source, undefined);
  }
}

function parseDatagram(bytes: Buffer): SipMessage | SipParseError {
  try {
    return parseMessage(bytes);
  } catch (error) {
    if (error instanceof SipParseError) return error;
    throw error;
  }
}

/**
 * Binds alone once, so that a second server on the same port is told so: the sockets that follow share the port with
 * each other, and would share it with strangers.
 */
async function reservePort(spec: ListenerSpec, family: 4 | 6): Promise<number> {
  const socket = createUdpSocket(family, false);
  try {
    return await bindUdp(socket, spec.address, spec.port);
  } finally {
    await closeUdp(socket);
  }
}
