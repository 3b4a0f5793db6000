import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Phone } from '../../src/testkit/phone.js';
import { residentMib } from '../support/memory.js';
import { needsBuiltInEngine } from '../support/parts.js';
import { RawTcp, RawUdp } from '../support/raw-sockets.js';
import { callRecords } from '../support/records.js';
import { startServer, type TestServer } from '../support/server.js';
import { SipPeer } from '../support/sip-peer.js';
import { requestText, statusOf } from '../support/sip-text.js';
import { waitFor } from '../support/wait-for.js';

const PASSWORD = 'not-malformed';
const GROWTH_MIB = 60;
const FLOOD = 6000;

type Bad = readonly [name: string, text: (via: string) => string | Buffer, expected: 'silence' | number[]];

const good = (via: string, more: { headers?: string[]; body?: string; method?: string } = {}): string =>
  requestText({ method: 'MESSAGE', via, ...more });

/** What a peer may send, and what RFC 3261 has for it. */
const BAD: readonly Bad[] = [
  ['no Via', (via) => good(via).replace(/^Via: .*\r\n/m, ''), 'silence'],
  ['two Call-IDs', (via) => good(via, { headers: ['Call-ID: another'] }), [400]],
  ['two From', (via) => good(via, { headers: ['From: <sip:mallory@127.0.0.1>;tag=m'] }), [400]],
  ['two To', (via) => good(via, { headers: ['To: <sip:mallory@127.0.0.1>'] }), [400]],
  ['two CSeq', (via) => good(via, { headers: ['CSeq: 2 BYE'] }), [400]],
  ['negative Content-Length', (via) => good(via).replace('Content-Length: 0', 'Content-Length: -1'), [400]],
  ['CSeq of another method', (via) => good(via).replace('1 MESSAGE', '1 INVITE'), [400]],
  ['CSeq over 2^32', (via) => good(via).replace('1 MESSAGE', '4294967296 MESSAGE'), [400]],
  ['SIP/7.0', (via) => good(via).replace('127.0.0.1 SIP/2.0', '127.0.0.1 SIP/7.0'), [505]],
  ['no Call-ID', (via) => good(via).replace(/^Call-ID: .*\r\n/m, ''), [400]],
  ['a From that is no address', (via) => good(via).replace(/^From: .*$/m, 'From: <sip:;;;'), [400]],
  ['an empty header name', (via) => good(via, { headers: [': nothing'] }), [400]],
];

describe('malformed input', () => {
  let server: TestServer;
  let udp: RawUdp;
  let rssBefore = 0;
  let calls = 0;

  before(async () => {
    const users = { 1001: PASSWORD, 1002: PASSWORD };
    server = await startServer({ users, env: { LOG_LEVEL: 'warn' } });
    udp = await RawUdp.open();
    await aCallPasses();
    rssBefore = residentMib(server.facts.pid);
  });
  after(async () => {
    await udp?.close();
    await server?.close();
  });
  beforeEach(() => {
    while (udp.inbox.size > 0) void udp.inbox.next();
  });

  /** What `DSP PERF` counts as no SIP message that could be taken. */
  const malformedCount = async (): Promise<number> => {
    const figures = await server.mml('DSP PERF');
    const of = (name: string): number =>
      Number(new RegExp(`transport\\.${name} +(\\d+)`).exec(figures)?.[1] ?? Number.NaN);
    return of('parseErrors') + of('viaDropped');
  };

  /** Two phones register, call, hear each other and hang up; exactly one record comes of it. */
  async function aCallPasses(): Promise<void> {
    const open = (username: string, toneHz: number): Promise<Phone> =>
      Phone.open({
        username,
        password: PASSWORD,
        toneHz,
        domain: '127.0.0.1',
        address: '127.0.0.1',
        server: { address: server.address, port: server.udpPort },
      });
    const [a, b] = [await open('1001', 440), await open('1002', 1000)];
    try {
      await Promise.all([a.register(300), b.register(300)]);
      const incoming = b.nextIncoming();
      const call = await a.call('1002');
      const answered = await incoming;
      const heard = (): number[] => [call, answered].map(({ rtp }) => rtp.counters([440, 1000]).heardHz);
      await waitFor('tones', () => heard().join() === '1000,440');
      assert.equal(await call.hangUp(), 200);
      await Promise.all([a.register(0), b.register(0)]);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
    assert.equal((await callRecords(server, ++calls))[0]?.result, 'ANSWERED');
  }

  /** An OPTIONS that is right gets its answer; gives the statuses of what came before it. */
  async function answersBefore(inbox: { next(): Promise<string> }, send: () => void): Promise<number[]> {
    send();
    for (const before: number[] = []; ; ) {
      const message = await inbox.next();
      if (/^CSeq: \d+ OPTIONS/m.test(message)) return before;
      before.push(statusOf(message) ?? 0);
    }
  }

  for (const [name, text, expected] of BAD) {
    test(`RFC 3261 §8.2, §18.3: ${name}, UDP`, async () => {
      udp.send(text('SIP/2.0/UDP 127.0.0.1:5060;rport'), server.udpPort);
      const answers = await answersBefore(udp.inbox, () =>
        udp.send(requestText({ via: 'SIP/2.0/UDP 127.0.0.1:5060;rport' }), server.udpPort),
      );
      assert.deepEqual(answers, expected === 'silence' ? [] : expected);
    });

    test(`RFC 3261 §8.2, §18.3: ${name}, TCP`, async (t) => {
      const tcp = await RawTcp.connect(server.tcpPort);
      t.after(() => tcp.close());
      tcp.send(String(text('SIP/2.0/TCP 127.0.0.1:5060')));
      if (expected === 'silence') {
        tcp.send(requestText({ via: 'SIP/2.0/TCP 127.0.0.1:5060' }));
        // Nothing but the answer to the good one, or a closed connection.
        const answer = await Promise.race([tcp.inbox.next(), tcp.closed]);
        if (answer) assert.match(answer, /^CSeq: \d+ OPTIONS/m);
      } else assert.deepEqual([statusOf(await tcp.inbox.next())], expected);
    });
  }

  test('RFC 3261 §18.3: every truncation of a request over UDP is 400, or silence when it names no way back', async () => {
    const whole = good('SIP/2.0/UDP 127.0.0.1:5060;rport', { body: 'how are you' });
    for (let length = 0; length < whole.length; length += 5) udp.send(whole.slice(0, length), server.udpPort);
    const answers = await answersBefore(udp.inbox, () =>
      udp.send(requestText({ via: 'SIP/2.0/UDP 127.0.0.1:5060;rport' }), server.udpPort),
    );
    assert.deepEqual([...new Set(answers)], [400]);
  });

  test('huge messages: a datagram of 60 KB, a TCP header without end, a body of 4 GB announced', async () => {
    const huge = good('SIP/2.0/UDP 127.0.0.1:5060;rport', { headers: [`Subject: ${'x'.repeat(60_000)}`] });
    udp.send(huge, server.udpPort);
    const status = statusOf(await udp.inbox.next());
    assert.ok(status !== undefined && status >= 400, String(status));

    const endless = await RawTcp.connect(server.tcpPort);
    endless.send(
      'MESSAGE sip:ims@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx\r\nSubject: ',
    );
    const pump = setInterval(() => endless.socket.writable && endless.send('x'.repeat(100_000)), 5);
    await endless.closed;
    clearInterval(pump);

    const announced = await RawTcp.connect(server.tcpPort);
    announced.send(
      good('SIP/2.0/TCP 127.0.0.1:5060').replace('Content-Length: 0', 'Content-Length: 4294967295'),
    );
    assert.ok([400, 413, 513].includes(statusOf(await announced.inbox.next()) ?? 0));
    await announced.closed;
  });

  test('RFC 3264, RFC 4566: an INVITE with a wrong description is refused, and so is one of another type', async (t) => {
    const open = async (username: string): Promise<SipPeer> => {
      const server_ = { address: server.address, port: server.udpPort };
      const peer = await SipPeer.open({ username, password: PASSWORD, server: server_ });
      t.after(() => peer.close());
      await peer.register();
      return peer;
    };
    const [a, b] = [await open('1001'), await open('1002')];
    const wrong: [string, string, number[]][] = [
      ['no SDP at all', 'hello world', [400, 488]],
      ['a truncated one', a.sdp().slice(0, 40), [400, 488]],
      ['no connection address', a.sdp().replace(/^c=.*\r\n/gm, ''), [400, 488]],
      ['a port out of range', a.sdp().replace(/^m=audio \d+/m, 'm=audio 99999'), [400, 488]],
      ['binary', randomBytes(200).toString('latin1'), [400, 488]],
    ];
    for (const [name, sdp, expected] of wrong) {
      const invite = await a.invite('1002', sdp);
      const final = await a.final(invite);
      a.ackRefusal(invite, final);
      assert.ok(expected.includes(final.statusCode), `${name}: ${final.statusCode}`);
      calls++;
    }
    const invite = await a.invite('1002', a.sdp(), (request) => request.set('Content-Type', 'text/html'));
    const final = await a.final(invite);
    a.ackRefusal(invite, final);
    assert.equal(final.statusCode, 415);
    calls++;
    assert.ok(!b.has('INVITE'));
    for (const { result } of (await callRecords(server, calls)).slice(0, wrong.length + 1))
      assert.equal(result, 'FAILED');
  });

  test(`${FLOOD} datagrams of noise and ${FLOOD / 20} connections are counted; memory and later calls are unharmed`, {
    skip: needsBuiltInEngine,
  }, async () => {
    const before = await malformedCount();
    assert.ok(before > BAD.length, `${before} counted so far`);
    const whole = Buffer.from(good('SIP/2.0/UDP 127.0.0.1:5060;rport', { body: 'x'.repeat(400) }), 'latin1');
    for (let i = 0; i < FLOOD; i++) {
      const mutated = Buffer.from(whole);
      for (const at of randomBytes(40)) mutated[(at * 2) % mutated.length] = at;
      udp.send(i % 2 ? randomBytes(900) : mutated, server.udpPort);
      // Not to measure how much the kernel's buffer holds.
      if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (let i = 0; i < FLOOD / 20; i++) {
      const tcp = await RawTcp.connect(server.tcpPort);
      tcp.socket.write(randomBytes(2000));
      void tcp.inbox.next(100).catch(() => undefined);
      if (i % 2) tcp.socket.destroy();
    }
    await waitFor('the counter', async () => (await malformedCount()) > before + FLOOD / 2);
    await aCallPasses();
    const rss = residentMib(server.facts.pid);
    assert.ok(rss - rssBefore < GROWTH_MIB, `grew from ${rssBefore} to ${rss} MiB`);
    assert.doesNotMatch(server.output(), /"level":(50|60)/);
  });
});
