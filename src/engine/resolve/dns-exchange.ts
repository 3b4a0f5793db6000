import { connect } from 'node:net';
import type { DecodedPacket } from 'dns-packet';
import type { Clock } from '../../platform/clock.js';
import { closeUdp, createUdpSocket } from '../transport/udp-socket.js';
import { matchReply, type Query } from './dns-message.js';
import { DnsError } from './errors.js';
import type { ResolveCounters } from './limits.js';

/** A DNS server: an IP literal, IPv6 without brackets. */
export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly counters: ResolveCounters;
  readonly timeoutMs: number;
  /** Gives the exchange up. */
  readonly signal: AbortSignal;
}

const LENGTH_BYTES = 2;

/** What an exchange does with its socket; `settle` ends it. */
type Settle = (outcome: DecodedPacket | Error) => void;

/**
 * Asks one server over UDP, from a port of its own that the system chooses at random and that takes datagrams of that
 * server alone (RFC 5452 §9.2). What does not answer the query is passed over. Rejects with DnsError `DNS_NO_ANSWER`.
 */
export function askOverUdp(
  query: Query,
  server: DnsServer,
  options: ExchangeOptions,
): Promise<DecodedPacket> {
  const socket = createUdpSocket(server.address.includes(':') ? 6 : 4, false);
  const close = (): void => {
    socket.on('error', () => {});
    void closeUdp(socket);
  };
  return exchange(server, options, close, (settle) => {
    socket.on('error', settle);
    socket.on('message', (bytes) => {
      const reply = matchReply(bytes, query);
      if (reply) settle(reply);
      else options.counters.forgedAnswers++;
    });
    socket.connect(server.port, server.address, () => {
      if (!options.signal.aborted) socket.send(query.bytes, (error) => error && settle(error));
    });
  });
}

/** Asks one server over TCP (RFC 7766), as for an answer too large for a datagram. Rejects as `askOverUdp` does. */
export function askOverTcp(
  query: Query,
  server: DnsServer,
  options: ExchangeOptions,
): Promise<DecodedPacket> {
  const socket = connect({ host: server.address, port: server.port });
  let received = Buffer.alloc(0);
  const take = (settle: Settle, chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    const end = received.length < LENGTH_BYTES ? Infinity : LENGTH_BYTES + received.readUInt16BE(0);
    if (received.length < end) return;
    const reply = matchReply(received.subarray(LENGTH_BYTES, end), query);
    settle(reply ?? new Error('the answer is to another question'));
  };
  return exchange(
    server,
    options,
    () => socket.destroy(),
    (settle) => {
      socket.on('error', settle);
      socket.on('close', () => settle(new Error('closed without an answer')));
      socket.on('data', (chunk: Buffer) => take(settle, chunk));
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(query.bytes.length);
      socket.write(Buffer.concat([length, query.bytes]));
    },
  );
}

/** One try with its time limit; the socket is closed whatever comes. */
function exchange(
  { address, port }: DnsServer,
  { clock, counters, timeoutMs, signal }: ExchangeOptions,
  close: () => void,
  begin: (settle: Settle) => void,
): Promise<DecodedPacket> {
  counters.queries++;
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const settle: Settle = (outcome) => {
      if (isSettled) return;
      isSettled = true;
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      close();
      if (!(outcome instanceof Error)) resolve(outcome);
      else if (outcome instanceof DnsError) reject(outcome);
      else reject(new DnsError('DNS_SERVER_FAILURE', `${address}:${port}: ${outcome.message}`, outcome));
    };
    const onAbort = (): void => settle(new DnsError('DNS_NO_ANSWER', 'given up'));
    const timer = clock.setTimeout(() => {
      counters.queryTimeouts++;
      settle(new DnsError('DNS_NO_ANSWER', `no answer from ${address}:${port} within ${timeoutMs} ms`));
    }, timeoutMs);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else begin(settle);
  });
}
