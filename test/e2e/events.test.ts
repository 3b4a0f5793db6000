import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../src/sip/message.js';
import { Baresip } from '../support/baresip.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { notified, resubscribe, stateOf, subscribe } from '../support/event-steps.js';
import { missing, programPath } from '../support/peers.js';
import type { SipPeer } from '../support/sip-peer.js';
import { sippThrough, subscriberLine } from '../support/sipp.js';
import { waitFor } from '../support/wait-for.js';

/** Event packages of a whole server, with real programs on the other side. */
describe('events through a whole server', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  before(async () => {
    calls = await startCallServer({ SIP_LISTEN: 'udp:127.0.0.1:0,tcp:127.0.0.1:0,ws:127.0.0.1:0' });
    [a, b, c] = await Promise.all([calls.phone('1001'), calls.phone('1002'), calls.phone('1003')]);
  });
  after(() => calls?.close());

  /** Fails unless libxml2 reads it as XML. */
  function checkXml(notify: SipRequest): void {
    const { status, stderr } = spawnSync(programPath('xmllint'), ['--noout', '--nonet', '-'], {
      input: notify.body,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stderr}\n${notify.body.toString()}`);
  }

  test('libxml2 reads the documents of dialog and presence, of names that need escapes too', {
    skip: missing('xmllint'),
  }, async () => {
    await calls.mmlOk('MOD USER: USERNAME=1002, NAME="Bob <\\"the builder\\"> & Söhne"');
    const lamp = await subscribe(c, '1002', 'dialog');
    checkXml(lamp.notify);
    const presence = await subscribe(c, '1002', 'presence', { Expires: '0' });
    checkXml(presence.notify);
    const invite = await a.invite('1002', undefined, (request) =>
      request.set('From', request.get('from')?.replace(/^/, '"A <&\\" b" ') ?? ''),
    );
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    let notify = await notified(c);
    while (!notify.body.includes('early')) notify = await notified(c);
    checkXml(notify);
    assert.match(notify.body.toString(), /display="A &lt;&amp;&quot; b"/);
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    const dialogs = { invite, ok, atB, a: a.ack(invite, ok), b: b.dialogAsUas(atB) };
    while (!notify.body.includes('confirmed')) notify = await notified(c);
    const published = b.request('PUBLISH', 'sip:1002@127.0.0.1');
    published.append('Event', 'presence').append('Content-Type', 'application/pidf+xml');
    published.body = Buffer.from(
      '<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" entity="x"><p:tuple id="a"><p:status><p:basic>open</p:basic><x xmlns="u:x" y="&amp;&lt;"/></p:status><p:note xml:lang="de">Mittag &amp; Pause</p:note></p:tuple></p:presence>',
    );
    assert.equal((await b.withCredentials(published)).statusCode, 200);
    const composed = await subscribe(c, '1002', 'presence', { Expires: '0' });
    checkXml(composed.notify);
    assert.match(composed.notify.body.toString(), /<note xml:lang="de">Mittag &amp; Pause<\/note>/);
    await hangUp(a, b, dialogs);
    while (!notify.body.includes('terminated')) notify = await notified(c);
    checkXml(notify);
    await resubscribe(c, lamp.dialog, 'dialog', 0);
    await notified(c);
  });

  test('DSP SUBSCRIPTION and DSP PRESENCE show them, RMV SUBSCRIPTION ends one', async () => {
    const { ok } = await subscribe(c, '1001', 'dialog');
    assert.equal(ok.get('expires'), '3600');
    const shown = await calls.mmlOk('DSP SUBSCRIPTION: EVENT=dialog, USERNAME=1003, RESOURCE=1001');
    assert.match(shown, /Watches\s+=\s+1001/);
    assert.match(await calls.mmlOk('DSP PRESENCE: USERNAME=1001'), /State\s+=\s+OPEN[^=]*Note\s+=\s+Online/);
    assert.match(
      await calls.mmlOk('DSP PRESENCE: USERNAME=1002'),
      /Note\s+=\s+Mittag & Pause[^=]*Source\s+=\s+PUBLISHED/,
    );
    const id = /Subscription\s+=\s+(\w+)/.exec(shown)?.[1] ?? '';
    await calls.mmlOk(`RMV SUBSCRIPTION: ID=${id}`);
    assert.equal(stateOf(await notified(c)), 'terminated;reason=rejected');
    // It is there until the phone's answer has arrived.
    await waitFor('no subscription', async () =>
      /Number of results = 0/.test(await calls.mmlOk('DSP SUBSCRIPTION: EVENT=dialog, RESOURCE=1001')),
    );
  });

  test('LST MESSAGE shows what waits, never its text; RMV MESSAGE removes it and the lamp goes out', async () => {
    const message = a.request('MESSAGE', 'sip:1004@127.0.0.1');
    message.append('Content-Type', 'text/plain');
    message.body = Buffer.from('a secret');
    assert.equal((await a.withCredentials(message)).statusCode, 202);
    const phone = await calls.phone('1004', { register: false });
    const { notify } = await subscribe(phone, '1004', 'message-summary');
    assert.match(notify.body.toString(), /^Messages-Waiting: yes\r\n[\s\S]*Text-Message: 1\/0/);
    const shown = await calls.mmlOk('LST MESSAGE');
    assert.match(shown, /Recipient\s+=\s+1004[^=]*Sender\s+=\s+1001/);
    assert.match(shown, /Bytes\s+=\s+8/);
    assert.doesNotMatch(shown, /secret/);
    assert.match(await calls.mmlOk('RMV MESSAGE: USERNAME=1004, CONFIRM=YES'), /Removed\s+=\s+1/);
    assert.match((await notified(phone)).body.toString(), /^Messages-Waiting: no/);
    assert.match(await calls.mmlOk('LST MESSAGE: USERNAME=1004'), /Number of results = 0/);
  });

  test('STR CALL CONNECT rings the phones of a user and calls a number for it', async () => {
    const report = await calls.mmlOk('STR CALL CONNECT: FROM=1001, TO=1003');
    const id = /Call\s+=\s+(\w{26})/.exec(report)?.[1];
    const atA = await a.next('INVITE');
    a.respond(atA, 200, { sdp: a.sdp() });
    await a.next('ACK');
    const atC = await c.next('INVITE');
    c.respond(atC, 200, { sdp: c.sdp() });
    await c.next('ACK');
    const offer = await a.next('INVITE');
    a.respond(offer, 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    const bye = c.bye(c.dialogAsUas(atC));
    await a.expectBye();
    await bye;
    const record = (await calls.records(2)).at(-1);
    assert.deepEqual(
      [record?.id, record?.originatedBy, record?.callerNumber, record?.calleeNumber, record?.result],
      [id, 'local', '1001', '1003', 'ANSWERED'],
    );
  });

  test('sipp subscribes, refreshes and unsubscribes', { skip: missing('sipp') }, async () => {
    const lines = [
      subscriberLine('1001', '1001-secret', '1002'),
      subscriberLine('1003', '1003-secret', '1004'),
    ];
    await sippThrough(calls.server, { scenario: 'uac-subscribe-expect-notify', lines, calls: 10 });
  });

  test('baresip sees the presence of a user, publishes its own, and hears of waiting messages', {
    skip: missing('baresip'),
  }, async () => {
    const at = { address: calls.server.address, port: calls.server.udpPort };
    const phone = await Baresip.start({
      username: '1004',
      password: '1004-secret',
      server: at,
      toneHz: 440,
      modules: ['contact', 'mwi', 'presence'],
      contacts: [`"Ann" <sip:1001@${at.address}:${at.port}>;presence=p2p`],
      account: ';pubint=60',
    });
    try {
      await phone.registered();
      // It takes its time before it subscribes.
      await phone.event('MWI_NOTIFY', 30_000);
      await phone.printed(/<tuple id="ims"><status><basic>open/, 30_000);
      const call = await connect(a, b);
      await phone.printed(/1001\S* changed status from \S*Online\S* to \S*Busy/);
      await hangUp(a, b, call);
      assert.match(await calls.mmlOk('DSP PRESENCE: USERNAME=1004'), /Source\s+=\s+PUBLISHED/);
    } finally {
      await phone.close();
    }
  });

  for (const transport of ['tcp', 'ws'] as const)
    test(`a phone on ${transport} is told down its own connection, by its subscription and by its REFER`, async () => {
      const phone = await calls.phone('1003', { transport });
      const { dialog } = await subscribe(phone, '1004', 'dialog');
      assert.equal((await resubscribe(phone, dialog, 'dialog', 0)).statusCode, 200);
      assert.equal(stateOf(await notified(phone)), 'terminated;reason=timeout');
      const refer = phone.request('REFER', 'sip:1003@127.0.0.1');
      refer.append('Contact', phone.contact).append('Refer-To', '<sip:9999@127.0.0.1>');
      assert.equal((await phone.withCredentials(refer)).statusCode, 202);
      assert.equal((await notified(phone)).body.toString(), 'SIP/2.0 100 Trying\r\n');
      assert.equal((await notified(phone)).body.toString(), 'SIP/2.0 404 Not Found\r\n');
    });

  test('a server that is stopped tells its subscribers; a restarted one knows nothing of them', async () => {
    const { dialog } = await subscribe(c, '1002', 'presence');
    const restarted = calls.restart();
    assert.equal(stateOf(await notified(c)), 'terminated;reason=deactivated');
    await restarted;
    assert.equal((await resubscribe(c, dialog, 'presence', 60)).statusCode, 481);
    const published = b.request('PUBLISH', 'sip:1002@127.0.0.1');
    published.append('Event', 'presence').append('SIP-If-Match', 'gone');
    assert.equal((await b.withCredentials(published)).statusCode, 412);
  });
});
