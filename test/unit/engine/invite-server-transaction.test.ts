import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestText } from '../../support/sip-text.js';
import { recordingServerUser, type Server, TransactionBench } from '../../support/transaction-bench.js';

const INVITE = { method: 'INVITE', branch: 'z9hG4bKinvite', callId: 'c1' };
const VIA = { udp: 'SIP/2.0/UDP 192.0.2.9:5070', tcp: 'SIP/2.0/TCP 192.0.2.9:5070' };

/** The ACK of a final response: same branch for a non-2xx, another for a 2xx. */
function ack(bench: TransactionBench, branch = INVITE.branch, toTag = 'u1'): void {
  const via = VIA[bench.transport.hop.protocol as 'udp' | 'tcp'];
  bench.transport.deliver(requestText({ method: 'ACK', via, branch, callId: INVITE.callId, toTag }));
}

function start(protocol: 'udp' | 'tcp' = 'udp'): { bench: TransactionBench; server: Server } {
  const bench = new TransactionBench(protocol);
  return { bench, server: bench.startServer(INVITE) };
}

test('RFC 3261 §17.2.1: a repeated INVITE reaches no one, and gets the last provisional again', () => {
  const { bench, server } = start();
  bench.transport.deliver(server.text);
  assert.deepEqual(bench.transport.takeKinds(), []);
  server.respond(100);
  server.respond(180);
  bench.transport.take();
  bench.transport.deliver(server.text);
  assert.deepEqual(bench.transport.takeKinds(), ['180']);
  assert.equal(bench.requests.length, 1);
});

test('RFC 3261 §17.2.1: timer G repeats 300-699 from T1 up to T2, timer H gives up at 64*T1', () => {
  const { bench, server } = start();
  assert.equal(server.respond(486), true);
  assert.equal(server.tx.answered, true);
  bench.transport.take();
  assert.deepEqual(
    bench.sendTimes(31_900),
    [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  );
  bench.clock.advance(100);
  assert.deepEqual(server.events, ['timeout', 'terminated']);
  assert.equal(bench.clock.pendingTimers, 0);
});

test('RFC 3261 §17.2.1: over a reliable transport 300-699 is not repeated, timer H runs', () => {
  const { bench, server } = start('tcp');
  server.respond(486);
  bench.transport.take();
  assert.deepEqual(bench.sendTimes(31_900), []);
  bench.clock.advance(100);
  assert.deepEqual(server.events, ['timeout', 'terminated']);
});

test('RFC 3261 §17.2.1: the ACK stops retransmission; timer I absorbs further ACKs for T4', () => {
  const { bench, server } = start();
  server.respond(486);
  bench.clock.advance(300);
  ack(bench);
  bench.transport.take();
  assert.deepEqual(bench.layer.counts().inviteServer, { confirmed: 1 });
  assert.deepEqual(bench.sendTimes(4900), []);
  ack(bench);
  bench.transport.deliver(server.text);
  assert.deepEqual(bench.transport.takeKinds(), []);
  bench.clock.advance(100);
  assert.deepEqual(server.events, ['terminated']);
  assert.deepEqual(bench.acks, []);
});

test('RFC 3261 §17.2.1: timer I is zero over a reliable transport', () => {
  const { bench, server } = start('tcp');
  server.respond(486);
  ack(bench);
  bench.clock.advance(0);
  assert.deepEqual(server.events, ['terminated']);
});

test('RFC 3261 §17.2.1: an INVITE repeated while Completed gets the final response again', () => {
  const { bench, server } = start();
  server.respond(404);
  bench.transport.take();
  bench.transport.deliver(server.text);
  assert.deepEqual(bench.transport.takeKinds(), ['404']);
});

for (const protocol of ['udp', 'tcp'] as const)
  test(`RFC 6026 §7.1: over ${protocol} a 2xx leads to Accepted: INVITEs absorbed, ACK and 2xx pass, timer L`, () => {
    const { bench, server } = start(protocol);
    assert.equal(server.respond(200), true);
    bench.transport.take();
    bench.transport.deliver(server.text);
    assert.deepEqual(bench.transport.takeKinds(), []);
    assert.equal(server.respond(200), true);
    assert.deepEqual(bench.transport.takeKinds(), ['200']);
    assert.equal(server.respond(180), false);
    assert.equal(server.respond(486), false);
    ack(bench, 'z9hG4bKother');
    ack(bench, INVITE.branch);
    assert.equal(bench.acks.length, 2);
    assert.deepEqual(bench.sendTimes(31_900), []);
    assert.deepEqual(server.events, []);
    bench.clock.advance(100);
    assert.deepEqual(server.events, ['terminated']);
    assert.deepEqual(bench.layer.counts().inviteServer, {});
    assert.equal(server.respond(200), false);
  });

test('RFC 6026 §7.1: no response follows a final one', () => {
  const { bench, server } = start();
  server.respond(486);
  bench.transport.take();
  assert.equal(server.respond(200), false);
  assert.equal(server.respond(180), false);
  assert.equal(server.respond(486), false);
  assert.deepEqual(bench.transport.takeKinds(), []);
});

test('RFC 3261 §17.2.1: an ACK while Proceeding changes nothing', () => {
  const { bench, server } = start();
  ack(bench);
  assert.deepEqual(bench.layer.counts().inviteServer, { proceeding: 1 });
  assert.equal(server.respond(180), true);
  assert.deepEqual(bench.acks, []);
});

test('RFC 6026 §8.8, RFC 3261 §17.2.4: a response that cannot be sent is reported, and the state stays', () => {
  const { bench, server } = start();
  server.respond(200);
  bench.transport.failLastSend();
  assert.deepEqual(server.events, ['transport']);
  assert.deepEqual(bench.layer.counts().inviteServer, { accepted: 1 });
});

test('RFC 3261 §9.2: a CANCEL finds the INVITE of its branch and sent-by, and no other', () => {
  const { bench, server } = start();
  const cancel = { method: 'CANCEL', callId: 'c1', branch: INVITE.branch };
  const matching = bench.startServer(cancel);
  assert.equal(matching.tx.cancels, server.tx);
  const strange = bench.startServer({ ...cancel, branch: 'z9hG4bKother' });
  assert.equal(strange.tx.cancels, undefined);
  const elsewhere = bench.startServer({ ...cancel, via: 'SIP/2.0/UDP 192.0.2.66:5070' });
  assert.equal(elsewhere.tx.cancels, undefined);
  assert.equal(bench.requests.length, 4);
});

test('RFC 3261 §17.2.3: a branch without the magic cookie is matched as RFC 2543 did', () => {
  const bench = new TransactionBench();
  const invite = { ...INVITE, branch: 'old', cseq: 5 };
  const server = bench.startServer(invite);
  bench.transport.deliver(server.text);
  assert.equal(bench.requests.length, 1);
  const cancel = bench.startServer({ ...invite, method: 'CANCEL' });
  assert.equal(cancel.tx.cancels, server.tx);
  server.respond(486);
  const wrong = { ...invite, method: 'ACK', via: VIA.udp, toTag: 'wrong' };
  bench.transport.deliver(requestText(wrong));
  assert.deepEqual(bench.layer.counts().inviteServer, { completed: 1 });
  bench.transport.deliver(requestText({ ...wrong, toTag: 'u1' }));
  assert.deepEqual(bench.layer.counts().inviteServer, { confirmed: 1 });
  const next = bench.startServer({ ...invite, cseq: 6 });
  assert.notEqual(next.tx, server.tx);
});

test('what happens before there is a user is kept for it', async () => {
  const bench = new TransactionBench();
  bench.transport.deliver(requestText({ ...INVITE, via: VIA.udp }));
  const tx = bench.requests[0]!;
  const { createResponse } = await import('../../../src/sip/response.js');
  tx.respond(createResponse(tx.request, 486, undefined, 'u1'));
  bench.clock.advance(32_000);
  const events: string[] = [];
  tx.user = recordingServerUser(events);
  assert.deepEqual(events, []);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events, ['timeout', 'terminated']);
});

test('RFC 3261 §21.5.1: a user that throws at a request leaves the peer with a 500', () => {
  const bench = new TransactionBench();
  bench.onRequest = () => {
    throw new Error('test');
  };
  bench.startServer(INVITE);
  assert.deepEqual(bench.transport.takeKinds(), ['500']);
});

test('RFC 3261 §21.5.4: over the limit a request gets a 503 with Retry-After and no transaction; an ACK nothing', () => {
  const bench = new TransactionBench('udp', { maxServerTransactions: 1 });
  bench.startServer(INVITE);
  const text = requestText({ via: VIA.udp, method: 'INVITE' });
  bench.transport.deliver(text);
  bench.transport.deliver(text);
  const [first, second] = bench.transport.take();
  assert.match(first ?? '', /^SIP\/2\.0 503 .*\r\nRetry-After: \d+\r\n/s);
  assert.equal(second, first);
  assert.equal(bench.requests.length, 1);
  bench.transport.deliver(requestText({ via: VIA.udp, method: 'ACK' }));
  assert.deepEqual(bench.transport.takeKinds(), []);
});

test('RFC 3261 §15, §9: over the limit calls can still be ended, up to a reserve', () => {
  const bench = new TransactionBench('udp', { maxServerTransactions: 1, reservedServerTransactions: 2 });
  const via = 'SIP/2.0/UDP 192.0.2.9:5070';
  bench.startServer({ ...INVITE, via, branch: 'z9hG4bKinvite' });
  const deliver = (method: string, branch: string, toTag?: string): string[] => {
    const options = { via, method, branch: `z9hG4bK${branch}`, ...(toTag !== undefined && { toTag }) };
    bench.transport.deliver(requestText(options));
    return bench.transport.takeKinds();
  };
  assert.deepEqual(deliver('BYE', '1', 'stranger'), ['503']);
  assert.deepEqual(deliver('CANCEL', '2'), ['503']);
  assert.deepEqual(deliver('CANCEL', 'invite'), []);
  assert.deepEqual(deliver('BYE', '3', 'known'), []);
  assert.deepEqual(
    bench.requests.map((tx) => tx.request.method),
    ['INVITE', 'CANCEL', 'BYE'],
  );
  assert.deepEqual(deliver('BYE', '4', 'known'), ['503']);
});
