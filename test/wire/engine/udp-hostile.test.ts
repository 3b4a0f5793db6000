import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { createResponse } from '../../../src/sip/response.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { type Stack, startStack } from '../../support/sip-stack.js';
import { headerOf, requestText, responseText, statusOf } from '../../support/sip-text.js';

let stack: Stack;
let phone: RawUdp;

beforeEach(async () => {
  stack = await startStack({ transportLimits: { maxErrorResponsesPerSecond: 5 } });
  phone = await RawUdp.open();
});

afterEach(async () => {
  await phone.close();
  await stack.close();
});

/** A good request gets through: what was sent before it has been dealt with. Gives what came before its answer. */
async function stillWorks(): Promise<string[]> {
  phone.send(requestText(), stack.port('udp'));
  const tx = await stack.requests.next();
  tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
  const before: string[] = [];
  for (;;) {
    const message = await phone.inbox.next();
    if (statusOf(message) === 200) return before;
    before.push(message);
  }
}

test('RFC 3261 §21.4.1, §8.2.7: a malformed request gets 400, the same To tag each time, to where it came from', async () => {
  const text = requestText({ via: 'SIP/2.0/UDP 192.0.2.5:5080' }).replace(/^CSeq: .*$/m, 'CSeq: 1 INVITE');
  phone.send(text, stack.port('udp'));
  phone.send(text, stack.port('udp'));
  const [first, second] = [await phone.inbox.next(), await phone.inbox.next()];
  assert.equal(statusOf(first), 400);
  assert.equal(first, second);
  assert.match(headerOf(first, 'To') ?? '', /;tag=.+/);
  assert.match(headerOf(first, 'Via') ?? '', new RegExp(`;received=127\\.0\\.0\\.1;rport=${phone.port}`));
});

test('RFC 3261 §21.5.6: another SIP version gets 505', async () => {
  phone.send(requestText().replace(' SIP/2.0\r\nVia', ' SIP/7.0\r\nVia'), stack.port('udp'));
  assert.equal(statusOf(await phone.inbox.next()), 505);
});

test('RFC 3261 §18.3: a body shorter than Content-Length gets 400; a negative length too', async () => {
  const text = requestText({ method: 'MESSAGE', body: 'hello' });
  phone.send(text.replace('Content-Length: 5', 'Content-Length: 9'), stack.port('udp'));
  assert.equal(statusOf(await phone.inbox.next()), 400);
  phone.send(text.replace('Content-Length: 5', 'Content-Length: -1'), stack.port('udp'));
  assert.equal(statusOf(await phone.inbox.next()), 400);
});

test('silence is due to malformed responses, malformed ACKs, and what is no SIP at all', async () => {
  const request = requestText();
  phone.send(responseText(request, 200).replace(/^CSeq: .*\r\n/m, ''), stack.port('udp'));
  phone.send(requestText({ method: 'ACK', cseqMethod: 'BYE' }), stack.port('udp'));
  phone.send(randomBytes(900), stack.port('udp'));
  phone.send(request.replace(/^Via: .*\r\n/m, ''), stack.port('udp'));
  phone.send('', stack.port('udp'));
  assert.deepEqual(await stillWorks(), []);
  assert.equal(stack.requests.size, 0);
});

test('keep-alives over UDP are counted and not answered', async () => {
  for (const bytes of ['\r\n\r\n', '\r\n', '\0\0\0\0', '\0']) phone.send(bytes, stack.port('udp'));
  assert.deepEqual(await stillWorks(), []);
  assert.equal(stack.transport.counters.keepAlives, 4);
  assert.equal(stack.transport.counters.parseErrors, 0);
});

test('error responses are bounded by the second', async () => {
  const text = requestText().replace(/^CSeq: .*$/m, 'CSeq: none');
  for (let i = 0; i < 30; i++) phone.send(text, stack.port('udp'));
  await stillWorks();
  assert.equal(stack.transport.counters.parseErrors, 30);
  assert.ok(stack.transport.counters.errorResponses <= 10);
});

test('every prefix and many mutations of a request leave the stack working', async () => {
  const text = requestText({ method: 'INVITE', body: 'v=0\r\n' });
  for (let length = 0; length < text.length; length += 7)
    phone.send(text.slice(0, length), stack.port('udp'));
  await stillWorks();
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 0; i < 300; i++) {
    const mutated = Buffer.from(bytes);
    for (const at of randomBytes(3)) mutated[at % mutated.length] = randomBytes(1)[0] ?? 0;
    phone.send(mutated, stack.port('udp'));
    if (i % 50 === 49) await drain();
  }
  await drain();
});

/** A good request gets through among mutated ones that may have been taken. */
async function drain(): Promise<void> {
  const callId = `drain-${randomBytes(4).toString('hex')}`;
  phone.send(requestText({ callId }), stack.port('udp'));
  for (;;) if ((await stack.requests.next()).request.callId === callId) return;
}
