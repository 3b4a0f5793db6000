import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Application } from '../../../src/engine/core/application.js';
import type { CoreContext } from '../../../src/engine/core/core-context.js';
import { createCoreCounters } from '../../../src/engine/core/core-counters.js';
import { MAX_PENDING_REQUESTS, PendingRequests } from '../../../src/engine/core/pending-requests.js';
import { Dialog } from '../../../src/engine/dialog/dialog.js';
import { DialogTable, MAX_DIALOGS } from '../../../src/engine/dialog/dialog-table.js';
import { RatePerSecond } from '../../../src/engine/transaction/rate-per-second.js';
import { DEFAULT_TRANSPORT_LIMITS } from '../../../src/engine/transport/limits.js';
import { DEFAULT_TIMERS, type ServerTransaction } from '../../../src/engine/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { RecordingClientUser, requestFrom, startStack } from '../../support/sip-stack.js';
import { requestText } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';

describe('bounds on what peers can grow', () => {
  test('the table of dialogs says when it is full, and has room again when one ends', () => {
    const table = new DialogTable<{ wireId: string; dialog: Dialog }>();
    const entry = (i: number) => {
      const request = requestFrom(requestText({ method: 'INVITE', callId: `c${i}` }));
      return { wireId: `c${i}`, dialog: Dialog.asUas(request, `t${i}`, '<sip:bob@127.0.0.1>') };
    };
    const first = entry(0);
    table.add(first);
    for (let i = 1; i < MAX_DIALOGS - 1; i++) table.add({ ...first, wireId: `c${i}` });
    assert.equal(table.isFull, false);
    const last = entry(MAX_DIALOGS);
    table.add(last);
    assert.equal(table.isFull, true);
    table.remove(last);
    assert.equal(table.isFull, false);
  });

  test('requests that wait for applications say when they are too many; answered and ringing ones are heard of', () => {
    const clock = new ManualClock();
    const ctx = { clock, timers: DEFAULT_TIMERS, counters: createCoreCounters() } as unknown as CoreContext;
    const pending = new PendingRequests(ctx);
    const app = { connected: true } as Application;
    const request = requestFrom(requestText({ method: 'INVITE' }));
    const add = (i: number) =>
      pending.add({ id: `${i}`, request } as unknown as ServerTransaction, app, 'tag');
    const first = add(0);
    for (let i = 1; i < MAX_PENDING_REQUESTS - 1; i++) add(i);
    assert.equal(pending.isFull, false);
    add(MAX_PENDING_REQUESTS);
    assert.equal(pending.isFull, true);
    assert.equal(pending.unheard, MAX_PENDING_REQUESTS);
    pending.keepWaiting(first);
    pending.keepWaiting(first);
    assert.equal(pending.unheard, MAX_PENDING_REQUESTS - 1);
    pending.finish(first);
    pending.finish(first);
    assert.equal(pending.unheard, MAX_PENDING_REQUESTS - 1);
    assert.equal(pending.isFull, false);
    pending.onApplicationGone(app);
    assert.equal(pending.unheard, 0);
    pending.close();
    assert.equal(clock.pendingTimers, 0);
  });

  test('a rate counts each second anew', () => {
    const clock = new ManualClock();
    const rate = new RatePerSecond(3, clock);
    const burst = (): number => Array.from({ length: 10 }, () => rate.admits()).filter(Boolean).length;
    clock.advance(5000);
    assert.equal(burst(), 3);
    clock.advance(999);
    assert.equal(burst(), 0);
    clock.advance(1);
    assert.equal(burst(), 3);
  });

  test('a connected UDP socket that is not used is given back', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const clock = new ManualClock();
    const stack = await startStack({
      clock,
      listeners: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    });
    t.after(() => stack.close());
    const phone = await RawUdp.open();
    t.after(() => phone.close());
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
    await waitFor('listener and phone alone', () => sockets() === 2);
    const hop = { protocol: 'udp', address: '127.0.0.1', port: phone.port } as const;
    stack.transactions.createClient(requestFrom(requestText()), hop, new RecordingClientUser());
    await phone.inbox.next();
    assert.equal(sockets(), 3);
    // Nothing more is sent once timer F has given up.
    clock.advance(64 * DEFAULT_TIMERS.t1Ms);
    clock.advance(2 * DEFAULT_TRANSPORT_LIMITS.udpPeerIdleMs);
    await waitFor('the socket to be closed', () => sockets() === 2);
  });
});
