import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { hear, hearsNextOf, say, textMessage } from '../../support/message-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

let rig: CallRig;
let a: SipPeer;
before(async () => {
  rig = await startCallRig({ messages: { maxBytes: 100, perMinute: 0 } });
  a = await rig.phone('1001');
});
after(() => rig?.close());

test('RFC 3261 §22.3: a message without credentials is challenged and leaves nothing', async () => {
  const request = textMessage(a, '1001');
  a.send(request);
  const answer = await a.final(request);
  assert.equal(answer.statusCode, 407);
  assert.ok(answer.get('proxy-authenticate'));
});

test('RFC 3261 §22.1: nobody writes as another; anonymous is nobody (RFC 3323 §4.1)', async () => {
  const b = await rig.phone('2001');
  const as = (uri: string) => (request: SipRequest) => void request.set('From', `<${uri}>;tag=x`);
  assert.equal(await say(a, '2001', 'hi', as('sip:2001@127.0.0.1')), 403);
  const sent = say(a, '2001', 'psst', as('sip:anonymous@anonymous.invalid'));
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
    assert.equal(await say(a, to, text, change), status);
  });

test('a suspended recipient is 403', async () => {
  await rig.phone('2002');
  await rig.users.modify('2002', { status: 'SUSPENDED' });
  assert.equal(await say(a, '2002'), 403);
});

test('RFC 3428 §4: types of body go through as they are', async () => {
  const b = await rig.phone('2003');
  const sent = say(a, '2003', '<imdn/>', (r) => void r.set('Content-Type', 'message/imdn+xml; x=1'));
  const heard = await b.next('MESSAGE');
  assert.equal(heard.get('content-type'), 'message/imdn+xml; x=1');
  b.respond(heard, 202);
  assert.equal(await sent, 200);
});

test('RFC 3261 §16.7: of several phones the first 2xx counts, else the best failure', async () => {
  const [b1, b2] = [await rig.phone('2004'), await rig.phone('2004')];
  const sent = say(a, '2004');
  assert.equal(await hear(b1, 486), 'hi');
  assert.equal(await hear(b2, 200), 'hi');
  assert.equal(await sent, 200);
  const again = say(a, '2004', 'again');
  assert.equal(await hear(b1, 603), 'again');
  assert.equal(await hear(b2, 486), 'again');
  assert.equal(await again, 603);
  await b1.register();
  // What its sender knows to have failed does not come later.
  await hearsNextOf(a, '2004', b1);
});

test('a short number leads to its subscriber, and the record names both', async () => {
  const b = await rig.phone('2010');
  await rig.numbering.addNumber('77', '2010');
  const sent = say(a, '77', 'short');
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

test('RFC 3261 §12.2.2: a message of a dialog that is over is 481, not mail', async () => {
  const request = textMessage(a, '1001', 'hi', (r) => void r.set('To', '<sip:1001@127.0.0.1>;tag=gone'));
  a.send(request);
  assert.equal((await a.final(request)).statusCode, 481);
});

test('a draining server takes no message', async () => {
  rig.messaging.setDraining(true);
  const request = textMessage(a, '1001');
  a.send(request);
  const answer = await a.final(request);
  rig.messaging.setDraining(false);
  assert.equal(answer.statusCode, 503);
  assert.ok(answer.get('retry-after'));
});
