import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markSource } from '../../../src/engine/transport/via-source.js';
import { TransactionBench } from '../../support/transaction-bench.js';

test('RFC 3261 §17.2.2: a request repeated while Trying is absorbed', () => {
  const bench = new TransactionBench();
  const server = bench.startServer();
  bench.transport.deliver(server.text);
  assert.deepEqual(bench.transport.takeKinds(), []);
  assert.equal(bench.requests.length, 1);
});

test('RFC 3261 §17.2.2: repeated while Proceeding it gets the last provisional, while Completed the final', () => {
  const bench = new TransactionBench('tcp');
  const server = bench.startServer();
  server.respond(100);
  bench.transport.deliver(server.text);
  server.respond(200);
  bench.transport.deliver(server.text);
  assert.deepEqual(bench.transport.takeKinds(), ['100', '100', '200', '200']);
  assert.equal(server.tx.answered, true);
});

test('RFC 3261 §17.2.2: no response follows the final one; timer J ends it at 64*T1', () => {
  const bench = new TransactionBench();
  const server = bench.startServer({ method: 'BYE' });
  assert.equal(server.respond(200), true);
  assert.equal(server.respond(500), false);
  assert.equal(server.respond(100), false);
  bench.clock.advance(31_900);
  bench.transport.deliver(server.text);
  assert.deepEqual(bench.transport.takeKinds(), ['200', '200']);
  bench.clock.advance(100);
  assert.deepEqual(server.events, ['terminated']);
  assert.deepEqual(bench.layer.counts().nonInviteServer, {});
  assert.equal(bench.clock.pendingTimers, 0);
});

test('RFC 3261 §17.2.2: timer J is zero over a reliable transport', () => {
  const bench = new TransactionBench('tcp');
  const server = bench.startServer();
  server.respond(200);
  assert.deepEqual(server.events, []);
  bench.clock.advance(0);
  assert.deepEqual(server.events, ['terminated']);
});

test('RFC 4320 §4.2: one that is never answered ends in silence after 64*T1', () => {
  const bench = new TransactionBench();
  const server = bench.startServer();
  bench.clock.advance(31_900);
  assert.deepEqual(server.events, []);
  bench.clock.advance(100);
  assert.deepEqual(server.events, ['timeout', 'terminated']);
  assert.equal(server.respond(200), false);
  assert.deepEqual(bench.transport.takeKinds(), ['100']);
  assert.equal(bench.clock.pendingTimers, 0);
});

for (const protocol of ['udp', 'tcp'] as const)
  test(`RFC 4320 §4.1: over ${protocol} one that is not answered gets a 100 when the client’s timer E is at T2`, () => {
    const bench = new TransactionBench(protocol);
    const server = bench.startServer({ method: 'MESSAGE' });
    assert.deepEqual(bench.sendTimes(5000), [3500]);
    bench.transport.deliver(server.text);
    server.respond(200);
    assert.deepEqual(bench.transport.takeKinds(), ['100', '200']);
  });

test('RFC 4320 §4.1: over UDP no 100 goes out earlier, over TCP it may, and no other provisional ever', () => {
  const udp = new TransactionBench();
  assert.equal(udp.startServer().respond(100), true);
  assert.deepEqual(udp.sendTimes(4000), [3500]);
  const tcp = new TransactionBench('tcp');
  const server = tcp.startServer();
  assert.equal(server.respond(100), true);
  assert.equal(server.respond(180), false);
  assert.deepEqual(tcp.transport.takeKinds(), ['100']);
  assert.deepEqual(tcp.sendTimes(4000), []);
});

test('RFC 6026 §8.8: a response that cannot be sent is reported, and the state stays', () => {
  const bench = new TransactionBench();
  const server = bench.startServer();
  server.respond(200);
  bench.transport.failLastSend();
  assert.deepEqual(server.events, ['transport']);
  assert.deepEqual(bench.layer.counts().nonInviteServer, { completed: 1 });
});

test('RFC 3261 §17.2.3: the same branch from another sent-by or with another method is another request', () => {
  const bench = new TransactionBench();
  const base = { branch: 'z9hG4bKsame' };
  bench.startServer(base);
  bench.startServer({ ...base, via: 'SIP/2.0/UDP 192.0.2.9:5071' });
  bench.startServer({ ...base, method: 'INFO' });
  assert.equal(bench.requests.length, 3);
});

test('once answered, a transaction keeps of a large request only what a response is built from', () => {
  const bench = new TransactionBench();
  const body = 'long'.repeat(200);
  const server = bench.startServer({ method: 'MESSAGE', headers: ['Subject: long'], body });
  assert.equal(server.tx.request.get('subject'), 'long');
  server.respond(200);
  const { request } = server.tx;
  const keys = request.headers.map(({ key }) => key);
  assert.deepEqual(keys, ['via', 'from', 'to', 'call-id', 'cseq']);
  assert.equal(request.body.length + (request.wireText?.length ?? 0), 0);
});

test('RFC 3261 §18.2.1: a small request that is kept as it came still tells where it came from', () => {
  const bench = new TransactionBench();
  const server = bench.startServer({ method: 'MESSAGE', headers: ['Subject: short'] });
  const { request, source } = server.tx;
  markSource(request, request.topVia!, source);
  const via = request.get('via');
  assert.match(via ?? '', new RegExp(`rport=${source.port}$`));
  server.respond(200);
  assert.equal(server.tx.request.get('via'), via);
  assert.equal(server.tx.request.callId, server.tx.request.get('call-id'));
});
