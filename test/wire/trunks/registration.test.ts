import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sayStep } from '../../../src/routing/steps.js';
import { parseContact } from '../../../src/sip/contact.js';
import type { SipRequest } from '../../../src/sip/message.js';
import { parseUri } from '../../../src/sip/uri.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { addTrunk, reach, refuseAndEnd, routeZero } from '../../support/trunk-steps.js';
import { waitFor } from '../../support/wait-for.js';

const CHALLENGE = 'Digest realm="carrier", nonce="n1", qop="auth"';

describe('trunks that we register with', () => {
  let rig: CallRig;
  let a: SipPeer;
  let carrier: SipPeer;
  beforeEach(async () => {
    rig = await startCallRig();
    a = await rig.phone('1001');
    carrier = await rig.peer('carrier');
    const credentials = { username: 'acme', password: 'our secret', register: true, registerSec: 120 };
    await addTrunk(rig, 'carrier', carrier, { ...credentials, sources: [] });
    await routeZero(rig, 'carrier');
  });
  afterEach(() => rig.close());

  const state = () => rig.trunks.states()[0]!.registration;
  const contactOf = (register: SipRequest): string => parseContact(register.get('contact') ?? '')?.uri ?? '';
  const grant = (register: SipRequest, seconds: number) =>
    carrier.respond(register, 200, { headers: { Contact: `<${contactOf(register)}>;expires=${seconds}` } });
  const isRegistered = () => waitFor('a registration', () => state().state === 'registered');

  test('RFC 3261 §10.2: REGISTER with credentials, one Call-ID, a CSeq that rises, refresh before its time is over', async () => {
    const first = await carrier.next('REGISTER');
    assert.equal(first.requestUri, `sip:127.0.0.1:${carrier.port}`);
    assert.equal(first.get('expires'), '120');
    assert.match(first.get('to') ?? '', /^<sip:acme@127\.0\.0\.1>$/);
    carrier.respond(first, 401, { headers: { 'WWW-Authenticate': CHALLENGE } });
    const second = await carrier.next('REGISTER');
    assert.match(second.get('authorization') ?? '', /username="acme"/);
    assert.equal(second.callId, first.callId);
    assert.equal(second.cseq?.seq, (first.cseq?.seq ?? 0) + 1);
    grant(second, 2);
    await isRegistered();
    const { expiresAt = 0 } = state();
    const refresh = await carrier.next('REGISTER');
    assert.ok(Date.now() < expiresAt, 'the refresh comes before the registration is over');
    assert.equal(refresh.callId, first.callId);
    assert.ok((refresh.cseq?.seq ?? 0) > (second.cseq?.seq ?? 0));
    grant(refresh, 300);
    await waitFor('a longer registration', () => (state().expiresAt ?? 0) > Date.now() + 200_000);
  });

  test('RFC 3261 §10.2.8: after 423 it asks for the time that the registrar wants', async () => {
    carrier.respond(await carrier.next('REGISTER'), 423, { headers: { 'Min-Expires': '1800' } });
    const second = await carrier.next('REGISTER');
    assert.equal(second.get('expires'), '1800');
    grant(second, 1800);
    await isRegistered();
  });

  test('RFC 3261 §10.2.4: its own Contact counts among several', async () => {
    const register = await carrier.next('REGISTER');
    const other = '<sip:other@192.0.2.1>;expires=30';
    carrier.respond(register, 200, {
      headers: { Contact: `${other}, <${contactOf(register)}>;expires=1000`, Expires: '50' },
    });
    await isRegistered();
    const left = (state().expiresAt ?? 0) - Date.now();
    assert.ok(left > 900_000 && left <= 1_000_000, String(left));
  });

  test('until it is registered its calls go elsewhere, and the steps say why', async () => {
    carrier.respond(await carrier.next('REGISTER'), 500);
    await waitFor('a failure', () => state().state === 'failed');
    const { outcome, steps } = await rig.control.routes.explain('1001', '030123');
    assert.equal(outcome, 'trunks-down');
    assert.match(steps.map(sayStep).join('\n'), /trunk carrier is not registered \(500 .*\): skipped/);
    const invite = await a.invite('030123');
    const refused = await a.response(invite, 503);
    a.ackRefusal(invite, refused);
    const retry = await carrier.next('REGISTER');
    grant(retry, 300);
    await isRegistered();
    const { invite: next, atGateway } = await reach(a, carrier, '030123');
    await refuseAndEnd(a, carrier, next, atGateway);
    const records = await rig.records(2);
    assert.deepEqual(records.map(({ releaseReason }) => releaseReason).sort(), [
      'callee-rejected',
      'trunks-down',
    ]);
  });

  test('a registration that is refused is an alarm until it is taken, and ends with the trunk', async () => {
    carrier.respond(await carrier.next('REGISTER'), 500);
    await waitFor('an alarm', () => rig.alarms.active().length === 1);
    const alarm = rig.alarms.active()[0];
    assert.deepEqual([alarm?.name, alarm?.subject], ['TRUNK_UNREGISTERED', 'carrier']);
    assert.match(alarm?.detail ?? '', /^500/);
    rig.alarms.clearById(alarm!.id, 'li');
    carrier.respond(await carrier.next('REGISTER'), 500);
    await waitFor('the alarm again', () => rig.alarms.active().length === 1);
    grant(await carrier.next('REGISTER'), 120);
    await isRegistered();
    assert.deepEqual(rig.alarms.active(), []);
    rig.alarms.raise('TRUNK_UNREGISTERED', 'carrier', 'again');
    void carrier.next('REGISTER').then((goodbye) => carrier.respond(goodbye, 200));
    await rig.trunks.removeRoute('out');
    await rig.trunks.remove('carrier');
    await waitFor('no alarm', () => rig.alarms.active().length === 0);
  });

  test('RFC 3261 §8.1.1.2: a call to its Contact rings the number in To, from the registrar only', async () => {
    const register = await carrier.next('REGISTER');
    grant(register, 300);
    await isRegistered();
    const user = parseUri(contactOf(register))?.user ?? '';
    assert.match(user, /^[0-9a-f]{24}$/);
    const invite = carrier.request('INVITE', `sip:${user}@127.0.0.1`, 'sip:1001@carrier.example');
    invite.append('Contact', carrier.contact).set('Content-Type', 'application/sdp');
    invite.body = Buffer.from(carrier.sdp());
    carrier.send(invite);
    a.respond(await a.next('INVITE'), 486);
    carrier.ackRefusal(invite, await carrier.response(invite, 486));
    const [record] = await rig.records(1);
    assert.deepEqual(
      [record?.trunkIn, record?.dialledNumber, record?.calleeNumber],
      ['carrier', '1001', '1001'],
    );
  });

  test('a change of how it is watched leaves the registration alone; one of its own begins when the old one is gone', async () => {
    grant(await carrier.next('REGISTER'), 300);
    await isRegistered();
    await rig.trunks.modify('carrier', { downAfter: 5 });
    await rig.trunks.modify('carrier', { password: 'another secret' });
    const goodbye = await carrier.next('REGISTER');
    assert.equal(goodbye.get('expires'), '0', 'the first since, so the one before sent none');
    await noneFor(300);
    carrier.respond(goodbye, 200);
    const anew = await carrier.next('REGISTER');
    assert.equal(anew.get('expires'), '120');
    assert.notEqual(contactOf(anew), contactOf(goodbye));
    grant(anew, 120);
    await isRegistered();
  });

  /** For that long no REGISTER comes. */
  async function noneFor(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    assert.equal(carrier.has('REGISTER'), false);
  }

  test('RFC 3261 §10.3: a change that leaves the Contact as it is takes the binding over, nothing is given back', async () => {
    const first = await carrier.next('REGISTER');
    grant(first, 120);
    await isRegistered();
    await rig.trunks.modify('carrier', { registerSec: 600 });
    const anew = await carrier.next('REGISTER');
    assert.equal(anew.get('expires'), '600');
    assert.equal(contactOf(anew), contactOf(first));
    assert.notEqual(anew.callId, first.callId);
    grant(anew, 600);
    await isRegistered();
    await noneFor(300);
  });

  test('RFC 3261 §10.3: the Contact of one that was replaced is taken away though its successor was refused', async () => {
    grant(await carrier.next('REGISTER'), 120);
    await isRegistered();
    await rig.trunks.modify('carrier', { registerSec: 600 });
    carrier.respond(await carrier.next('REGISTER'), 500);
    await waitFor('a failure', () => state().state === 'failed');
    await rig.trunks.modify('carrier', { status: 'INACTIVE' });
    const goodbye = await carrier.next('REGISTER');
    assert.equal(goodbye.get('expires'), '0');
    carrier.respond(goodbye, 200);
  });

  test('RFC 3261 §10.3: changed while the registrar is silent: its late 200 costs the new registration nothing', async () => {
    const first = await carrier.next('REGISTER');
    await rig.trunks.modify('carrier', { registerSec: 600 });
    await noneFor(400);
    grant(first, 120);
    const anew = await carrier.next('REGISTER');
    assert.equal(anew.get('expires'), '600', 'the Contact is not taken away');
    grant(anew, 600);
    await isRegistered();
    await noneFor(300);
    assert.ok((state().expiresAt ?? 0) > Date.now() + 500_000);
  });

  test('changed twice within a second: the last one waits for the goodbye of the first', async () => {
    const first = await carrier.next('REGISTER');
    grant(first, 300);
    await isRegistered();
    await rig.trunks.modify('carrier', { password: 'another secret' });
    const goodbye = await carrier.next('REGISTER');
    assert.equal(goodbye.get('expires'), '0');
    await rig.trunks.modify('carrier', { password: 'our secret' });
    await noneFor(400);
    carrier.respond(goodbye, 200);
    const anew = await carrier.next('REGISTER');
    assert.deepEqual([anew.get('expires'), contactOf(anew)], ['120', contactOf(first)]);
    grant(anew, 120);
    await isRegistered();
    await noneFor(300);
  });

  test('switched off and on again: the new registration waits for the goodbye of the old one', async () => {
    grant(await carrier.next('REGISTER'), 300);
    await isRegistered();
    for (const change of [{ status: 'INACTIVE' }, { register: false }] as const) {
      await rig.trunks.modify('carrier', change);
      const goodbye = await carrier.next('REGISTER');
      assert.equal(goodbye.get('expires'), '0');
      await rig.trunks.modify('carrier', { status: 'ACTIVE', register: true });
      await noneFor(400);
      carrier.respond(goodbye, 200);
      const anew = await carrier.next('REGISTER');
      assert.deepEqual([anew.get('expires'), contactOf(anew)], ['120', contactOf(goodbye)]);
      grant(anew, 300);
      await isRegistered();
    }
  });

  test('switched off and on again while the registrar is silent: nothing is given back', async () => {
    const first = await carrier.next('REGISTER');
    await rig.trunks.modify('carrier', { status: 'INACTIVE' });
    await rig.trunks.modify('carrier', { status: 'ACTIVE' });
    await noneFor(400);
    grant(first, 120);
    const anew = await carrier.next('REGISTER');
    assert.equal(anew.get('expires'), '120');
    grant(anew, 120);
    await isRegistered();
    await noneFor(300);
  });

  test('switched off while the registrar is silent: what it grants late is given back', async () => {
    const first = await carrier.next('REGISTER');
    await rig.trunks.modify('carrier', { status: 'INACTIVE' });
    grant(first, 120);
    const back = await carrier.next('REGISTER');
    assert.deepEqual([back.get('expires'), back.callId], ['0', first.callId]);
    carrier.respond(back, 200);
  });

  test('when it is removed the Contact is taken away', async () => {
    grant(await carrier.next('REGISTER'), 300);
    await isRegistered();
    await rig.trunks.removeRoute('out');
    await rig.trunks.remove('carrier');
    const last = await carrier.next('REGISTER');
    assert.equal(last.get('expires'), '0');
    carrier.respond(last, 200);
  });
});
