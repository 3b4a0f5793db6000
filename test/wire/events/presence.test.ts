import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipRequest, SipResponse } from '../../../src/sip/message.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { notified, resubscribe, subscribe } from '../../support/event-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

const PIDF = 'application/pidf+xml';

function pidf(note: string, id = 'x', basic = 'open'): string {
  return `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:1002@ims"><tuple id="${id}"><status><basic>${basic}</basic></status><note>${note}</note></tuple></presence>`;
}

function notes(notify: SipRequest): string[] {
  assert.equal(notify.get('content-type'), PIDF);
  return [...notify.body.toString().matchAll(/<basic>(.*?)<\/basic>.*?<note>(.*?)<\/note>/g)].map(
    ([, basic, note]) => `${basic} ${note}`,
  );
}

describe('presence', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones({ events: { intervalMs: 0 } }));
  });
  after(() => rig.close());

  function publishRequest(phone: SipPeer, headers: Record<string, string>, body?: string, user = '1002') {
    const request = phone.request('PUBLISH', `sip:${user}@127.0.0.1`, `sip:${phone.username}@127.0.0.1`);
    for (const [name, value] of Object.entries({ Event: 'presence', ...headers }))
      request.append(name, value);
    if (body !== undefined) {
      if (!request.get('content-type')) request.append('Content-Type', PIDF);
      request.body = Buffer.from(body);
    }
    return request;
  }

  /** Resolves the answer of 200, with its SIP-ETag. */
  async function publish(
    headers: Record<string, string>,
    body?: string,
  ): Promise<SipResponse & { etag: string }> {
    const response = await b.withCredentials(publishRequest(b, headers, body));
    assert.equal(response.statusCode, 200);
    const etag = response.get('sip-etag') ?? '';
    assert.match(etag, /^\w{8,}$/);
    return Object.assign(response, { etag });
  }

  test('RFC 3856 §6.4, §6.7: derived from registration and calls when nothing is published', async () => {
    const { dialog, ok, notify } = await subscribe(c, '1002', 'presence');
    assert.equal(ok.get('expires'), '3600');
    assert.deepEqual(notes(notify), ['open Online']);
    const call = await connect(a, b);
    const talking = await notified(c);
    assert.deepEqual(notes(talking), ['open On the phone']);
    assert.match(talking.body.toString(), /<rpid:on-the-phone\/>/);
    await hangUp(a, b, call);
    assert.deepEqual(notes(await notified(c)), ['open Online']);
    await b.register(0);
    assert.deepEqual(notes(await notified(c)), ['closed Offline']);
    await b.register();
    assert.deepEqual(notes(await notified(c)), ['open Online']);
    assert.equal((await resubscribe(c, dialog, 'presence', 0)).statusCode, 200);
    await notified(c);
  });

  test('RFC 3903 §4.2, §4.3, §4.4, §4.5, §6: publish, refresh, modify, remove; two publishers composed', async () => {
    const { dialog } = await subscribe(c, '1002', 'presence');
    const first = await publish({ Expires: '600' }, pidf('Desk'));
    assert.equal(first.get('expires'), '600');
    assert.deepEqual(notes(await notified(c)), ['open Desk']);
    const second = await publish({}, pidf('Mobile'));
    assert.deepEqual(notes(await notified(c)), ['open Desk', 'open Mobile']);
    const refreshed = await publish({ 'SIP-If-Match': first.etag });
    assert.notEqual(refreshed.etag, first.etag);
    const stale = await b.withCredentials(publishRequest(b, { 'SIP-If-Match': first.etag }));
    assert.equal(stale.statusCode, 412);
    const modified = await publish({ 'SIP-If-Match': refreshed.etag }, pidf('Lunch', 'x', 'closed'));
    assert.deepEqual(
      notes(await notified(c)),
      ['closed Lunch', 'open Mobile'],
      'the refresh said nothing new',
    );
    const removed = await publish({ 'SIP-If-Match': modified.etag, Expires: '0' });
    assert.equal(removed.get('expires'), '0');
    assert.deepEqual(notes(await notified(c)), ['open Mobile']);
    await publish({ 'SIP-If-Match': second.etag, Expires: '0' });
    assert.deepEqual(notes(await notified(c)), ['open Online']);
    assert.equal((await resubscribe(c, dialog, 'presence', 0)).statusCode, 200);
    await notified(c);
  });

  test('RFC 3903 §6, RFC 3261 §21.4.11, §21.4.13, RFC 3856 §6.6.2: refusals', async () => {
    const cases: [SipRequest, number, string, RegExp][] = [
      [publishRequest(b, { Event: 'dialog' }, pidf('x')), 489, 'allow-events', /^presence$/],
      [publishRequest(b, { Expires: '5' }, pidf('x')), 423, 'min-expires', /^60$/],
      [publishRequest(b, {}), 400, 'call-id', /./],
      [publishRequest(b, {}, '<presence'), 400, 'call-id', /./],
      [publishRequest(b, { 'SIP-If-Match': 'a, b' }, pidf('x')), 400, 'call-id', /./],
      [publishRequest(b, { 'Content-Type': 'text/plain' }, 'x'), 415, 'accept', /pidf/],
      [publishRequest(b, {}, pidf('x'.repeat(17_000))), 413, 'call-id', /./],
      [publishRequest(b, {}, pidf('x'), '1001'), 403, 'call-id', /./],
      [publishRequest(b, {}, pidf('x'), '9999'), 404, 'call-id', /./],
    ];
    for (const [request, status, name, value] of cases) {
      if (request.get('event') === 'presence, dialog') request.set('Event', 'dialog');
      const response = await b.withCredentials(request);
      assert.equal(response.statusCode, status, request.body.toString().slice(0, 40));
      assert.match(response.get(name) ?? '', value);
    }
  });

  test('RFC 3261 §21.4.11: what is published of one user fits into a datagram, however it is written', async () => {
    const long = `u:${'x'.repeat(1000)}`;
    const children = '<x:y/>'.repeat(200);
    const blown = `<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:x="${long}">${children}</presence>`;
    assert.equal((await b.withCredentials(publishRequest(b, {}, blown))).statusCode, 413);
    const large = pidf('x'.repeat(15_000));
    const etags: string[] = [];
    for (let i = 0; i < 3; i++) etags.push((await publish({}, large)).etag);
    assert.equal((await b.withCredentials(publishRequest(b, {}, large))).statusCode, 413);
    const { notify } = await subscribe(c, '1002', 'presence', { Expires: '0' });
    assert.ok(notify.body.length > 45_000);
    for (const etag of etags) await publish({ 'SIP-If-Match': etag, Expires: '0' });
  });

  test('consoles see what watchers are told, and calls are looked through only where they say something', async (t) => {
    const watch = t.mock.method(rig.control, 'watch');
    const call = await connect(a, b);
    await rig.stateIs('connected');
    const derived = { username: '1002', isOpen: true, note: 'On the phone', publications: 0, watchers: 0 };
    assert.deepEqual(await rig.events.presenceOf('1002'), derived);
    assert.equal(watch.mock.callCount(), 1);
    const { etag } = await publish({}, pidf('Desk', 'x', 'closed'));
    const { expiresAt = 0, ...published } = (await rig.events.presenceOf('1002')) ?? {};
    assert.deepEqual(published, { ...derived, isOpen: false, note: 'Desk', publications: 1 });
    assert.ok(expiresAt > Date.now());
    assert.equal(watch.mock.callCount(), 1);
    await publish({ 'SIP-If-Match': etag, Expires: '0' });
    await hangUp(a, b, call);
    assert.deepEqual(await rig.events.presenceOf('1002'), { ...derived, note: 'Online' });
    assert.equal(await rig.events.presenceOf('9999'), undefined);
  });

  test('is bounded for one user, and published presence of an account that is gone is not that of a later one', async () => {
    const answers: number[] = [];
    for (let i = 0; i < 11; i++)
      answers.push((await b.withCredentials(publishRequest(b, {}, pidf(`p${i}`)))).statusCode);
    assert.deepEqual(answers, [...Array(10).fill(200), 480]);
    await rig.users.remove('1002');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await rig.users.add('1002', { password: '1002-secret' });
    const { notify } = await subscribe(c, '1002', 'presence', { Expires: '0' });
    assert.doesNotMatch(notify.body.toString(), /p1/);
    await publish({}, pidf('new', 'y'));
    const after = await subscribe(c, '1002', 'presence', { Expires: '0' });
    assert.deepEqual(notes(after.notify), ['open new']);
  });
});
