import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { BlockedSources } from '../../../src/engine/transport/blocked-sources.js';
import { createTransportCounters } from '../../../src/engine/transport/counters.js';
import type { TransportError } from '../../../src/engine/transport/errors.js';
import { DEFAULT_TRANSPORT_LIMITS } from '../../../src/engine/transport/limits.js';
import { type Link, StreamLink } from '../../../src/engine/transport/link.js';
import { StreamListener } from '../../../src/engine/transport/stream-listener.js';
import type { ListenerContext } from '../../../src/engine/transport/types.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';

/** Its peers never answer. */
class UnansweredListener extends StreamListener {
  protected readonly canDial = true;

  protected accept(): void {}

  protected dial(): Link {
    return new StreamLink(new Socket());
  }
}

test('RFC 3261 §18.4: a connection that is not made in time fails what waits for it', async () => {
  const clock = new ManualClock();
  const context: ListenerContext = {
    clock,
    log: silentLogger,
    limits: DEFAULT_TRANSPORT_LIMITS,
    counters: createTransportCounters(),
    credentials: () => {
      throw new Error('no TLS here');
    },
    origins: undefined,
    blocked: new BlockedSources(clock),
    nextFlow: () => 1,
    accept: () => {},
    reject: () => undefined,
  };
  const listener = new UnansweredListener({ protocol: 'tcp', address: '127.0.0.1', port: 0 }, context);
  await listener.start();
  const failures: TransportError[] = [];
  const failure = { onSendFailure: (error: TransportError) => void failures.push(error) };
  const hop = { protocol: 'tcp', address: '192.0.2.1', port: 5060 } as const;
  listener.sendRequest(Buffer.from('one'), hop, failure);
  listener.sendRequest(Buffer.from('two'), hop, failure);
  assert.equal(listener.connectionCount, 1);
  clock.advance(4_999);
  assert.deepEqual(failures, []);
  clock.advance(1);
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['CONNECT_TIMEOUT'],
  );
  assert.equal(listener.connectionCount, 0);
  // RFC 3261 §18.1.1: a request that goes by TCP for its size alone waits less.
  listener.sendRequest(Buffer.from('large'), { ...hop, connectTimeoutMs: 2_000 }, failure);
  clock.advance(1_999);
  assert.equal(failures.length, 1);
  clock.advance(1);
  assert.equal(failures.length, 2);
  await listener.close();
  assert.equal(clock.pendingTimers, 0);
});
