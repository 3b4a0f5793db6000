import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createResponse } from '../../../src/sip/response.js';
import { RawUdp } from '../../support/raw-sockets.js';
import {
  FAST_TIMERS,
  RecordingClientUser,
  requestFrom,
  type Stack,
  startStack,
} from '../../support/sip-stack.js';
import { headerOf, requestText, responseText, statusOf } from '../../support/sip-text.js';

let stack: Stack;
let phone: RawUdp;

beforeEach(async () => {
  stack = await startStack({ timers: FAST_TIMERS });
  phone = await RawUdp.open();
});

afterEach(async () => {
  await phone.close();
  await stack.close();
});

test('RFC 3581 §4: a response goes to the source address and port, received and rport filled in', async () => {
  phone.send(requestText({ via: 'SIP/2.0/UDP 10.1.2.3:5080;rport' }), stack.port('udp'));
  const tx = await stack.requests.next();
  assert.equal(tx.respond(createResponse(tx.request, 200, 'OK', 'x')), true);
  const response = await phone.inbox.next();
  assert.equal(statusOf(response), 200);
  const via = headerOf(response, 'Via') ?? '';
  assert.match(via, /^SIP\/2\.0\/UDP 10\.1\.2\.3:5080/);
  assert.match(via, /;received=127\.0\.0\.1(;|$)/);
  assert.match(via, new RegExp(`;rport=${phone.port}(;|$)`));
});

test('RFC 3261 §17.1.2.2: a request is sent again until it is answered, same bytes, same source port', async () => {
  const user = new RecordingClientUser();
  const tx = stack.transactions.createClient(
    requestFrom(requestText()),
    { protocol: 'udp', address: '127.0.0.1', port: phone.port },
    user,
  );
  const first = await phone.inbox.next();
  const second = await phone.inbox.next();
  assert.equal(second, first);
  assert.equal(first.length, tx.sizeBytes);
  assert.match(
    headerOf(first, 'Via') ?? '',
    new RegExp(`^SIP/2\\.0/UDP 127\\.0\\.0\\.1:${stack.port('udp')};branch=z9hG4bK[^;]{10,};rport$`),
  );
  phone.send(responseText(first, 200), stack.port('udp'));
  assert.equal((await user.responses.next()).statusCode, 200);
});

test('RFC 3261 §18.4: a refused UDP request fails at once', async () => {
  const dead = await RawUdp.open();
  const { port } = dead;
  await dead.close();
  const user = new RecordingClientUser();
  const startedMs = performance.now();
  const invite = requestFrom(requestText({ method: 'INVITE' }));
  stack.transactions.createClient(invite, { protocol: 'udp', address: '127.0.0.1', port }, user);
  assert.equal(await user.failures.next(), 'transport');
  assert.ok(performance.now() - startedMs < 1000);
  assert.equal(stack.transport.counters.udpRefusals > 0, true);
});
