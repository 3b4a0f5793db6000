import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { hear, hearsNextOf, say } from '../../support/message-steps.js';
import { needsBuiltInEngine } from '../../support/parts.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

/** Timer F of the rig's own engine is 640 ms: phones that do not answer are given up soon. */
describe('messages that wait', () => {
  let rig: CallRig;
  let a: SipPeer;
  before(async () => {
    rig = await startCallRig({
      timers: { t1Ms: 10 },
      messages: { maxWaiting: 3, patienceMs: 300, perMinute: 0 },
    });
    a = await rig.phone('1001');
  });
  after(() => rig.close());

  /** Waits until a phone that says nothing is asked no more. */
  const isGivenUp = () =>
    waitFor('phones to be given up', () => !rig.engine?.stats().transactions.nonInviteClient['trying']);

  const waits = (username: string, count: number) =>
    waitFor(`${count} messages that wait`, async () => {
      return (await rig.messaging.waitingFor(username)).length === count;
    });

  test('RFC 3428 §7: what no phone answers is 202 and comes with the next registration, once', {
    skip: needsBuiltInEngine,
  }, async () => {
    const b = await rig.phone('2005');
    assert.equal(await say(a, '2005', 'first'), 202);
    assert.equal(await say(a, '2005', 'second'), 202);
    await b.next('MESSAGE');
    await isGivenUp();
    while (b.has('MESSAGE')) await b.next('MESSAGE');
    await b.register();
    assert.equal(await hear(b), 'first');
    assert.equal(await hear(b), 'second');
    await b.register();
    await hearsNextOf(a, '2005', b);
  });

  test('what waits goes ahead of a new message', { skip: needsBuiltInEngine }, async () => {
    const b = await rig.phone('2011');
    assert.equal(await say(a, '2011', 'older'), 202);
    await b.next('MESSAGE');
    await isGivenUp();
    const sent = say(a, '2011', 'newer');
    assert.equal(await hear(b), 'older');
    assert.equal(await hear(b), 'newer');
    assert.equal(await sent, 200);
  });

  test('a phone that takes a message late has it once', async () => {
    const b = await rig.phone('2006');
    const sent = say(a, '2006', 'slow');
    const heard = await b.next('MESSAGE');
    assert.equal(await sent, 202);
    b.respond(heard, 200);
    await waits('2006', 0);
    await b.register();
    await hearsNextOf(a, '2006', b);
  });

  test('a mailbox takes so many and no more; RFC 3428 §7: what has expired is not kept', async () => {
    await rig.phone('2007', { register: false });
    assert.equal(await say(a, '2007', 'now or never', (r) => void r.append('Expires', '0')), 480);
    assert.equal(await say(a, '2007', 'short', (r) => void r.append('Expires', '1')), 202);
    for (const text of ['1', '2']) assert.equal(await say(a, '2007', text), 202);
    assert.equal(await say(a, '2007', '3'), 480);
    await waits('2007', 2);
    const b = await rig.phone('2007');
    assert.equal(await hear(b), '1');
    assert.equal(await hear(b), '2');
    await hearsNextOf(a, '2007', b);
  });

  test('one that a phone refuses stays for the next phone, is not sent at refreshes, and holds nobody up', async () => {
    await rig.phone('2008', { register: false });
    assert.equal(await say(a, '2008', 'refused'), 202);
    assert.equal(await say(a, '2008', 'welcome'), 202);
    const b = await rig.phone('2008');
    assert.equal(await hear(b, 415), 'refused');
    assert.equal(await hear(b), 'welcome');
    const sent = say(a, '2008', 'third');
    assert.equal(await hear(b), 'third');
    assert.equal(await sent, 200);
    for (let i = 0; i < 2; i++) await b.register();
    await hearsNextOf(a, '2008', b);
    await waits('2008', 1);
    const other = await rig.phone('2008');
    assert.equal(await hear(b, 415), 'refused');
    assert.equal(await hear(other), 'refused');
    await waits('2008', 0);
  });

  test('what waits for an account does not pass to another person of that name', async () => {
    await rig.phone('2009', { register: false });
    assert.equal(await say(a, '2009', 'private'), 202);
    await rig.users.remove('2009');
    const b = await rig.phone('2009');
    const sent = say(a, '2009', 'for the new one');
    assert.equal(await hear(b), 'for the new one');
    assert.equal(await sent, 200);
    assert.equal(b.has('MESSAGE'), false);
  });
});

// After the others: on an engine elsewhere two rigs would share what comes in.
test('messages that are on their way to the phones at the end are answered', async (t) => {
  const rig = await startCallRig({ messages: { patienceMs: 30_000 } });
  t.after(() => rig.close());
  const [x, y] = [await rig.phone('4001'), await rig.phone('4002')];
  const sent = x.withCredentials(x.request('MESSAGE', 'sip:4002@127.0.0.1'));
  await y.next('MESSAGE');
  const closing = rig.messaging.close();
  assert.equal((await sent).statusCode, 503);
  await closing;
});
