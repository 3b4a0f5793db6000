import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import { seeded } from '../../fixtures/sip/random.js';
import { AutoApp } from '../../support/auto-app.js';
import { mutate } from '../../support/mutate.js';
import { RawTcp, RawUdp } from '../../support/raw-sockets.js';
import { headerOf, requestText, statusOf } from '../../support/sip-text.js';
import { SDP, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';

const PACKETS = 50_000;
const SOURCES = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6'];
/** What is left when the flood is over, and the most it may take while it lasts; MiB. */
const LEFT_MIB = 8;
const PEAK_MIB = 60;
/** 64*T1 is 1.3 s: what the flood left behind can be waited for. */
const TIMERS = { t1Ms: 20, t2Ms: 160, t4Ms: 200 };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heapMib(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Rubbish, mutations, and requests with a branch, Call-ID and From tag of their own, as tools for floods make them. */
function packet(i: number, random: () => number): Buffer {
  const kind = i % 5;
  if (kind === 0) return Buffer.from(`rubbish ${random()} \r\n\r\n`.repeat(1 + (i % 20)));
  const method = ['INVITE', 'REGISTER', 'OPTIONS', 'INVITE'][kind - 1]!;
  const text = requestText({
    method,
    via: `SIP/2.0/UDP 10.${i & 255}.1.1:5060`,
    branch: `z9hG4bKflood${i}`,
    callId: `flood${i}@nowhere`,
    fromTag: `f${i}`,
    headers: ['Contact: <sip:x@10.1.1.1>', 'User-Agent: friendly-scanner'],
    body: method === 'INVITE' ? SDP : '',
  });
  const bytes = Buffer.from(text, 'latin1');
  return i % 10 === 9 ? mutate(bytes, random) : bytes;
}

describe('a flood', { timeout: 180_000 }, () => {
  let engine: Engine;
  let app: AutoApp;
  let phone: TextPeer;
  let floods: RawUdp[] = [];

  before(async () => {
    engine = await startEngine({
      sipListen: [
        { protocol: 'udp', address: '127.0.0.1', port: 0 },
        { protocol: 'tcp', address: '127.0.0.1', port: 0 },
      ],
      admin: { port: 0, secret: 's' },
      timers: TIMERS,
      admission: { ratePerSec: 20, burst: 4000, trusted: ['127.0.0.1/32'] },
    });
    const challenge = (name: string) => [`${name}: Digest realm="ims", nonce="0123456789abcdef"`];
    app = await AutoApp.start(
      { port: engine.adminPort, secret: 's' },
      ['invite', 'register', 'options'],
      (request) => {
        if (headerOf(request, 'X-Phone') !== undefined || request.startsWith('BYE '))
          return { status: 200, body: SDP };
        if (request.startsWith('INVITE ')) return { status: 407, headers: challenge('Proxy-Authenticate') };
        return request.startsWith('REGISTER ')
          ? { status: 401, headers: challenge('WWW-Authenticate') }
          : { status: 200 };
      },
    );
    phone = await TextPeer.open(engine.listeners[0]!.port);
    for (const source of SOURCES) floods.push(await RawUdp.open(source));
    for (const flood of floods) flood.onMessage = () => {};
  });
  after(async () => {
    await Promise.all(floods.map((flood) => flood.close()));
    floods = [];
    await app?.close();
    await TextPeer.closeAll();
    await engine?.close();
  });

  /** Sends as a phone does, again and again until the final answer is there. */
  async function ask(method: string, callId: string): Promise<string> {
    const text = phone.request({ method, callId, headers: ['X-Phone: yes'] });
    const again = setInterval(() => phone.send(text), 100);
    try {
      for (;;) {
        const answer = await phone.next(15_000);
        if (headerOf(answer, 'Call-ID') === callId && headerOf(answer, 'CSeq') === `1 ${method}`)
          return answer;
      }
    } finally {
      clearInterval(again);
    }
  }

  /** Registers, calls and hangs up. */
  async function isServed(round: number): Promise<void> {
    assert.equal(statusOf(await ask('REGISTER', `phone-r${round}`)), 200);
    const callId = `phone-i${round}`;
    const ok = await ask('INVITE', callId);
    assert.equal(statusOf(ok), 200);
    const toTag = /;tag=([^;\r\n]+)/.exec(headerOf(ok, 'To') ?? '')?.[1] ?? '';
    phone.request({ method: 'ACK', callId, toTag });
    const bye = phone.request({ method: 'BYE', cseq: 2, callId, toTag });
    for (const again = setInterval(() => phone.send(bye), 100); ; ) {
      const answer = await phone.next(15_000);
      if (headerOf(answer, 'CSeq') !== '2 BYE') continue;
      clearInterval(again);
      assert.equal(statusOf(answer), 200);
      return;
    }
  }

  const openTransactions = (): number => {
    const { inviteServer, nonInviteServer } = engine.stats().transactions;
    return [inviteServer, nonInviteServer]
      .flatMap((states) => Object.values(states))
      .reduce((sum, count) => sum + count, 0);
  };

  test('RFC 3261 §26.3.2.4: phones are served while it lasts, memory stays bounded, and nothing is left of it', async () => {
    await isServed(0);
    await waitFor('quiet', () => openTransactions() === 0);
    const beforeMib = heapMib();
    let peakMib = 0;
    const random = seeded(5);
    let isOver = false;
    const flooding = (async () => {
      for (let i = 0; i < PACKETS; i++) {
        floods[i % floods.length]!.send(packet(i, random), engine.listeners[0]!.port);
        if (i % 25 === 24) await turn();
        if (i % 10_000 === 9_999) peakMib = Math.max(peakMib, heapMib());
      }
      isOver = true;
    })();
    let served = 0;
    while (!isOver) {
      await isServed(++served);
      await delay(50);
    }
    await flooding;
    await isServed(++served);
    const { transport, traffic, dialogs } = engine.stats();
    assert.ok(served >= 3, `${served} rounds`);
    assert.ok(transport.admissionDropped > PACKETS / 10, `${transport.admissionDropped} dropped`);
    assert.ok((traffic['udp']?.received['INVITE'] ?? 0) > 1000, 'much of it was taken');
    assert.ok(transport.parseErrors > 1000);
    assert.equal(dialogs, 0);
    assert.ok(peakMib - beforeMib < PEAK_MIB, `${peakMib - beforeMib} MiB at most`);
    await waitFor('all of it to be forgotten', () => openTransactions() === 0, 30_000);
    assert.equal(engine.stats().pendingRequests, 0);
    const leftMib = heapMib() - beforeMib;
    assert.ok(leftMib < LEFT_MIB, `${leftMib} MiB left`);
  });

  test('connections that are made, left half open or fed with rubbish leave nothing behind', async () => {
    const port = engine.listeners[1]!.port;
    const beforeMib = heapMib();
    for (let round = 0; round < 20; round++) {
      const connections = await Promise.all(Array.from({ length: 50 }, () => RawTcp.connect(port)));
      for (const [i, connection] of connections.entries()) {
        if (i % 3 === 0) connection.send('INVITE sip:x SIP/2.0\r\nVia: ');
        else if (i % 3 === 1) connection.send('\0\x01rubbish\r\n\r\n');
      }
      await Promise.all(connections.map((connection) => connection.close()));
    }
    await waitFor('all to be closed', () => engine.stats().connections['tcp'] === undefined);
    await isServed(1000);
    assert.ok(heapMib() - beforeMib < LEFT_MIB, `${heapMib() - beforeMib} MiB left`);
  });
});
