import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type EngineWorker, startEngineWorker } from '../../../src/engine/host.js';
import type { MalformedReport } from '../../../src/engine/malformed-reports.js';
import { RawTcp, RawUdp } from '../../support/raw-sockets.js';
import { requestText, statusOf } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';

const SECOND = '127.0.0.2';
const adding = (...add: string[]) => ({ add, remove: [] });

/** No application is there: each request that is heard gets a final response of the engine's own. */
describe('sources that an engine in a worker is told not to hear', () => {
  let engine: EngineWorker;
  const open: { close(): Promise<void> }[] = [];
  const port = (protocol: string): number =>
    engine.listeners.find((listener) => listener.protocol === protocol)?.port ?? 0;

  beforeEach(async () => {
    engine = await startEngineWorker({
      sipListen: [
        { protocol: 'udp', address: '127.0.0.1', port: 0 },
        { protocol: 'tcp', address: '127.0.0.1', port: 0 },
      ],
    });
    open.push(engine);
  });
  afterEach(async () => {
    for (const item of open.splice(0).reverse()) await item.close();
  });

  const udp = async (address: string): Promise<RawUdp> => {
    const socket = await RawUdp.open(address);
    open.push(socket);
    return socket;
  };
  const isHeard = async (socket: RawUdp): Promise<boolean> => {
    const before = (await engine.stats()).transport.blockedDropped;
    socket.send(requestText({ method: 'OPTIONS' }), port('udp'));
    await waitFor('an answer or a drop', async () => {
      return socket.inbox.size > 0 || (await engine.stats()).transport.blockedDropped > before;
    });
    if (socket.inbox.size === 0) return false;
    assert.match(String(statusOf(await socket.inbox.next())), /^[2-6]\d\d$/);
    return true;
  };

  test('over UDP they get no answer, be it SIP or not, until they are let in again', async () => {
    const [first, second] = [await udp('127.0.0.1'), await udp(SECOND)];
    assert.deepEqual([await isHeard(first), await isHeard(second)], [true, true]);
    await engine.block({ blocked: adding('127.0.0.0/8'), excepted: adding('127.0.0.1') });
    assert.deepEqual([await isHeard(first), await isHeard(second)], [true, false]);
    second.send('rubbish', port('udp'));
    await waitFor('the drop', async () => (await engine.stats()).transport.blockedDropped === 2);
    assert.equal((await engine.stats()).transport.parseErrors, 0);
    const [dropped, ...others] = await engine.dropped();
    assert.deepEqual([dropped?.address, dropped?.count, others.length], [SECOND, 2, 0]);
    assert.ok(Math.abs((dropped?.lastAt ?? 0) - Date.now()) < 10_000);
    await engine.block({ blocked: { add: [], remove: ['127.0.0.0/8'] } });
    assert.equal(await isHeard(second), true);
  });

  test('connections that are up are closed, new ones are not taken, those of others live on', async () => {
    const first = await RawTcp.connect(port('tcp'));
    open.push(first);
    const request = requestText({ method: 'OPTIONS', via: 'SIP/2.0/TCP 127.0.0.1:5060' });
    first.send(request);
    assert.match(String(statusOf(await first.inbox.next())), /^[2-6]\d\d$/);
    await engine.block({ blocked: adding(SECOND) });
    first.send(request.replace('Call-ID: ', 'Call-ID: again'));
    assert.match(String(statusOf(await first.inbox.next())), /^[2-6]\d\d$/);
    await engine.block({ blocked: adding('127.0.0.1') });
    await first.closed;
    const again = await RawTcp.connect(port('tcp'));
    await again.closed;
    assert.ok((await engine.stats()).transport.blockedDropped >= 2);
    assert.equal((await engine.stats()).connections['tcp'] ?? 0, 0);
  });

  test('who sends what is no SIP is told of in one report, with whether the address is proven', async () => {
    const reports: MalformedReport[] = [];
    engine.onMalformed = (more) => reports.push(...more);
    const liar = await udp(SECOND);
    for (let i = 0; i < 3; i++) liar.send('rubbish', port('udp'));
    const scanner = await RawTcp.connect(port('tcp'));
    open.push(scanner);
    scanner.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor('the reports', () => reports.length >= 2);
    const byAddress = reports.sort((x, y) => x.address.localeCompare(y.address));
    assert.deepEqual(byAddress, [
      { address: '127.0.0.1', isProven: true, count: 1 },
      { address: SECOND, isProven: false, count: 3 },
    ]);
  });
});
