import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, test } from 'node:test';
import { decode, encode, type Packet } from 'dns-packet';
import { DnsClient } from '../../../src/engine/resolve/dns-client.js';
import {
  createResolveCounters,
  DEFAULT_RESOLVE_LIMITS,
  type ResolveCounters,
  type ResolveLimits,
} from '../../../src/engine/resolve/limits.js';
import { systemClock } from '../../../src/platform/clock.js';
import { DnsServer, srv } from '../../support/dns-server.js';
import { freeUdpPort } from '../../support/free-port.js';
import { RawUdp } from '../../support/raw-sockets.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0)) await part.close();
});

async function startDns(): Promise<DnsServer> {
  const server = await DnsServer.start({ zone: { 'a.test A': ['192.0.2.1'] } });
  open.push(server);
  return server;
}

interface Client extends DnsClient {
  readonly counters: ResolveCounters;
}

function clientOf(servers: readonly string[], limits: Partial<ResolveLimits> = {}): Client {
  const counters = createResolveCounters();
  const client = new DnsClient({
    clock: systemClock,
    limits: { ...DEFAULT_RESOLVE_LIMITS, queryTimeoutMs: 60, questionTimeoutMs: 500, ...limits },
    counters,
    servers: () => servers,
  });
  open.push({ close: async () => client.close() });
  return Object.assign(client, { counters });
}

const QUESTION = { type: 'A', name: 'a.test' } as const;

test('RFC 7766 §5: a truncated answer is asked for again over TCP', async () => {
  const dns = await startDns();
  dns.truncates = true;
  const records = Array.from({ length: 40 }, (_, i) => srv(5060 + i, `host-number-${i}.a.test`, i));
  dns.zone = { '_sip._udp.a.test SRV': records };
  const client = clientOf([dns.name]);
  const answer = await client.ask({ type: 'SRV', name: '_sip._udp.a.test' });
  assert.equal(answer.records.length, 40);
  assert.deepEqual(dns.asked, ['SRV _sip._udp.a.test', 'tcp SRV _sip._udp.a.test']);
  assert.equal(client.counters.truncatedAnswers, 1);
});

test('RFC 5452 §9.1: what does not answer the very question is passed over', async () => {
  const dns = await startDns();
  const evil = { type: 'A', name: 'a.test', ttl: 60, data: '192.0.2.66' } as const;
  dns.forge = (answer) => {
    const forged = (change: Partial<Packet>): Buffer => encode({ ...answer, answers: [evil], ...change });
    return [
      forged({ id: ((answer.id ?? 0) + 1) & 0xffff }),
      forged({ questions: [{ type: 'A', name: 'b.test' }] }),
      forged({ questions: [{ type: 'AAAA', name: 'a.test' }] }),
      forged({ questions: [] }),
      forged({ type: 'query' }),
      Buffer.from('rubbish'),
      // A name that points at itself.
      Buffer.from('0000818000010001000000000161c00c00010001', 'hex'),
    ];
  };
  const client = clientOf([dns.name]);
  assert.deepEqual((await client.ask(QUESTION)).records, ['192.0.2.1']);
  assert.equal(client.counters.forgedAnswers, 7);
});

test('RFC 5452 §9.2: an answer from another address or port is never seen', async () => {
  const [server, guesser] = [createSocket('udp4'), createSocket('udp4')];
  server.bind(0, '127.0.0.1');
  guesser.bind(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(guesser, 'listening')]);
  open.push({ close: async () => [server, guesser].forEach((socket) => void socket.close()) });
  // It knows all but the server's port.
  const answerFrom = (socket: Socket, query: Buffer, port: number, data: string): void => {
    const { id = 0, questions = [] } = decode(query);
    const answers = [{ type: 'A', name: 'a.test', ttl: 60, data }] as const;
    socket.send(encode({ type: 'response', id, questions, answers: [...answers] }), port, '127.0.0.1');
  };
  server.on('message', (query, { port }) => {
    answerFrom(guesser, query, port, '192.0.2.66');
    setTimeout(() => answerFrom(server, query, port, '192.0.2.1'), 20);
  });
  const client = clientOf([`127.0.0.1:${server.address().port}`], {
    queryTimeoutMs: 1_000,
    questionTimeoutMs: 1_000,
  });
  assert.deepEqual((await client.ask(QUESTION)).records, ['192.0.2.1']);
  assert.equal(client.counters.forgedAnswers, 0);
});

test('ids and ports are not to be guessed', async () => {
  const peer = await RawUdp.open();
  open.push(peer);
  const ids = new Set<string>();
  peer.onMessage = (text) => ids.add(text.slice(0, 2));
  const client = clientOf([`127.0.0.1:${peer.port}`], {
    queryTimeoutMs: 5,
    questionTimeoutMs: 20,
    quietMs: 0,
  });
  for (let i = 0; i < 8; i++) await client.ask(QUESTION).catch(() => {});
  assert.ok(ids.size > 7);
});

test('a dead server is passed by ICMP at once, a silent one after its time, and asked last from then on', async () => {
  const [silent, good] = [await startDns(), await startDns()];
  silent.isSilent = true;
  const dead = `127.0.0.1:${await freeUdpPort()}`;
  const client = clientOf([dead, silent.name, good.name]);
  const startMs = performance.now();
  assert.deepEqual((await client.ask(QUESTION)).records, ['192.0.2.1']);
  const firstMs = performance.now() - startMs;
  assert.ok(firstMs >= 55 && firstMs < 400, `${firstMs}`);
  assert.equal(silent.asked.length, 1);
  await client.ask(QUESTION);
  assert.equal(silent.asked.length, 1);
  assert.equal(good.asked.length, 2);
});

test('a server that fails is no answer, and the next one is asked', async () => {
  const [failing, good] = [await startDns(), await startDns()];
  failing.rcode = 'SERVFAIL';
  assert.deepEqual((await clientOf([failing.name, good.name]).ask(QUESTION)).records, ['192.0.2.1']);
  await assert.rejects(clientOf([failing.name]).ask(QUESTION), { code: 'DNS_SERVER_FAILURE' });
});

test('a lost query is sent again; when nobody answers, other questions do not wait either', async () => {
  const dns = await startDns();
  dns.isSilent = true;
  const client = clientOf([dns.name], { quietMs: 100 });
  await assert.rejects(client.ask(QUESTION), { code: 'DNS_NO_ANSWER' });
  assert.equal(dns.asked.length, 2);
  dns.isSilent = false;
  await assert.rejects(client.ask(QUESTION), { code: 'DNS_NO_ANSWER' });
  assert.equal(dns.asked.length, 2);
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.deepEqual((await client.ask(QUESTION)).records, ['192.0.2.1']);
});

test('closing gives up what is under way; without servers there is no answer', async () => {
  const dns = await startDns();
  dns.isSilent = true;
  const client = clientOf([dns.name], { queryTimeoutMs: 5_000, questionTimeoutMs: 5_000 });
  const asked = assert.rejects(client.ask(QUESTION), { code: 'DNS_NO_ANSWER' });
  client.close();
  await asked;
  await assert.rejects(clientOf([]).ask(QUESTION), { code: 'DNS_NO_ANSWER' });
  await assert.rejects(clientOf(['not an address']).ask(QUESTION), { code: 'DNS_NO_ANSWER' });
});
