import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { notified, resubscribe, stateOf, subscribe, subscribeRequest } from '../../support/event-steps.js';
import { ManualClock } from '../../support/manual-clock.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

const MWI = 'message-summary';

describe('subscriptions', () => {
  let rig: CallRig;
  let clock: ManualClock;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    clock = new ManualClock();
    rig = await startCallRig({ clock, events: { maxPerUser: 3, maxTotal: 5, intervalMs: 1000 } });
    a = await rig.phone('1001', { register: false });
    b = await rig.phone('1002', { register: false });
  });
  after(() => rig.close());
  beforeEach(async () => {
    for (const { id } of rig.events.subscriptions()) rig.events.endSubscription(id);
    await waitFor('no subscription', async () => {
      for (const phone of [a, b]) if (phone.has('NOTIFY')) phone.respond(await phone.next('NOTIFY'), 200);
      return rig.events.subscriptions().length === 0;
    });
  });

  async function hasNotify(phone: SipPeer): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return phone.has('NOTIFY');
  }

  /** Answers have arrived: time may go on. */
  function settled(): Promise<void> {
    return waitFor('answers', () => Object.values(rig.connection.waiting()).every((count) => count === 0));
  }

  /** A message for 1001 that nobody takes. */
  async function leaveMessage(text: string): Promise<void> {
    const request = b.request('MESSAGE', 'sip:1001@127.0.0.1');
    request.append('Content-Type', 'text/plain');
    request.body = Buffer.from(text);
    assert.equal((await b.withCredentials(request)).statusCode, 202);
  }

  test('RFC 6665 §4.2.1.1, §4.2.1.2, §8.2.3, RFC 3842 §3.4, §5.2: authenticated, 200 with Expires, NOTIFY with the full state in its dialog at once', async () => {
    const request = subscribeRequest(a, '1001', MWI);
    a.send(request);
    const challenge = await a.final(request);
    assert.equal(challenge.statusCode, 401);
    const ok = await a.final(a.sendWithCredentials(request, challenge));
    assert.deepEqual([ok.statusCode, ok.get('expires')], [200, '3600']);
    const notify = await notified(a);
    assert.equal(stateOf(notify), 'active;expires=3600');
    assert.deepEqual([notify.get('event'), notify.fromTag, notify.toTag], [MWI, ok.toTag, request.fromTag]);
    assert.equal(notify.get('contact'), ok.get('contact'));
    assert.equal(
      notify.body.toString(),
      'Messages-Waiting: no\r\nMessage-Account: sip:1001@ims\r\nText-Message: 0/0 (0/0)\r\n',
    );
  });

  test('RFC 6665 §4.2.1.1, §8.2.2, §8.3.2, RFC 3261 §20.1, §21.4.7: refusals', async () => {
    const cases: [string, string, Record<string, string>, number, string, RegExp][] = [
      ['1001', 'x-unknown', {}, 489, 'allow-events', /message-summary/],
      ['1001', MWI, { Expires: '10' }, 423, 'min-expires', /^60$/],
      ['1001', MWI, { Expires: 'soon' }, 400, 'call-id', /./],
      ['1001', MWI, { Accept: 'text/plain' }, 406, 'accept', /simple-message-summary/],
      ['1001', MWI, { Require: 'x-unknown' }, 420, 'unsupported', /x-unknown/],
      ['1002', MWI, {}, 403, 'call-id', /./],
      ['9999', MWI, {}, 404, 'call-id', /./],
    ];
    for (const [user, event, headers, status, name, value] of cases) {
      const response = await a.withCredentials(subscribeRequest(a, user, event, headers));
      assert.equal(response.statusCode, status, JSON.stringify({ user, event, headers }));
      assert.match(response.get(name) ?? '', value);
    }
    const stranger = subscribeRequest(a, '1001', MWI);
    stranger.set('From', '<sip:1002@127.0.0.1>;tag=x');
    assert.equal((await a.withCredentials(stranger)).statusCode, 403);
    assert.deepEqual(rig.events.subscriptions(), []);
  });

  test('RFC 6665 §4.2.1.4, §4.5.2, §5.4, §8.2.1: a refresh, and the end by Expires: 0; then 481', async () => {
    const { dialog } = await subscribe(a, '1001', `${MWI};id=7`, { Expires: '100000' });
    assert.equal((await resubscribe(a, dialog, MWI, 120)).statusCode, 481, 'of another id');
    const ok = await resubscribe(a, dialog, `${MWI};id=7`, 120);
    assert.deepEqual([ok.statusCode, ok.get('expires')], [200, '120']);
    const notify = await notified(a);
    assert.deepEqual([stateOf(notify), notify.get('event')], ['active;expires=120', `${MWI};id=7`]);
    assert.equal((await resubscribe(a, dialog, `${MWI};id=7`, 0)).statusCode, 200);
    assert.equal(stateOf(await notified(a)), 'terminated;reason=timeout');
    await waitFor('no subscription', () => rig.events.subscriptions().length === 0);
    assert.equal((await resubscribe(a, dialog, `${MWI};id=7`, 120)).statusCode, 481);
  });

  test('RFC 6665 §4.2.1.4: a refresh of one that is ending is 481, and grants no time', async () => {
    const { dialog } = await subscribe(a, '1001', MWI);
    await settled();
    rig.events.endSubscription(rig.events.subscriptions()[0]?.id ?? '');
    const last = await a.next('NOTIFY');
    const refused = await resubscribe(a, dialog, MWI, 120);
    assert.deepEqual([refused.statusCode, refused.get('expires')], [481, undefined]);
    a.respond(last, 200);
    await waitFor('no subscription', () => rig.events.subscriptions().length === 0);
  });

  test('RFC 6665 §4.4.3: Expires: 0 outside a dialog asks for the state once', async () => {
    const { notify } = await subscribe(a, '1001', MWI, { Expires: '0' });
    assert.equal(stateOf(notify), 'terminated;reason=timeout');
    assert.match(notify.body.toString(), /^Messages-Waiting: /);
    await waitFor('no subscription', () => rig.events.subscriptions().length === 0);
  });

  test('RFC 6665 §4.2.2: runs out without a refresh', async () => {
    await subscribe(a, '1001', MWI, { Expires: '60' });
    await settled();
    clock.advance(59_000);
    assert.equal(await hasNotify(a), false);
    clock.advance(1000);
    assert.equal(stateOf(await notified(a)), 'terminated;reason=timeout');
  });

  test('RFC 3842 §3.11: changes in quick succession are told in one NOTIFY, one at a time', async () => {
    await subscribe(a, '1001', MWI);
    await settled();
    await leaveMessage('one');
    await leaveMessage('two');
    assert.equal(await hasNotify(a), false, 'not sooner than a second after the first');
    clock.advance(1000);
    const notify = await a.next('NOTIFY');
    assert.match(
      notify.body.toString(),
      /^Messages-Waiting: yes\r\n(?:.*\r\n)*Text-Message: 2\/0 \(0\/0\)\r\n$/,
    );
    await leaveMessage('three');
    clock.advance(5000);
    assert.equal(await hasNotify(a), false, 'the former one is not answered yet');
    a.respond(notify, 200);
    assert.match((await notified(a)).body.toString(), /Text-Message: 3\/0/);
  });

  test('RFC 6665 §4.2.2: a phone that answers NOTIFY by 481 has no subscription any more, here and in the engine', async () => {
    const { dialog } = await subscribe(a, '1001', MWI);
    clock.advance(1000);
    await leaveMessage('four');
    a.respond(await a.next('NOTIFY'), 481);
    const last = await a.next('NOTIFY');
    assert.equal(stateOf(last), 'terminated;reason=noresource');
    a.respond(last, 481);
    await waitFor('no subscription', () => rig.events.subscriptions().length === 0);
    assert.equal((await resubscribe(a, dialog, MWI, 120)).statusCode, 481);
  });

  test('RFC 6665 §4.2.2: an answer that says nothing of the subscription leaves it', async () => {
    const { dialog } = await subscribe(a, '1001', MWI);
    clock.advance(1000);
    await leaveMessage('five');
    a.respond(await a.next('NOTIFY'), 500);
    assert.equal((await resubscribe(a, dialog, MWI, 120)).statusCode, 200);
    assert.equal(stateOf(await notified(a)), 'active;expires=120');
  });

  test('is bounded for one subscriber', async () => {
    for (let i = 0; i < 3; i++) await subscribe(a, '1001', MWI);
    const response = await a.withCredentials(subscribeRequest(a, '1001', MWI));
    assert.equal(response.statusCode, 480);
    assert.ok(Number(response.get('retry-after')) > 0);
    assert.equal(rig.events.subscriptions().length, 3);
  });

  test('a SUBSCRIBE that would make a dialog that is there is refused by the engine, and takes no room', async () => {
    const first = subscribeRequest(a, '1001', MWI);
    assert.equal((await a.withCredentials(first)).statusCode, 200);
    await notified(a);
    for (let i = 1; i <= 4; i++) {
      const again = subscribeRequest(a, '1001', MWI);
      again.set('Call-ID', first.callId ?? '').set('From', first.get('from') ?? '');
      again.set('CSeq', `${10 * i} SUBSCRIBE`);
      assert.equal((await a.withCredentials(again)).statusCode, 480);
    }
    assert.equal(rig.events.subscriptions().length, 1);
    for (let i = 0; i < 2; i++) await subscribe(a, '1001', MWI);
  });

  test('ends when its account is taken out of service', async () => {
    await subscribe(b, '1002', MWI);
    clock.advance(1000);
    await rig.users.modify('1002', { status: 'SUSPENDED' });
    rig.events.messagesChanged('1002');
    assert.equal(stateOf(await notified(b)), 'terminated;reason=rejected');
    await rig.users.modify('1002', { status: 'ACTIVE' });
    await waitFor('no subscription', () => rig.events.subscriptions().length === 0);
  });

  test('does not pass to another account of that name, neither who watches nor who is watched', async () => {
    const renew = async (username: string): Promise<void> => {
      await rig.users.remove(username);
      await rig.users.add(username, { password: `${username}-secret` });
    };
    await subscribe(a, '1001', MWI);
    await settled();
    clock.advance(1000);
    await renew('1001');
    await leaveMessage('for the new one');
    const last = await notified(a);
    assert.deepEqual([stateOf(last), last.body.length], ['terminated;reason=rejected', 0]);
    await subscribe(a, '1002', 'presence');
    await settled();
    clock.advance(1000);
    await renew('1002');
    rig.events.registrationChanged('1002');
    assert.equal(stateOf(await notified(a)), 'terminated;reason=rejected');
    await waitFor('no subscription', () => rig.events.subscriptions().length === 0);
  });

  test('draining: no new ones, 503; the end tells phones to subscribe anew', async () => {
    await subscribe(a, '1001', MWI);
    rig.events.setDraining(true);
    assert.equal((await b.withCredentials(subscribeRequest(b, '1002', MWI))).statusCode, 503);
    const closed = rig.events.close();
    assert.equal(stateOf(await notified(a)), 'terminated;reason=deactivated');
    await closed;
    assert.deepEqual(rig.events.subscriptions(), []);
  });
});
