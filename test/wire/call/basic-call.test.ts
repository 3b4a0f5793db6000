import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp, mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('a call between two phones', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones());
  });
  after(() => rig.close());

  test('RFC 3261 §13: is challenged, rings, is answered, and ended by the caller', async () => {
    const call = await connect(a, b);
    await rig.stateIs('connected');
    assert.equal(rig.control.count().connected, 1);
    await hangUp(a, b, call);
    const [record] = await rig.records(1);
    assert.equal(record?.result, 'ANSWERED');
    assert.equal(record?.releaseParty, 'CALLER');
    assert.equal(record?.releaseReason, 'normal-clearing');
    assert.equal(record?.sipStatus, 200);
    assert.equal(record?.callerNumber, '1001');
    assert.equal(record?.dialledNumber, '1002');
    assert.ok(record?.ringTime !== undefined && record.answerTime !== undefined);
    assert.match(
      rig.ladder(),
      /INVITE \[SDP\][\s\S]*180 Ringing[\s\S]*200 OK \(INVITE\)[\s\S]*ACK[\s\S]*BYE/,
    );
  });

  test('RFC 7092 §3, §3.1: each leg has its own Call-ID, tags, CSeq and Contact, and its description names the relay', async () => {
    const call = await connect(a, b);
    const { invite, atB, ok } = call;
    assert.notEqual(atB.callId, invite.callId);
    assert.notEqual(atB.fromTag, invite.fromTag);
    assert.notEqual(ok.toTag, call.b.localTag);
    assert.doesNotMatch(atB.get('contact') ?? '', new RegExp(`:${a.port}`));
    assert.doesNotMatch(ok.get('contact') ?? '', new RegExp(`:${b.port}`));
    assert.equal(atB.getAll('via').length, 1);
    assert.notEqual(mediaPort(atB), mediaPort(invite));
    assert.doesNotMatch(atB.body.toString() + ok.body.toString(), new RegExp(`:(${a.port}|${b.port})`));
    await hangUp(a, b, call);
    await rig.records(2);
  });

  test('RFC 3261 §15, RFC 3326 §2: is ended by the callee, whose Reason reaches the caller', async () => {
    const call = await connect(a, b);
    const reason = 'Q.850;cause=31;text="quota"';
    const bye = b.inDialog(call.b, 'BYE', { headers: { Reason: reason } });
    const atA = await a.expectBye();
    assert.equal(atA.get('reason'), reason);
    assert.equal((await b.final(bye)).statusCode, 200);
    const record = (await rig.records(3)).at(-1);
    assert.equal(record?.releaseParty, 'CALLEE');
    assert.equal(record?.result, 'ANSWERED');
  });

  test('RFC 3261 §8.1.1.6: identity is what was authenticated, extension headers go along, Max-Forwards goes down', async () => {
    const invite = await a.invite('1002', undefined, (request) => {
      request.set('Max-Forwards', '20').append('X-Ticket', '4711').append('Subject', 'lunch');
      request
        .append('P-Asserted-Identity', '<sip:999@evil.example>')
        .append('Diversion', '<sip:998@evil.example>');
    });
    const atB = await b.next('INVITE');
    assert.equal(atB.from?.uri.split('@')[0], 'sip:1001');
    assert.equal(atB.get('max-forwards'), '19');
    assert.equal(atB.get('x-ticket'), '4711');
    assert.equal(atB.get('subject'), 'lunch');
    assert.equal(atB.get('p-asserted-identity'), undefined);
    assert.equal(atB.get('diversion'), undefined);
    assert.equal(atB.get('proxy-authorization'), undefined);
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.final(invite));
    await rig.records(4);
  });

  test('RFC 3323 §4.1, RFC 3325 §9.3: a caller that wants privacy is shown to nobody, but to the record', async () => {
    const invite = await a.invite('1002', undefined, (request) => {
      request.set('From', '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=nobody').append('Privacy', 'id');
    });
    const atB = await b.next('INVITE');
    assert.equal(atB.from?.uri, 'sip:anonymous@anonymous.invalid');
    assert.doesNotMatch(atB.headers.map(({ value }) => value).join(), /1001/);
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.final(invite));
    assert.equal((await rig.records(5)).at(-1)?.callerNumber, '1001');
  });

  test('RFC 3261 §13.2.1: early media of the callee reaches the caller, then the answer', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 183, { sdp: b.sdp() });
    const progress = await a.response(invite, 183);
    assert.ok((mediaPort(progress) ?? 0) > 0);
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    assert.equal(mediaPort(ok), mediaPort(progress));
    await b.next('ACK');
    const dialog = a.ack(invite, ok);
    const answer = a.bye(dialog);
    await b.expectBye();
    await answer;
    await rig.records(6);
  });

  test('RFC 3261 §11.2: OPTIONS is answered outside and inside a call', async () => {
    const outside = a.request('OPTIONS', `sip:${rig.server.address}`);
    a.send(outside);
    const answer = await a.response(outside, 200);
    assert.match(answer.get('allow') ?? '', /INVITE.*SUBSCRIBE/);
    assert.match(answer.get('allow-events') ?? '', /dialog/);
    rig.control.setDraining(true);
    const draining = a.request('OPTIONS', `sip:${rig.server.address}`);
    a.send(draining);
    assert.ok(Number((await a.response(draining, 503)).get('retry-after')) > 0);
    rig.control.setDraining(false);
    const call = await connect(a, b);
    const inside = b.inDialog(call.b, 'OPTIONS');
    assert.match((await b.response(inside, 200)).get('accept') ?? '', /application\/sdp/);
    await hangUp(a, b, call);
    await rig.records(7);
  });
});
