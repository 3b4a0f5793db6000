import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerOf } from '../../support/sip-text.js';
import { TransactionBench } from '../../support/transaction-bench.js';

const T1 = 500;
const INVITE = { method: 'INVITE' };

test('RFC 3261 §17.1.1.2: timer A doubles from T1, timer B ends at 64*T1', () => {
  const bench = new TransactionBench();
  const { events } = bench.startClient(INVITE);
  assert.deepEqual(bench.transport.takeKinds(), ['INVITE']);
  assert.deepEqual(bench.sendTimes(31_900), [500, 1500, 3500, 7500, 15_500, 31_500]);
  assert.deepEqual(events, []);
  bench.clock.advance(100);
  assert.deepEqual(events, ['timeout', 'terminated']);
  assert.deepEqual(bench.layer.counts().inviteClient, {});
  assert.equal(bench.clock.pendingTimers, 0);
});

test('RFC 3261 §17.1.1.2: nothing is repeated over a reliable transport', () => {
  const bench = new TransactionBench('tcp');
  const { events } = bench.startClient(INVITE);
  bench.transport.take();
  assert.deepEqual(bench.sendTimes(31_900), []);
  bench.clock.advance(100);
  assert.deepEqual(events, ['timeout', 'terminated']);
});

test('RFC 3261 §17.1.1.2: a provisional stops retransmission; 100 stays below the user', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient(INVITE);
  bench.transport.take();
  bench.answer(sent, 100);
  assert.deepEqual(bench.layer.counts().inviteClient, { proceeding: 1 });
  assert.deepEqual(bench.sendTimes(60_000), []);
  bench.answer(sent, 180);
  assert.deepEqual(events, ['180']);
});

test('RFC 3261 §17.1.1.3: 300-699 is acknowledged with branch, route and Request-URI of the INVITE', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient({
    ...INVITE,
    cseq: 7,
    headers: ['Route: <sip:p1.example;lr>', 'Route: <sip:p2.example;lr>'],
  });
  bench.transport.take();
  bench.answer(sent, 486, { toTag: 'busy' });
  const [ack] = bench.transport.take();
  assert.ok(ack);
  assert.equal(ack.split('\r\n')[0], 'ACK sip:ims@127.0.0.1 SIP/2.0');
  for (const name of ['Via', 'From', 'Call-ID']) assert.equal(headerOf(ack, name), headerOf(sent, name));
  assert.equal(headerOf(ack, 'To'), '<sip:bob@127.0.0.1>;tag=busy');
  assert.equal(headerOf(ack, 'CSeq'), '7 ACK');
  assert.match(ack, /Route: <sip:p1\.example;lr>\r\nRoute: <sip:p2\.example;lr>\r\n/);
  assert.deepEqual(events, ['486']);
});

test('RFC 3261 §17.1.1.2: a repeated 300-699 is acknowledged again, not reported again, until timer D', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient(INVITE);
  bench.answer(sent, 486);
  bench.transport.take();
  bench.clock.advance(31_000);
  bench.answer(sent, 486);
  assert.deepEqual(bench.transport.takeKinds(), ['ACK']);
  bench.answer(sent, 200);
  bench.answer(sent, 180);
  assert.deepEqual(bench.transport.takeKinds(), []);
  assert.deepEqual(events, ['486']);
  bench.clock.advance(1000);
  assert.deepEqual(events, ['486', 'terminated']);
});

test('RFC 3261 §17.1.1.2: timer D is zero over a reliable transport', () => {
  const bench = new TransactionBench('tcp');
  const { sent, events } = bench.startClient(INVITE);
  bench.answer(sent, 486);
  bench.clock.advance(0);
  assert.deepEqual(events, ['486', 'terminated']);
});

for (const protocol of ['udp', 'tcp'] as const)
  test(`RFC 6026 §7.2: over ${protocol} each 2xx goes up while Accepted, for 64*T1; nothing else does`, () => {
    const bench = new TransactionBench(protocol);
    const { sent, events } = bench.startClient(INVITE);
    bench.answer(sent, 200, { toTag: 'fork1' });
    bench.answer(sent, 180, { toTag: 'fork2' });
    bench.answer(sent, 486, { toTag: 'fork2' });
    bench.clock.advance(31_900);
    bench.answer(sent, 200, { toTag: 'fork2' });
    assert.deepEqual(events, ['200', '200']);
    bench.clock.advance(100);
    assert.deepEqual(events, ['200', '200', 'terminated']);
    assert.deepEqual(bench.transport.takeKinds(), ['INVITE']);
    bench.answer(sent, 200, { toTag: 'fork3' });
    assert.equal(bench.strays.length, 1);
  });

test('RFC 3261 §13.3.1.1, RFC 3262 §3: a repeated provisional is told once; a new one, or one a minute later, is told', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient(INVITE);
  bench.answer(sent, 180);
  bench.clock.advance(T1);
  bench.answer(sent, 180);
  bench.answer(sent, 180, { toTag: 'other-fork' });
  bench.answer(sent, 183, { headers: ['RSeq: 1'] });
  bench.clock.advance(8000);
  bench.answer(sent, 183, { headers: ['RSeq: 1'] });
  bench.answer(sent, 183, { headers: ['RSeq: 2'] });
  assert.deepEqual(events, ['180', '180', '183', '183']);
  bench.clock.advance(60_000);
  bench.answer(sent, 180);
  assert.deepEqual(events.slice(4), ['180']);
});

test('RFC 3262 §4: a reliable provisional that overtook another is left until its turn; forks count by themselves', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient(INVITE);
  const answer = (rseq: number, toTag = 'b1'): void =>
    bench.answer(sent, 183, { toTag, headers: ['Require: 100rel', `RSeq: ${rseq}`] });
  answer(7);
  answer(9);
  assert.equal(events.length, 1);
  answer(8);
  answer(9);
  answer(7);
  assert.equal(events.length, 3);
  answer(9, 'other-fork');
  answer(10, 'other-fork');
  assert.equal(events.length, 5);
});

test('RFC 3261 §16.7: a proxy hears every provisional as often as it comes', () => {
  const bench = new TransactionBench();
  const { sent, user, events } = bench.startClient(INVITE);
  Object.assign(user, { wantsRepetitions: true });
  for (let times = 0; times < 3; times++)
    bench.answer(sent, 183, { headers: ['Require: 100rel', 'RSeq: 1'] });
  assert.deepEqual(events, ['183', '183', '183']);
});

test('RFC 3261 §9.1: CANCEL waits for a provisional, has the Via of the INVITE and ends it after 64*T1', () => {
  const bench = new TransactionBench();
  const { tx, sent, events } = bench.startClient({
    ...INVITE,
    cseq: 3,
    headers: ['Route: <sip:p.example;lr>'],
  });
  bench.transport.take();
  const cancel = tx.cancel([{ name: 'Reason', value: 'SIP;cause=200' }]);
  assert.equal(cancel?.method, 'CANCEL');
  assert.equal(tx.cancel([]), cancel);
  assert.deepEqual(bench.transport.takeKinds(), []);
  bench.answer(sent, 100);
  const [text] = bench.transport.take();
  assert.ok(text);
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'Route'])
    assert.equal(headerOf(text, name), headerOf(sent, name));
  assert.equal(text.split('\r\n')[0], sent.split('\r\n')[0]?.replace('INVITE', 'CANCEL'));
  assert.equal(headerOf(text, 'CSeq'), '3 CANCEL');
  assert.equal(headerOf(text, 'Reason'), 'SIP;cause=200');
  bench.answer(text, 200);
  bench.clock.advance(31_900);
  assert.deepEqual(events, []);
  bench.clock.advance(100);
  assert.deepEqual(events, ['timeout', 'terminated']);
  assert.equal(tx.cancel([]), undefined);
});

test('RFC 3261 §9.1: CANCEL is its own transaction, repeated until answered; 487 ends the INVITE', () => {
  const bench = new TransactionBench();
  const { tx, sent, events } = bench.startClient(INVITE);
  bench.answer(sent, 180);
  bench.transport.take();
  tx.cancel([]);
  const [cancel] = bench.transport.take();
  assert.deepEqual(bench.sendTimes(2000), [500, 1500]);
  bench.answer(cancel ?? '', 200);
  bench.answer(sent, 487);
  assert.deepEqual(bench.transport.takeKinds(), ['ACK']);
  assert.deepEqual(events, ['180', '487']);
});

test('RFC 3261 §9.1: a final response before the provisional leaves no CANCEL to send', () => {
  const bench = new TransactionBench();
  const { tx, sent, events } = bench.startClient(INVITE);
  tx.cancel([]);
  bench.answer(sent, 200);
  assert.deepEqual(bench.transport.takeKinds(), ['INVITE']);
  assert.deepEqual(events, ['200']);
});

test('RFC 3261 §16.8, §16.6: timer C cancels an INVITE that only rings; 101-199 start it anew, 100 does not', () => {
  const bench = new TransactionBench();
  const { sent, events } = bench.startClient(INVITE);
  bench.answer(sent, 180);
  bench.clock.advance(184_000);
  bench.answer(sent, 183);
  bench.clock.advance(184_000);
  bench.answer(sent, 100);
  bench.transport.take();
  bench.clock.advance(999);
  assert.deepEqual(bench.transport.takeKinds(), []);
  bench.clock.advance(1);
  assert.deepEqual(bench.transport.takeKinds(), ['CANCEL']);
  bench.clock.advance(32_000);
  assert.deepEqual(events, ['180', '183', 'timeout', 'terminated']);
});

test('RFC 3261 §17.1.4: a transport failure while Calling is reported once; later it is not', () => {
  const bench = new TransactionBench();
  const calling = bench.startClient(INVITE);
  bench.transport.failLastSend();
  bench.transport.failLastSend();
  assert.deepEqual(calling.events, ['transport', 'terminated']);
  const ringing = bench.startClient(INVITE);
  bench.answer(ringing.sent, 180);
  bench.transport.failLastSend();
  assert.deepEqual(ringing.events, ['180']);
});

test('RFC 3261 §17.1.4: a connection that had been closed is tried anew, once', () => {
  const bench = new TransactionBench('tcp');
  const { events } = bench.startClient(INVITE);
  bench.transport.failLastSend('CONNECTION_CLOSED');
  assert.deepEqual(bench.transport.takeKinds(), ['INVITE', 'INVITE']);
  bench.transport.failLastSend('CONNECTION_CLOSED');
  assert.deepEqual(events, ['transport', 'terminated']);
});
