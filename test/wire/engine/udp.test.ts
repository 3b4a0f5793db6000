import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
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
import { headerOf, type RequestText, requestText, responseText } from '../../support/sip-text.js';

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

/** Sends a request from the phone, answers it with 200, gives the response's text. */
async function exchange(request: RequestText): Promise<string> {
  phone.send(requestText(request), stack.port('udp'));
  const tx = await stack.requests.next();
  tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
  return phone.inbox.next();
}

/** Sends a request of ours to the phone. */
function sendToPhone(options: RequestText = {}): RecordingClientUser {
  const user = new RecordingClientUser();
  const hop = { protocol: 'udp', address: '127.0.0.1', port: phone.port } as const;
  stack.transactions.createClient(requestFrom(requestText(options)), hop, user);
  return user;
}

test('RFC 3581 §4: a response goes to the source address and port, received and rport filled in', async () => {
  const via = headerOf(await exchange({ via: 'SIP/2.0/UDP 10.1.2.3:5080;rport' }), 'Via') ?? '';
  assert.match(via, /^SIP\/2\.0\/UDP 10\.1\.2\.3:5080;/);
  assert.match(via, /;received=127\.0\.0\.1(;|$)/);
  assert.match(via, new RegExp(`;rport=${phone.port}(;|$)`));
});

test('RFC 3261 §18.2.1: received is added when sent-by is another host, rport without being asked for', async () => {
  const other = headerOf(await exchange({ via: 'SIP/2.0/UDP phone.example' }), 'Via') ?? '';
  assert.match(other, /;received=127\.0\.0\.1(;|$)/);
  assert.match(other, new RegExp(`;rport=${phone.port}(;|$)`));
  const same = headerOf(await exchange({ via: 'SIP/2.0/UDP 127.0.0.1:5060' }), 'Via') ?? '';
  assert.doesNotMatch(same, /received/);
});

test('RFC 3261 §18.2.1: a received that the client wrote itself does not stand', async () => {
  const via = headerOf(await exchange({ via: 'SIP/2.0/UDP 127.0.0.1;received=192.0.2.66' }), 'Via') ?? '';
  assert.doesNotMatch(via, /192\.0\.2\.66/);
});

test('RFC 3261 §17.1.2.2: a request is sent again until it is answered, same bytes, same source port', async () => {
  const user = sendToPhone();
  const first = await phone.inbox.next();
  assert.equal(await phone.inbox.next(), first);
  const via = new RegExp(
    `^SIP/2\\.0/UDP 127\\.0\\.0\\.1:${stack.port('udp')};branch=z9hG4bK[^;]{10,};rport$`,
  );
  assert.match(headerOf(first, 'Via') ?? '', via);
  phone.send(responseText(first, 200), stack.port('udp'));
  assert.equal((await user.responses.next()).statusCode, 200);
});

test('RFC 3261 §17.2.2: a response that was lost is sent again when the request comes again', async () => {
  const request = requestText();
  phone.send(request, stack.port('udp'));
  const tx = await stack.requests.next();
  tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
  const first = await phone.inbox.next();
  phone.send(request, stack.port('udp'));
  assert.equal(await phone.inbox.next(), first);
  assert.equal(stack.requests.size, 0);
});

test('RFC 3261 §17.2.1: a 486 is repeated until its ACK comes', async () => {
  const invite = { method: 'INVITE', branch: 'z9hG4bKlost', callId: 'lost' };
  phone.send(requestText(invite), stack.port('udp'));
  const tx = await stack.requests.next();
  tx.respond(createResponse(tx.request, 486, undefined, 'u1'));
  const first = await phone.inbox.next();
  assert.equal(await phone.inbox.next(), first);
  assert.equal(await phone.inbox.next(), first);
  phone.send(requestText({ ...invite, method: 'ACK', toTag: 'u1' }), stack.port('udp'));
  const terminated = new Promise<string>((resolve) => {
    tx.user = { onFailure: (_tx, reason) => resolve(reason), onTerminated: () => resolve('terminated') };
  });
  assert.equal(await terminated, 'terminated');
});

test('RFC 3261 §17.1.1.3: each repeated 486 is acknowledged', async () => {
  sendToPhone({ method: 'INVITE' });
  const invite = await phone.inbox.next();
  for (let i = 0; i < 2; i++) {
    phone.send(responseText(invite, 486), stack.port('udp'));
    let next = await phone.inbox.next();
    // On a busy machine the INVITE is repeated before its 486 is read.
    while (next === invite) next = await phone.inbox.next();
    assert.match(next, /^ACK /);
  }
});

test('RFC 3261 §18.4: a refused UDP request fails at once, and the way is free again afterwards', async () => {
  const dead = await RawUdp.open();
  const { port } = dead;
  await dead.close();
  const invite = (): RecordingClientUser => {
    const user = new RecordingClientUser();
    const request = requestFrom(requestText({ method: 'INVITE' }));
    stack.transactions.createClient(request, { protocol: 'udp', address: '127.0.0.1', port }, user);
    return user;
  };
  const refused = invite();
  const startedMs = performance.now();
  assert.equal(await refused.failures.next(), 'transport');
  assert.ok(performance.now() - startedMs < 64 * FAST_TIMERS.t1Ms);
  assert.ok(stack.transport.counters.udpRefusals > 0);
  const risen = await RawUdp.open('127.0.0.1', port);
  const answered = invite();
  risen.send(responseText(await risen.inbox.next(), 200), stack.port('udp'));
  assert.equal((await answered.responses.next()).statusCode, 200);
  await risen.close();
});

test('RFC 3261 §18.1.2, §8.1.3.3, RFC 6026 §8.9: responses whose Via is not ours, or not alone, are dropped; a late one is a stray', async () => {
  const user = sendToPhone({ method: 'INVITE' });
  const invite = await phone.inbox.next();
  const ok = responseText(invite, 200);
  phone.send(ok.replace(/(Via: \S+ )[^;]+/, '$1192.0.2.1:5060'), stack.port('udp'));
  phone.send(ok.replace(/^(Via: .*)$/m, '$1\r\nVia: SIP/2.0/UDP 192.0.2.1'), stack.port('udp'));
  phone.send(ok.replace(/branch=[^;]+/, 'branch=z9hG4bKunknown'), stack.port('udp'));
  assert.equal((await stack.strays.next()).statusCode, 200);
  assert.equal(stack.transport.counters.foreignResponsesDropped, 1);
  assert.deepEqual(user.events, []);
});

test('RFC 3261 §18.2.1: a Via that names another transport is dropped in silence', async () => {
  phone.send(requestText({ via: 'SIP/2.0/TCP 127.0.0.1:5060' }), stack.port('udp'));
  await exchange({});
  assert.equal(stack.transport.counters.viaDropped, 1);
  assert.equal(stack.requests.size + phone.inbox.size, 0);
});

test('RFC 3261 §13.2.2.4: an ACK of a 2xx is sent as it is, and again on demand', async () => {
  const ack = requestFrom(requestText({ method: 'ACK' }));
  const hop = { protocol: 'udp', address: '127.0.0.1', port: phone.port } as const;
  const sent = stack.transactions.sendStateless(ack, hop);
  assert.equal(sent.localPort, stack.port('udp'));
  const first = await phone.inbox.next();
  sent.resend();
  assert.equal(await phone.inbox.next(), first);
  assert.equal(first, sent.text);
  assert.equal(ack.wireText, sent.text);
});

test('RFC 3261 §18.1.1: a datagram may have 65,000 bytes, both ways', async () => {
  const body = 'x'.repeat(60_000);
  phone.send(requestText({ method: 'MESSAGE', body }), stack.port('udp'));
  const tx = await stack.requests.next();
  assert.equal(tx.request.body.length, body.length);
  const response = createResponse(tx.request, 200, 'OK', 'u1');
  response.body = tx.request.body;
  tx.respond(response);
  assert.ok((await phone.inbox.next()).endsWith(body));
});

test('a request too large for UDP fails as a transport error', async () => {
  const request = requestFrom(requestText({ method: 'MESSAGE' }));
  request.body = Buffer.alloc(70_000);
  const user = new RecordingClientUser();
  const hop = { protocol: 'udp', address: '127.0.0.1', port: phone.port } as const;
  stack.transactions.createClient(request, hop, user);
  assert.equal(await user.failures.next(), 'transport');
});

test('RFC 5626 §3.5.2, RFC 5626 §8: a STUN Binding request is answered with the address it came from', async () => {
  const phone = await RawUdp.open();
  const request = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)]);
  const answerTo = async (bytes: Buffer): Promise<Buffer> => {
    phone.send(bytes, stack.port('udp'));
    return Buffer.from(await phone.inbox.next(), 'latin1');
  };
  const answer = await answerTo(request);
  assert.equal(answer.toString('hex', 0, 8), '0101000c2112a442');
  assert.deepEqual(answer.subarray(8, 20), request.subarray(8));
  assert.equal(answer.toString('hex', 20, 26), '002000080001');
  assert.equal(answer.readUInt16BE(26) ^ 0x2112, phone.port);
  assert.equal((answer.readUInt32BE(28) ^ 0x2112a442) >>> 0, 0x7f000001);
  // Other kinds, wrong lengths and old STUN without the cookie are no keep-alives; the next one shows that they were dropped.
  for (const hex of ['00020000', '00010004', '0101'])
    phone.send(Buffer.concat([Buffer.from(hex, 'hex'), request.subarray(hex.length / 2)]), stack.port('udp'));
  phone.send(Buffer.concat([request.subarray(0, 4), randomBytes(16)]), stack.port('udp'));
  const last = Buffer.concat([request.subarray(0, 8), randomBytes(12)]);
  assert.deepEqual((await answerTo(last)).subarray(8, 20), last.subarray(8));
  await phone.close();
});

test('RFC 5389 §15.2: over IPv6 the whole address is in the answer', async () => {
  const v6 = await startStack({ listeners: [{ protocol: 'udp', address: '::1', port: 0 }] });
  const phone = await RawUdp.open('::1');
  const request = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)]);
  phone.send(request, v6.port('udp'), '::1');
  const answer = Buffer.from(await phone.inbox.next(), 'latin1');
  assert.equal(answer.toString('hex', 20, 26), '002000140002');
  const address = answer.subarray(28).map((octet, at) => octet ^ request[4 + at]!);
  assert.equal(Buffer.from(address).toString('hex'), `${'00'.repeat(15)}01`);
  await phone.close();
  await v6.close();
});
