import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, test } from 'node:test';
import { ClientRequest } from '../../../src/call/client-request.js';
import type { SrfEngine, SrfRequest, SrfResponse } from '../../../src/signalling/srf-types.js';
import { ManualClock } from '../../support/manual-clock.js';

type Echo = (error: Error | null, sent?: SrfRequest) => void;

/** The engine at its worst: it says what the test makes it say, or nothing at all. */
class MuteEngine {
  echo: Echo | undefined;
  cancels = 0;
  isConnected = true;
  readonly sent = new EventEmitter();

  request(_options: unknown, echo: Echo): void {
    if (!this.isConnected) throw new Error('no socket');
    this.echo = echo;
  }

  /** What the engine puts on the wire. */
  asSent(method = 'INVITE'): SrfRequest {
    return Object.assign(this.sent, { method, cancel: () => this.cancels++ }) as unknown as SrfRequest;
  }
}

let engine: MuteEngine;
let clock: ManualClock;
let events: string[];

function start(): ClientRequest {
  const request = { method: 'INVITE', uri: 'sip:x', timeoutMs: 10_000 };
  return new ClientRequest(engine as unknown as SrfEngine, clock, request, {
    onSent: () => events.push('sent'),
    onProvisional: (res) => events.push(`provisional ${res.status}`),
    onFinal: (res) => events.push(`final ${res.status}`),
    onFailure: (error) => events.push(`failure ${error.isDialogGone ? 'gone' : ''}`.trim()),
  });
}

const respond = (status: number) => engine.sent.emit('response', { status } as SrfResponse, () => undefined);

beforeEach(() => {
  engine = new MuteEngine();
  clock = new ManualClock();
  events = [];
});

test('an engine that never says that it sent the request ends it by time', () => {
  start();
  clock.advance(4999);
  assert.deepEqual(events, []);
  clock.advance(2);
  assert.deepEqual(events, ['failure']);
});

test('a request that reached the wire after it was given up is taken back', () => {
  start();
  clock.advance(6000);
  engine.echo?.(null, engine.asSent());
  assert.equal(engine.cancels, 1);
  respond(200);
  assert.deepEqual(events, ['failure']);
});

test('no final response in time ends it once, what comes later is ignored', () => {
  start();
  engine.echo?.(null, engine.asSent());
  respond(180);
  clock.advance(10_001);
  respond(200);
  assert.deepEqual(events, ['sent', 'provisional 180', 'failure']);
});

test('an engine that refuses, and one that is not connected, end it', async () => {
  start();
  engine.echo?.(Object.assign(new Error('unable to find dialog'), { code: 'ENODIALOG' }));
  assert.deepEqual(events, ['failure gone']);
  engine.isConnected = false;
  start();
  await new Promise(setImmediate);
  assert.deepEqual(events, ['failure gone', 'failure']);
});

test('RFC 3261 §9.1: CANCEL waits for the INVITE to be on the wire, goes once, and its INVITE still ends', () => {
  const request = start();
  request.cancel();
  assert.equal(engine.cancels, 0);
  engine.echo?.(null, engine.asSent());
  request.cancel();
  assert.equal(engine.cancels, 1);
  clock.advance(39_999);
  assert.deepEqual(events, ['sent']);
  clock.advance(2);
  assert.deepEqual(events, ['sent', 'failure']);
});
