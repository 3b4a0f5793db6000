import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { NextHops, type NextHopsOptions } from '../../../src/engine/resolve/next-hops.js';
import type { Hop, Protocol } from '../../../src/engine/types.js';
import { parseVia } from '../../../src/sip/via.js';
import { DnsServer, naptr, srv } from '../../support/dns-server.js';
import { ManualClock } from '../../support/manual-clock.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0)) await part.close();
});

type Listening = readonly { protocol: Protocol; family: 4 | 6 }[];
const IPV4: Listening = [
  { protocol: 'udp', family: 4 },
  { protocol: 'tcp', family: 4 },
  { protocol: 'tls', family: 4 },
];

async function startDns(zone: DnsServer['zone'], ttlSec = 60): Promise<DnsServer> {
  const server = await DnsServer.start({ zone, ttlSec });
  open.push(server);
  return server;
}

/** Next hops that know that server alone; the operating system knows nothing. */
function hopsOf(server: DnsServer, options: Partial<NextHopsOptions> = {}, listening = IPV4): NextHops {
  const hops = new NextHops({
    clock: new ManualClock(),
    servers: [server.name],
    lookupAll: () => Promise.reject(new Error('ENOTFOUND')),
    random: () => 0,
    ...options,
  });
  hops.useListeners(listening);
  open.push(hops);
  return hops;
}

/** `udp 127.0.0.1:5060`, best first. */
async function find(hops: NextHops, uri: string): Promise<string[]> {
  const hop: Hop = await hops.find(uri);
  return [hop, ...(hop.alternatives ?? [])].map(
    ({ protocol, address, port }) => `${protocol} ${address}:${port}`,
  );
}

test('RFC 3263 §4, §4.1; RFC 3261 §19.1.1: IP literals need no look-up; port and transport have their defaults', async () => {
  const dns = await startDns({});
  const hops = hopsOf(dns);
  const udp = { protocol: 'udp', address: '192.0.2.1', port: 5060, largeBy: 'tcp' };
  assert.deepEqual(hops.find('sip:192.0.2.1'), udp);
  assert.deepEqual(hops.find('sip:a@name.example;maddr=192.0.2.1'), udp);
  assert.deepEqual(hops.find('sip:[2001:db8::1]:5080;transport=TCP'), {
    protocol: 'tcp',
    address: '2001:db8::1',
    port: 5080,
  });
  assert.deepEqual(hops.find('sips:192.0.2.1'), { protocol: 'tls', address: '192.0.2.1', port: 5061 });
  assert.equal((hops.find('sips:192.0.2.1;transport=ws') as Hop).protocol, 'wss');
  assert.throws(() => hops.find('sip:192.0.2.1;transport=constructor'), { code: 'UNKNOWN_TRANSPORT' });
  assert.throws(() => hops.find('tel:+1555'), { code: 'HOST_NOT_FOUND' });
  assert.equal(dns.asked.length, 0);
});

test('RFC 3263 §4.1: NAPTR names the transports, SRV the servers, by order and priority', async () => {
  const dns = await startDns({
    'example.test NAPTR': [
      naptr(50, 50, 'SIPS+D2T', '_sips._tcp.example.test'),
      naptr(90, 50, 'SIP+D2U', '_sip._udp.example.test'),
      naptr(50, 60, 'SIP+D2T', '_sip._tcp.example.test'),
    ],
    '_sips._tcp.example.test SRV': [srv(5061, 's1.example.test')],
    '_sip._tcp.example.test SRV': [srv(5070, 's2.example.test', 20), srv(5060, 's1.example.test', 10)],
    's1.example.test A': ['192.0.2.1'],
    's2.example.test A': ['192.0.2.2', '192.0.2.3'],
  });
  const hops = hopsOf(dns);
  const tcp = ['tcp 192.0.2.1:5060', 'tcp 192.0.2.2:5070', 'tcp 192.0.2.3:5070'];
  assert.deepEqual(await find(hops, 'sip:bob@Example.TEST'), ['tls 192.0.2.1:5061', ...tcp]);
  assert.deepEqual(await find(hops, 'sips:bob@example.test'), ['tls 192.0.2.1:5061']);
  const withoutTls = hopsOf(dns, {}, IPV4.slice(0, 2));
  assert.deepEqual(await find(withoutTls, 'sip:bob@example.test.'), tcp);
  assert.equal((await hops.find('sip:bob@example.test')).name, 'example.test');
});

test('RFC 3263 §4.1, §4.2: port and transport leave less to look up', async () => {
  const dns = await startDns({
    'example.test NAPTR': [naptr(1, 1, 'SIP+D2T', '_sip._tcp.example.test')],
    'example.test A': ['192.0.2.9'],
    '_sip._udp.example.test SRV': [srv(5062, 's1.example.test')],
    's1.example.test A': ['192.0.2.1'],
  });
  const hops = hopsOf(dns);
  assert.deepEqual(await find(hops, 'sip:example.test:5080'), ['udp 192.0.2.9:5080']);
  assert.deepEqual(dns.asked, ['A example.test']);
  assert.deepEqual(await find(hops, 'sip:example.test;transport=udp'), ['udp 192.0.2.1:5062']);
  assert.deepEqual(await find(hops, 'sip:example.test;transport=tls'), ['tls 192.0.2.9:5061']);
  assert.equal(dns.count('NAPTR example.test'), 0);
  await assert.rejects(find(hops, 'sip:example.test;transport=ws'), { code: 'UNKNOWN_TRANSPORT' });
});

test('RFC 3263 §4.1: without NAPTR the transports are tried in our order; without SRV the name itself', async () => {
  const dns = await startDns({
    '_sip._tcp.a.test SRV': [srv(5060, 'h.a.test')],
    '_sip._udp.a.test SRV': [srv(5070, 'h.a.test')],
    'h.a.test A': ['192.0.2.1'],
    'b.test A': ['192.0.2.2'],
    'b.test AAAA': ['2001:db8::2'],
  });
  const hops = hopsOf(dns);
  assert.deepEqual(await find(hops, 'sip:a.test'), ['udp 192.0.2.1:5070', 'tcp 192.0.2.1:5060']);
  assert.deepEqual(await find(hops, 'sip:b.test'), ['udp 192.0.2.2:5060']);
  const both: Listening = [{ protocol: 'udp', family: 6 }, ...IPV4];
  assert.deepEqual(await find(hopsOf(dns, {}, both), 'sip:b.test'), [
    'udp 2001:db8::2:5060',
    'udp 192.0.2.2:5060',
  ]);
  const tcpOnly: Listening = [{ protocol: 'tcp', family: 4 }];
  assert.deepEqual(await find(hopsOf(dns, {}, tcpOnly), 'sip:b.test'), ['tcp 192.0.2.2:5060']);
});

test('RFC 2782: a target of "." is a service that is not there; a server without address is passed over', async () => {
  const dns = await startDns({
    '_sip._udp.a.test SRV': [srv(0, '.')],
    'a.test A': ['192.0.2.1'],
    '_sip._udp.b.test SRV': [srv(5060, 'gone.b.test', 1), srv(5060, 'h.b.test', 2)],
    'h.b.test A': ['192.0.2.2'],
  });
  const hops = hopsOf(dns);
  await assert.rejects(find(hops, 'sip:a.test'), { code: 'HOST_NOT_FOUND', sipStatus: 503 });
  assert.deepEqual(await find(hops, 'sip:b.test'), ['udp 192.0.2.2:5060']);
});

test('RFC 3263 §5: a response goes to the address of sent-by, or to the servers of its name', async () => {
  const dns = await startDns({
    'p.test A': ['192.0.2.1'],
    '_sip._tcp.p.test SRV': [srv(5070, 'q.p.test')],
    'q.p.test A': ['192.0.2.2'],
  });
  const hops = hopsOf(dns);
  const where = async (sentBy: string): Promise<string[]> =>
    (await hops.findForResponse('tcp', parseVia(`SIP/2.0/TCP ${sentBy};branch=z9hG4bK1`)!)).map(
      ({ protocol, address, port }) => `${protocol} ${address}:${port}`,
    );
  assert.deepEqual(await where('192.0.2.9'), ['tcp 192.0.2.9:5060']);
  assert.deepEqual(await where('p.test:5080'), ['tcp 192.0.2.1:5080']);
  assert.deepEqual(await where('p.test'), ['tcp 192.0.2.2:5070']);
});

test('an alias is followed; records of other names in an answer are not taken', async () => {
  const dns = await startDns({
    'a.test A': [
      { type: 'CNAME', name: 'a.test', data: 'b.test' },
      { type: 'A', name: 'evil.test', data: '192.0.2.66' },
      { type: 'A', name: 'b.test', data: '192.0.2.1', ttl: 5 },
    ],
  });
  const clock = new ManualClock();
  const hops = hopsOf(dns, { clock });
  assert.deepEqual(await find(hops, 'sip:a.test:5060'), ['udp 192.0.2.1:5060']);
  clock.advance(5_000);
  await find(hops, 'sip:a.test:5060');
  assert.equal(dns.count('A a.test'), 2);
});

test('answers are kept for their TTL, and equal questions at once are one', async () => {
  const dns = await startDns(
    {
      'a.test A': ['192.0.2.1'],
      'zero.test A': [{ type: 'A', name: 'zero.test', ttl: 0, data: '192.0.2.2' }],
    },
    30,
  );
  const clock = new ManualClock();
  const hops = hopsOf(dns, { clock });
  await Promise.all([find(hops, 'sip:a.test:1'), find(hops, 'sip:A.test:2'), find(hops, 'sip:a.test.:3')]);
  assert.equal(dns.count('A a.test'), 1);
  clock.advance(29_999);
  await find(hops, 'sip:a.test:1');
  assert.equal(dns.count('A a.test'), 1);
  dns.zone = { ...dns.zone, 'a.test A': ['192.0.2.9'] };
  clock.advance(1);
  assert.deepEqual(await find(hops, 'sip:a.test:1'), ['udp 192.0.2.9:1']);
  assert.equal(dns.count('A a.test'), 2);
  await find(hops, 'sip:zero.test:1');
  await find(hops, 'sip:zero.test:1');
  assert.equal(dns.count('A zero.test'), 2);
});

test('RFC 2308 §5: "there is none" is kept as long as the SOA says, within a bound', async () => {
  const dns = await startDns({});
  const clock = new ManualClock();
  const hops = hopsOf(dns, { clock });
  const ask = (): Promise<void> => assert.rejects(find(hops, 'sip:no.test:5060'), { code: 'HOST_NOT_FOUND' });
  dns.negative = { ttlSec: 900, minimumSec: 7 };
  await ask();
  clock.advance(6_999);
  await ask();
  assert.equal(dns.count('A no.test'), 1);
  dns.negative = { ttlSec: 86_400, minimumSec: 86_400 };
  clock.advance(1);
  await ask();
  clock.advance(299_999);
  await ask();
  assert.equal(dns.count('A no.test'), 2);
  dns.negative = undefined;
  clock.advance(1);
  await ask();
  clock.advance(30_000);
  await ask();
  assert.equal(dns.count('A no.test'), 4);
});

test('RFC 8767 §5: a stale answer is used, for a bounded time, while DNS does not answer', async () => {
  const dns = await startDns({ 'a.test A': ['192.0.2.1'] }, 10);
  const clock = new ManualClock();
  const hops = hopsOf(dns, { clock });
  await find(hops, 'sip:a.test:1');
  dns.rcode = 'SERVFAIL';
  clock.advance(10_000);
  assert.deepEqual(await find(hops, 'sip:a.test:1'), ['udp 192.0.2.1:1']);
  const asked = dns.asked.length;
  clock.advance(29_999);
  await find(hops, 'sip:a.test:1');
  assert.equal(dns.asked.length, asked);
  clock.advance(1);
  await find(hops, 'sip:a.test:1');
  assert.ok(dns.asked.length > asked);
  clock.advance(3_600_000);
  await assert.rejects(find(hops, 'sip:a.test:1'), { code: 'HOST_NOT_FOUND' });
  assert.equal(hops.counters.staleAnswers, 2);
});

test('RFC 8767 §5: a stale answer is not waited for when DNS is slow', async () => {
  const dns = await startDns({ 'a.test A': ['192.0.2.1'] }, 1);
  const hops = hopsOf(dns, {
    clock: (await import('../../../src/platform/clock.js')).systemClock,
    limits: { staleDelayMs: 20, maxTtlSec: 0.05 },
  });
  await find(hops, 'sip:a.test:1');
  await new Promise((resolve) => setTimeout(resolve, 60));
  dns.isSilent = true;
  const startMs = performance.now();
  assert.deepEqual(await find(hops, 'sip:a.test:1'), ['udp 192.0.2.1:1']);
  assert.ok(performance.now() - startMs < 700);
});

test('what is kept is bounded: the oldest answer goes first', async () => {
  const dns = await startDns(Object.fromEntries([1, 2, 3].map((i) => [`h${i}.test A`, [`192.0.2.${i}`]])));
  const hops = hopsOf(dns, { limits: { maxCacheEntries: 2 } });
  for (const i of [1, 2, 3, 3, 1]) await find(hops, `sip:h${i}.test:1`);
  assert.equal(hops.cacheSize, 2);
  assert.deepEqual(
    [1, 2, 3].map((i) => dns.count(`A h${i}.test`)),
    [2, 1, 1],
  );
});

test('RFC 6761 §6.3, §6.4: the operating system is asked last; localhost is its own matter', async () => {
  const dns = await startDns({});
  const asked: string[] = [];
  const hops = hopsOf(dns, {
    lookupAll: async (host) => {
      asked.push(host);
      return [{ address: '::1' }, { address: '192.0.2.7' }];
    },
  });
  assert.deepEqual(await find(hops, 'sip:in-hosts-file.test'), ['udp 192.0.2.7:5060']);
  assert.deepEqual(dns.asked, ['NAPTR in-hosts-file.test', 'A in-hosts-file.test']);
  assert.deepEqual(await find(hops, 'sip:machine;transport=tcp'), ['tcp 192.0.2.7:5060']);
  await find(hops, 'sip:machine');
  await assert.rejects(find(hops, 'sip:nobody.invalid'), { code: 'HOST_NOT_FOUND' });
  assert.equal(dns.asked.length, 2);
  assert.deepEqual(asked, ['in-hosts-file.test', 'machine']);
  const real = new NextHops({ clock: new ManualClock() });
  real.useListeners([...IPV4, { protocol: 'tcp', family: 6 }]);
  assert.match((await find(real, 'sip:localhost;transport=tcp'))[0]!, /^tcp (127\.0\.0\.1|::1):5060$/);
});

test('what is no name is not asked for, and questions under way are bounded', async () => {
  const dns = await startDns({});
  const hops = hopsOf(dns, { limits: { maxQuestions: 4 } });
  for (const host of [`${'a'.repeat(64)}.test`, `${'a.'.repeat(130)}test`, 'a..test', '-a.test'])
    await assert.rejects(find(hops, `sip:${host}:1`), { code: 'HOST_NOT_FOUND' }, host);
  assert.equal(dns.asked.length, 0);
  await Promise.allSettled([1, 2, 3, 4, 5, 6].map((i) => find(hops, `sip:h${i}.test:1`)));
  assert.equal(dns.asked.length, 4);
});
