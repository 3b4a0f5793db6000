import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { connect, hangUp, mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('requests that once went wrong', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones());
  });
  after(() => rig.close());

  test('RFC 3261 §17.1.3: two calls with one Call-ID are two calls: each answer and CANCEL goes where it belongs', async () => {
    const share = (invite: { set(name: string, value: string): unknown }) =>
      invite.set('Call-ID', 'shared@phones');
    const fromA = await a.invite('1002', undefined, share);
    const first = await b.next('INVITE');
    b.respond(first, 180);
    await a.response(fromA, 180);
    const fromC = await c.invite('1002', undefined, share);
    const second = await b.next('INVITE');
    b.respond(second, 180);
    await c.response(fromC, 180);
    a.cancel(fromA);
    const cancel = await b.next('CANCEL');
    assert.equal(cancel.callId, first.callId);
    b.respond(cancel, 200);
    b.respond(first, 487);
    a.ackRefusal(fromA, await a.response(fromA, 487));
    b.respond(second, 200, { sdp: b.sdp() });
    const ok = await c.response(fromC, 200);
    const bye = c.bye(c.ack(fromC, ok));
    await b.expectBye();
    await bye;
    assert.equal(
      a.log.some((message) => message.type === 'response' && message.topVia?.branch === fromC.topVia?.branch),
      false,
    );
    count += 2;
    const results = (await rig.records(count)).map(({ result }) => result);
    assert.deepEqual(results, ['CANCELLED', 'ANSWERED']);
  });

  test('RFC 3261 §19.1.6: a tel: URI and one with user=phone reach the subscriber of that number', async () => {
    for (const uri of ['tel:1002', `sip:1-002@${rig.server.address};user=phone`]) {
      const invite = a.request('INVITE', uri).append('Contact', a.contact);
      invite.append('Content-Type', 'application/sdp');
      invite.body = Buffer.from(a.sdp());
      a.send(invite);
      const challenge = await a.response(invite, 407);
      a.ackRefusal(invite, challenge);
      const again = a.sendWithCredentials(invite, challenge);
      b.respond(await b.next('INVITE'), 486);
      a.ackRefusal(again, await a.response(again, 486));
      await b.next('ACK');
      assert.equal((await rig.records(++count)).at(-1)?.dialledNumber, '1002');
    }
  });

  test('RFC 3264 §6: a stream that the caller refused stays refused', async () => {
    const video = 'm=video 0 RTP/AVP 97\r\n';
    const invite = await a.invite('1002', a.sdp() + video);
    const atB = await b.next('INVITE');
    assert.equal(mediaPort(atB, 'video'), 0);
    b.respond(atB, 200, { sdp: b.sdp() + video });
    const ok = await a.response(invite, 200);
    assert.equal(mediaPort(ok, 'video'), 0);
    await b.next('ACK');
    const bye = a.bye(a.ack(invite, ok));
    await b.expectBye();
    await bye;
    await rig.records(++count);
  });

  for (const [method, status] of [
    ['REFER', 401],
    ['INFO', 481],
    ['BYE', 481],
    ['UPDATE', 481],
    ['NOTIFY', 481],
    ['SUBSCRIBE', 401],
    ['PUBLISH', 401],
    ['MESSAGE', 407],
  ] as const)
    test(`RFC 3261 §8.2.1: ${method} outside a call gets its final answer: ${status}`, async () => {
      const request = a.request(method, `sip:1002@${rig.server.address}`).append('Contact', a.contact);
      request.append('Event', 'presence').append('Refer-To', '<sip:1003@127.0.0.1>');
      a.send(request);
      assert.equal((await a.final(request)).statusCode, status);
      assert.equal(b.has(method), false);
    });

  test('RFC 3261 §16.5: a call in one’s own name rings one’s own phones', async () => {
    const second = await rig.phone('1003');
    const invite = await c.invite('1003');
    const [atC, atSecond] = await Promise.all([c.next('INVITE'), second.next('INVITE')]);
    c.respond(atC, 486);
    await c.next('ACK');
    second.respond(atSecond, 200, { sdp: second.sdp() });
    const ok = await c.response(invite, 200);
    await second.next('ACK');
    const bye = c.bye(c.ack(invite, ok));
    await second.expectBye();
    await bye;
    await rig.records(++count);
  });

  test('RFC 3261 §12.2.2: a repeated ACK changes nothing and is answered by nobody', async () => {
    const call = await connect(a, b);
    const before = b.log.length;
    for (let i = 0; i < 3; i++) a.ackIn(call.a, call.invite.cseq?.seq ?? 1);
    await hangUp(a, b, call);
    const methods = b.log.slice(before).map((message) => (message.type === 'request' ? message.method : ''));
    assert.deepEqual([...new Set(methods)], ['BYE']);
    await rig.records(++count);
  });

  test('RFC 3261 §8.2.2.2: one INVITE by two ways is 482 the second time', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    const branch = invite.topVia?.branch ?? '';
    const twin = a.invitation('1002');
    for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Proxy-Authorization'])
      twin.set(name, invite.get(name.toLowerCase()) ?? '');
    assert.notEqual(twin.topVia?.branch, branch);
    a.send(twin);
    const response = await a.final(twin);
    a.ackRefusal(twin, response);
    assert.equal(response.statusCode, 482);
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.response(invite, 486));
    await b.next('ACK');
    // Whether the second one is an attempt depends on who sees it first, the engine or call control.
    await rig.records(count + 1).catch(() => rig.records(count + 2));
  });
});
