import assert from 'node:assert/strict';
import { parseFailureResponse } from '../../src/engine/transport/parse-failure.js';
import { markSource } from '../../src/engine/transport/via-source.js';
import { parseContacts } from '../../src/sip/contact.js';
import { parseChallenges, parseCredentials } from '../../src/sip/digest-headers.js';
import { SipParseError } from '../../src/sip/errors.js';
import type { SipMessage } from '../../src/sip/message.js';
import { parseNameAddr } from '../../src/sip/name-addr.js';
import { isKeepAlive, parseMessage } from '../../src/sip/parser.js';
import { parseRAck } from '../../src/sip/reliability.js';
import { createResponse } from '../../src/sip/response.js';
import { parseRoutes } from '../../src/sip/route.js';
import { serialize } from '../../src/sip/serialize.js';
import { parseSessionExpires } from '../../src/sip/session-expires.js';
import { StreamParser } from '../../src/sip/stream-parser.js';
import { formatUri, parseUri } from '../../src/sip/uri.js';
import { parseVia } from '../../src/sip/via.js';
import { TransactionBench } from './transaction-bench.js';

/** Requests after which the clock of the transaction layer moves on, so that it forgets. */
const REQUESTS_A_LIFETIME = 500;

/** What mutated messages are thrown at: parsers, serialiser, stream parser, transaction layer. Throws on any fault. */
export class MutationTarget {
  accepted = 0;
  refused = 0;
  private requests = 0;
  private readonly bench = new TransactionBench();

  constructor() {
    this.bench.onRequest = (tx) => {
      const status = tx.request.method === 'INVITE' ? 407 : 200;
      if (tx.request.method !== 'INFO') tx.respond(createResponse(tx.request, status, undefined, 'u1'));
    };
  }

  /** Transactions that are there now. */
  get transactionCount(): number {
    return Object.values(this.bench.layer.counts())
      .flatMap((states) => Object.values(states))
      .reduce((sum, count) => sum + count, 0);
  }

  take(bytes: Buffer, random: () => number): void {
    isKeepAlive(bytes);
    this.takeDatagram(bytes);
    takeStream(bytes, random);
  }

  private takeDatagram(bytes: Buffer): void {
    let message: SipMessage;
    try {
      message = parseMessage(bytes);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      this.refused++;
      assert.ok(error.statusCode >= 400 && error.statusCode <= 699);
      parseFailureResponse(error, this.bench.transport.source);
      return;
    }
    this.accepted++;
    readAll(message);
    assertRoundTrip(message);
    this.handOver(message);
  }

  /** As the transport layer does. */
  private handOver(message: SipMessage): void {
    const { transport, clock, requests, acks, strays } = this.bench;
    if (message.type === 'request' && message.topVia) markSource(message, message.topVia, transport.source);
    transport.onMessage(message, transport.source);
    transport.take();
    if (++this.requests % REQUESTS_A_LIFETIME !== 0) return;
    clock.advance(64_000);
    for (const kept of [requests, acks, strays]) kept.length = 0;
    transport.forget();
  }
}

/** RFC 3261 §7: what was taken can be written, and is the same when it is read again. */
function assertRoundTrip(message: SipMessage): void {
  const again = parseMessage(serialize(message));
  const known = ({ key }: { key: string }): boolean => key !== 'content-length';
  assert.deepEqual(again.body, message.body);
  assert.deepEqual(again.headers.filter(known), message.headers.filter(known));
}

/** A stream gives the same however it is cut, and its end is told once. */
function takeStream(bytes: Buffer, random: () => number): void {
  const whole = readStream(bytes, []);
  const cuts = Array.from({ length: 3 }, () => Math.floor(random() * (bytes.length + 1)));
  assert.deepEqual(
    readStream(
      bytes,
      cuts.sort((a, b) => a - b),
    ),
    whole,
  );
}

function readStream(bytes: Buffer, cuts: readonly number[]): string[] {
  const seen: string[] = [];
  const parser = new StreamParser({
    onMessage: (message) => seen.push(`${message.type} ${message.callId} ${message.body.length}`),
    onPing: () => seen.push('ping'),
    onError: (error, isFatal) => seen.push(`${error.statusCode}${isFatal ? ' fatal' : ''}`),
  });
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    parser.push(bytes.subarray(from, cut));
    from = cut;
  }
  assert.ok(seen.findIndex((event) => event.endsWith('fatal')) === -1 || seen.at(-1)?.endsWith('fatal'));
  return seen;
}

/** Everything that code above reads out of a message. */
function readAll(message: SipMessage): void {
  for (const { key, value } of message.headers) {
    message.list(key);
    const uri = parseUri(value);
    if (uri) formatUri(uri);
    const address = parseNameAddr(value);
    if (address) parseUri(address.uri);
  }
  const uri = message.type === 'request' ? message.uri : undefined;
  if (uri) assert.deepEqual(parseUri(formatUri(uri)), uri);
  parseContacts(message);
  parseRoutes(message, 'route');
  parseRoutes(message, 'record-route');
  parseCredentials(message.get('authorization') ?? '');
  parseChallenges(message.getAll('www-authenticate'));
  parseRAck(message.get('rack') ?? '');
  parseSessionExpires(message.get('session-expires') ?? '');
  parseVia(message.get('via') ?? '');
}
