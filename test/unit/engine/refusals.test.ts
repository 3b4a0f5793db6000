import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createResponse } from '../../../src/sip/response.js';
import { requestText } from '../../support/sip-text.js';
import { TransactionBench } from '../../support/transaction-bench.js';

const VIA = 'SIP/2.0/UDP 192.0.2.9:5070';

/** A bench whose user refuses everything at once with `status`. */
function refusing(status: number, limits = {}): TransactionBench {
  const bench = new TransactionBench('udp', limits);
  bench.onRequest = (tx) => void tx.respond(createResponse(tx.request, status, undefined, 'u1'));
  return bench;
}

function flood(bench: TransactionBench, method: string, count: number): void {
  for (let i = 0; i < count; i++)
    bench.transport.deliver(
      requestText({ method, via: VIA, branch: `z9hG4bKflood${i}`, callId: `flood${i}` }),
    );
}

describe('a flood of requests that are refused', () => {
  test('RFC 3261 §26.3.2.4: of one source few refusals are repeated, the others are sent once', () => {
    const bench = refusing(407, { repeatedRefusalsPerSource: 3 });
    flood(bench, 'INVITE', 100);
    assert.equal(bench.transport.take().length, 100);
    bench.clock.advance(1000);
    assert.equal(bench.transport.take().length, 3);
    bench.clock.advance(31_000);
    assert.equal(bench.transport.take().length, 3 * 9);
    assert.deepEqual(bench.layer.counts().inviteServer, {});
  });

  test('RFC 3261 §17.2.1: acknowledged refusals leave room, so a busy peer has all of its repeated', () => {
    const bench = refusing(486, { repeatedRefusalsPerSource: 3 });
    for (let i = 0; i < 50; i++) {
      const same = { via: VIA, branch: `z9hG4bKbusy${i}`, callId: `busy${i}` };
      bench.transport.deliver(requestText({ method: 'INVITE', ...same }));
      bench.transport.deliver(requestText({ method: 'ACK', toTag: 'u1', ...same }));
    }
    bench.transport.take();
    flood(bench, 'INVITE', 1);
    bench.transport.take();
    bench.clock.advance(500);
    assert.equal(bench.transport.take().length, 1);
  });

  test('unacknowledged refusals over the limit are forgotten, oldest first, and leave nothing behind', () => {
    const bench = refusing(407, { maxUnacknowledgedRefusals: 20 });
    flood(bench, 'INVITE', 1000);
    assert.deepEqual(bench.layer.counts().inviteServer, { completed: 20 });
    assert.equal(bench.layer.forgottenRefusals, 980);
    assert.equal(bench.clock.pendingTimers, 20);
    const newest = { via: VIA, branch: 'z9hG4bKflood999', callId: 'flood999' };
    bench.transport.deliver(requestText({ method: 'ACK', toTag: 'u1', ...newest }));
    assert.deepEqual(bench.layer.counts().inviteServer, { completed: 19, confirmed: 1 });
    assert.equal(bench.acks.length, 0);
  });

  test('RFC 3261 §8.2.7: a forgotten request that comes again is answered again, as without state', () => {
    const bench = refusing(401, { maxRefusedRequests: 20 });
    flood(bench, 'REGISTER', 100);
    assert.deepEqual(bench.layer.counts().nonInviteServer, { completed: 20 });
    assert.equal(bench.requests.length, 100);
    bench.transport.take();
    flood(bench, 'REGISTER', 1);
    assert.deepEqual(bench.transport.takeKinds(), ['401']);
    assert.equal(bench.requests.length, 101);
  });

  test('requests that were not refused are not forgotten', () => {
    const bench = refusing(200, { maxRefusedRequests: 20, maxUnacknowledgedRefusals: 20 });
    flood(bench, 'MESSAGE', 100);
    assert.deepEqual(bench.layer.counts().nonInviteServer, { completed: 100 });
  });
});
