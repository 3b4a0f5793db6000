import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

/** Timer F of the rig's engine is 640 ms: phones that do not answer are given up soon. */
let rig: CallRig;
let a: SipPeer;
before(async () => {
  rig = await startCallRig({
    timers: { t1Ms: 10 },
    messages: { maxBytes: 100, maxWaiting: 3, patienceMs: 300, perMinute: 0 },
  });
  a = await rig.phone('1001');
});
after(() => rig?.close());

function message(to: string, text = 'hi', change?: (request: SipRequest) => void): SipRequest {
  const request = a.request('MESSAGE', `sip:${to}@127.0.0.1`);
  request.append('Content-Type', 'text/plain');
  request.body = Buffer.from(text);
  change?.(request);
  return request;
}

const say = async (...args: Parameters<typeof message>): Promise<number> =>
  (await a.withCredentials(message(...args))).statusCode;

async function hear(phone: SipPeer, status = 200): Promise<string> {
  const heard = await phone.next('MESSAGE');
  phone.respond(heard, status);
  return heard.body.toString();
}

test('RFC 3261 §22.3: a message without credentials is challenged and leaves nothing', async () => {
  const request = message('1001');
  a.send(request);
  const answer = await a.final(request);
  assert.equal(answer.statusCode, 407);
  assert.ok(answer.get('proxy-authenticate'));
});

test('RFC 3261 §22.1: nobody writes as another; anonymous is nobody (RFC 3323 §4.1)', async () => {
  const b = await rig.phone('2001');
  const as = (uri: string) => (request: SipRequest) => void request.set('From', `<${uri}>;tag=x`);
  assert.equal(await say('2001', 'hi', as('sip:2001@127.0.0.1')), 403);
  const sent = say('2001', 'psst', as('sip:anonymous@anonymous.invalid'));
  const heard = await b.next('MESSAGE');
  assert.match(heard.get('from') ?? '', /anonymous\.invalid/);
  assert.doesNotMatch(heard.get('from') ?? '', /1001/);
  b.respond(heard, 200);
  assert.equal(await sent, 200);
});

for (const [what, status, to, text, change] of [
  ['RFC 3261 §21.4.5: an unknown number', 404, '9999', 'hi', undefined],
  ['RFC 3261 §21.4.11: a body that is too large', 413, '1001', 'x'.repeat(101), undefined],
  [
    'RFC 3261 §8.1.1.6: a message that has gone round',
    483,
    '1001',
    'hi',
    (r: SipRequest) => void r.set('Max-Forwards', '0'),
  ],
  [
    'RFC 3261 §8.2.2.3: an extension',
    420,
    '1001',
    'hi',
    (r: SipRequest) => void r.append('Require', 'nothing-we-know'),
  ],
  [
    'RFC 3261 §7.4.1: a body without a type',
    400,
    '1001',
    'hi',
    (r: SipRequest) => void r.remove('content-type'),
  ],
  [
    'RFC 3261 §8.2.3: a packed body',
    415,
    '1001',
    'hi',
    (r: SipRequest) => void r.append('Content-Encoding', 'gzip'),
  ],
  [
    'RFC 3261 §8.2.3: a body that is no text',
    415,
    '1001',
    'hi',
    (r: SipRequest) => {
      r.body = Buffer.from([0xff, 0xfe, 0x41]);
    },
  ],
] as const)
  test(`${what} is ${status}`, async () => {
    assert.equal(await say(to, text, change), status);
  });

test('a suspended recipient is 403', async () => {
  await rig.phone('2002');
  await rig.users.modify('2002', { status: 'SUSPENDED' });
  assert.equal(await say('2002'), 403);
});

test('RFC 3428 §4: types of body go through as they are', async () => {
  const b = await rig.phone('2003');
  const sent = say('2003', '<imdn/>', (r) => void r.set('Content-Type', 'message/imdn+xml; x=1'));
  const heard = await b.next('MESSAGE');
  assert.equal(heard.get('content-type'), 'message/imdn+xml; x=1');
  b.respond(heard, 202);
  assert.equal(await sent, 200);
});

test('RFC 3261 §16.7: of several phones the first 2xx counts, else the best failure', async () => {
  const [b1, b2] = [await rig.phone('2004'), await rig.phone('2004')];
  const sent = say('2004');
  assert.equal(await hear(b1, 486), 'hi');
  assert.equal(await hear(b2, 200), 'hi');
  assert.equal(await sent, 200);
  const again = say('2004', 'again');
  assert.equal(await hear(b1, 603), 'again');
  assert.equal(await hear(b2, 486), 'again');
  assert.equal(await again, 603);
  await b1.register();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(b1.has('MESSAGE'), false, 'what its sender knows to have failed does not come later');
});

test('RFC 3428 §7: what no phone answers is 202 and comes with the next registration, once', async () => {
  const b = await rig.phone('2005');
  assert.equal(await say('2005', 'first'), 202);
  assert.equal(await say('2005', 'second'), 202);
  await b.next('MESSAGE');
  await waitFor('the phone to be given up', () => b.log.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  while (b.has('MESSAGE')) await b.next('MESSAGE');
  await b.register();
  assert.equal(await hear(b), 'first');
  assert.equal(await hear(b), 'second');
  await b.register();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(b.has('MESSAGE'), false);
});

test('what waits goes ahead of a new message', async () => {
  const b = await rig.phone('2011');
  assert.equal(await say('2011', 'older'), 202);
  await b.next('MESSAGE');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const sent = say('2011', 'newer');
  assert.equal(await hear(b), 'older');
  assert.equal(await hear(b), 'newer');
  assert.equal(await sent, 200);
});

test('a phone that takes a message late has it once', async () => {
  const b = await rig.phone('2006');
  const sent = say('2006', 'slow');
  const heard = await b.next('MESSAGE');
  assert.equal(await sent, 202);
  b.respond(heard, 200);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await b.register();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(b.has('MESSAGE'), false);
});

test('a mailbox takes so many and no more; RFC 3428 §7: what has expired is not kept', async () => {
  await rig.phone('2007', { register: false });
  assert.equal(await say('2007', 'now or never', (r) => void r.append('Expires', '0')), 480);
  assert.equal(await say('2007', 'short', (r) => void r.append('Expires', '1')), 202);
  for (const text of ['1', '2']) assert.equal(await say('2007', text), 202);
  assert.equal(await say('2007', '3'), 480);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const b = await rig.phone('2007');
  assert.equal(await hear(b), '1');
  assert.equal(await hear(b), '2');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(b.has('MESSAGE'), false);
});

test('one that a phone refuses stays for the next registration and holds nobody up', async () => {
  await rig.phone('2008', { register: false });
  assert.equal(await say('2008', 'refused'), 202);
  assert.equal(await say('2008', 'welcome'), 202);
  const b = await rig.phone('2008');
  assert.equal(await hear(b, 415), 'refused');
  assert.equal(await hear(b), 'welcome');
  const sent = say('2008', 'third');
  assert.equal(await hear(b), 'third');
  assert.equal(await sent, 200);
  await b.register();
  assert.equal(await hear(b), 'refused');
});

test('what waits for an account does not pass to another person of that name', async () => {
  await rig.phone('2009', { register: false });
  assert.equal(await say('2009', 'private'), 202);
  await rig.users.remove('2009');
  const b = await rig.phone('2009');
  const sent = say('2009', 'for the new one');
  assert.equal(await hear(b), 'for the new one');
  assert.equal(await sent, 200);
  assert.equal(b.has('MESSAGE'), false);
});

test('a short number leads to its subscriber, and the record names both', async () => {
  const b = await rig.phone('2010');
  await rig.numbering.addNumber('77', '2010');
  const sent = say('77', 'short');
  assert.equal(await hear(b), 'short');
  assert.equal(await sent, 200);
});

test('RFC 3261 §20.33: a sender that is too fast hears 480 and how long to wait; others go on', async (t) => {
  const slow = await startCallRig({ messages: { perMinute: 2 } });
  t.after(() => slow.close());
  const [fast, other] = [await slow.phone('3001'), await slow.phone('3002')];
  const to = (phone: SipPeer): SipRequest => phone.request('MESSAGE', 'sip:3003@127.0.0.1');
  await slow.phone('3003', { register: false });
  for (const status of [202, 202]) assert.equal((await fast.withCredentials(to(fast))).statusCode, status);
  const refusal = await fast.withCredentials(to(fast));
  assert.equal(refusal.statusCode, 480);
  assert.ok(Number(refusal.get('retry-after')) > 0);
  assert.equal((await other.withCredentials(to(other))).statusCode, 202);
});

test('messages that are on their way to the phones at the end are answered', async () => {
  const short = await startCallRig({ messages: { patienceMs: 30_000 } });
  const [x, y] = [await short.phone('4001'), await short.phone('4002')];
  const sent = x.withCredentials(x.request('MESSAGE', 'sip:4002@127.0.0.1'));
  await y.next('MESSAGE');
  const closing = short.messaging.close();
  assert.equal((await sent).statusCode, 503);
  await closing;
  await short.close();
});

test('RFC 3261 §12.2.2: a message of a dialog that is over is 481, not mail', async () => {
  const request = message('1001', 'hi', (r) => void r.set('To', '<sip:1001@127.0.0.1>;tag=gone'));
  a.send(request);
  assert.equal((await a.final(request)).statusCode, 481);
});

test('a draining server takes no message', async () => {
  rig.messaging.setDraining(true);
  const request = message('1001');
  a.send(request);
  const answer = await a.final(request);
  rig.messaging.setDraining(false);
  assert.equal(answer.statusCode, 503);
  assert.ok(answer.get('retry-after'));
});
