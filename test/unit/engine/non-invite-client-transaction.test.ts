import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransactionBench } from '../../support/transaction-bench.js';

test('RFC 3261 §17.1.2.2: timer E doubles from T1 up to T2, timer F ends at 64*T1', () => {
  const bench = new TransactionBench();
  const { events } = bench.startClient();
  bench.transport.take();
  assert.deepEqual(
    bench.sendTimes(31_900),
    [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  );
  bench.clock.advance(100);
  assert.deepEqual(events, ['timeout', 'terminated']);
  assert.equal(bench.clock.pendingTimers, 0);
});

test('RFC 3261 §17.1.2.2: nothing is repeated over a reliable transport, timer F ends at 64*T1', () => {
  const bench = new TransactionBench('tcp');
  const { events } = bench.startClient();
  bench.transport.take();
  assert.deepEqual(bench.sendTimes(31_900), []);
  bench.clock.advance(100);
  assert.deepEqual(events, ['timeout', 'terminated']);
});

test('RFC 3261 §17.1.2.2: after a provisional timer E is T2, and timer F goes on', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient();
  bench.transport.take();
  bench.clock.advance(100);
  bench.answer(sent, 183);
  assert.deepEqual(bench.layer.counts().nonInviteClient, { proceeding: 1 });
  // Timer E was set to T1 before; it fires once more, then each T2.
  assert.deepEqual(bench.sendTimes(31_800), [400, 4400, 8400, 12_400, 16_400, 20_400, 24_400, 28_400]);
  bench.clock.advance(100);
  assert.deepEqual(events, ['183', 'timeout', 'terminated']);
});

test('RFC 3261 §17.1.2.2: the final response is told once, repeats are absorbed until timer K (T4)', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient();
  bench.answer(sent, 404);
  bench.clock.advance(4900);
  bench.answer(sent, 404);
  bench.answer(sent, 200);
  assert.deepEqual(events, ['404']);
  bench.clock.advance(100);
  assert.deepEqual(events, ['404', 'terminated']);
});

test('RFC 3261 §17.1.2.2: timer K is zero over a reliable transport', () => {
  const bench = new TransactionBench('tcp');
  const { sent, events } = bench.startClient();
  bench.answer(sent, 200);
  bench.clock.advance(0);
  assert.deepEqual(events, ['200', 'terminated']);
});

test('RFC 3261 §17.1.4: a transport failure while Trying is reported', () => {
  const bench = new TransactionBench();
  const { events } = bench.startClient();
  bench.transport.failLastSend('PEER_REFUSED');
  assert.deepEqual(events, ['transport', 'terminated']);
  assert.equal(bench.clock.pendingTimers, 0);
});

test('RFC 3261 §9.1: only INVITE can be cancelled', () => {
  const bench = new TransactionBench();
  assert.equal(bench.startClient().tx.cancel([]), undefined);
});

test('RFC 3261 §17.1.3: branch and CSeq method match a response; others are strays', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient();
  bench.answer(sent.replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'), 200);
  bench.answer(sent.replace(/branch=z9hG4bK/, 'branch=z9hG4bKno'), 200);
  assert.deepEqual(events, []);
  assert.equal(bench.strays.length, 2);
});

test('a user that throws does not harm the transaction', () => {
  const bench = new TransactionBench();
  const { sent, user } = bench.startClient();
  user.onResponse = () => {
    throw new Error('test');
  };
  bench.answer(sent, 200);
  bench.clock.advance(5000);
  assert.deepEqual(user.events, ['terminated']);
});

test('over the limit no client transaction is made', () => {
  const bench = new TransactionBench('udp', { maxClientTransactions: 1 });
  bench.startClient();
  assert.throws(() => bench.startClient(), { code: 'TRANSACTION_LIMIT', sipStatus: 503 });
});

test('closing clears every timer and tells no one', async () => {
  const bench = new TransactionBench();
  const { events } = bench.startClient();
  const server = bench.startServer({ method: 'INVITE' });
  server.respond(486);
  await bench.layer.close();
  assert.equal(bench.clock.pendingTimers, 0);
  assert.deepEqual([...events, ...server.events], []);
  assert.throws(() => bench.startClient(), { code: 'CLOSED' });
});
