import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_OVERLOAD, LoopDelay, OverloadMonitor } from '../../../src/engine/overload.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';
import { headerOf, requestText } from '../../support/sip-text.js';
import { TransactionBench } from '../../support/transaction-bench.js';

const CALM = { loopDelayMs: 0, waitingRequests: 0, backlogBytes: 0 };
const VIA = 'SIP/2.0/UDP 192.0.2.9:5070';

describe('overload', () => {
  function monitor(settings = {}) {
    const clock = new ManualClock();
    const watched = { signs: CALM };
    const all = { ...DEFAULT_OVERLOAD, loopDelayMs: 200, waitingRequests: 100, ...settings };
    const overload = new OverloadMonitor(all, clock, silentLogger, () => watched.signs);
    const after = (ms: number, signs = {}): boolean => {
      watched.signs = { ...CALM, ...signs };
      clock.advance(ms);
      return overload.isOverloaded;
    };
    return { overload, clock, after };
  }

  test('any one sign begins it, once two looks agree: one long pause is none', () => {
    for (const signs of [{ loopDelayMs: 200 }, { waitingRequests: 100 }, { backlogBytes: 8 << 20 }]) {
      const { after, overload } = monitor();
      assert.equal(after(500, signs), false);
      assert.equal(after(500), false);
      assert.equal(after(500, signs), false);
      assert.equal(after(500, signs), true);
      assert.deepEqual(overload.stats(), { active: 1, entered: 1, ...CALM, ...signs });
    }
  });

  test('it ends when all signs stay below half of their limits: it does not flicker', () => {
    const { after, overload } = monitor();
    assert.equal(after(1000, { waitingRequests: 100 }), true);
    assert.equal(after(10_000, { waitingRequests: 60 }), true);
    assert.equal(after(10_000, { waitingRequests: 10, loopDelayMs: 110 }), true);
    assert.equal(after(1500, { waitingRequests: 49, loopDelayMs: 99 }), true);
    assert.equal(after(500, { waitingRequests: 49 }), false);
    assert.equal(overload.stats().entered, 1);
  });

  test('a limit of 0 is none; nothing is left to run after the end', async () => {
    const { after, overload, clock } = monitor({ loopDelayMs: 0, waitingRequests: 0, backlogBytes: 0 });
    assert.equal(after(5000, { loopDelayMs: 1e6, waitingRequests: 1e6, backlogBytes: 1e9 }), false);
    await overload.close();
    assert.equal(clock.pendingTimers, 0);
  });

  test('the delay of the event loop is seen, during a block and after it', async () => {
    const loop = new LoopDelay();
    const block = (ms: number): void => {
      for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
    };
    await delay(60);
    loop.look();
    block(300);
    assert.ok(loop.look() >= 250);
    block(300);
    await delay(5);
    assert.ok(loop.look() >= 250);
    await loop.close();
  });

  test('RFC 3261 §21.5.4: requests outside dialogs get 503 with Retry-After and no transaction', () => {
    const bench = new TransactionBench();
    bench.isOverloaded = true;
    for (const method of ['INVITE', 'REGISTER', 'OPTIONS', 'MESSAGE', 'SUBSCRIBE'])
      bench.transport.deliver(requestText({ method, via: VIA }));
    const sent = bench.transport.take();
    assert.equal(sent.length, 5);
    for (const text of sent) {
      assert.match(text, /^SIP\/2\.0 503 /);
      const afterSec = Number(headerOf(text, 'Retry-After'));
      assert.ok(afterSec >= 5 && afterSec <= 15, `${afterSec}`);
    }
    assert.deepEqual(bench.layer.counts().inviteServer, {});
    assert.equal(bench.requests.length, 0);
    assert.equal(bench.layer.refusedRequests, 5);
  });

  test('RFC 3261 §21.5.4: requests in dialogs, CANCEL, ACK and what is known already are taken all the same', () => {
    const bench = new TransactionBench();
    const invite = bench.startServer({ method: 'INVITE', branch: 'z9hG4bKa', callId: 'a' });
    invite.respond(180);
    bench.transport.take();
    bench.isOverloaded = true;
    bench.transport.deliver(invite.text);
    assert.deepEqual(bench.transport.takeKinds(), ['180']);
    bench.transport.deliver(requestText({ method: 'CANCEL', via: VIA, branch: 'z9hG4bKa', callId: 'a' }));
    for (const method of ['BYE', 'INVITE', 'INFO', 'UPDATE'])
      bench.transport.deliver(requestText({ method, via: VIA, toTag: 'any' }));
    bench.transport.deliver(requestText({ method: 'ACK', via: VIA }));
    assert.deepEqual(
      bench.requests.map(({ request }) => request.method),
      ['INVITE', 'CANCEL', 'BYE', 'INVITE', 'INFO', 'UPDATE'],
    );
    assert.equal(bench.acks.length, 1);
    assert.equal(bench.layer.refusedRequests, 0);
  });

  test('503s are bounded by the second: over it requests are dropped', () => {
    const bench = new TransactionBench('udp', { maxOverloadResponsesPerSecond: 10 });
    bench.isOverloaded = true;
    const flood = (): number => {
      for (let i = 0; i < 50; i++) bench.transport.deliver(requestText({ method: 'REGISTER', via: VIA }));
      return bench.transport.take().length;
    };
    assert.equal(flood(), 10);
    bench.clock.advance(1000);
    assert.equal(flood(), 10);
    assert.equal(bench.layer.refusedRequests, 100);
  });
});
