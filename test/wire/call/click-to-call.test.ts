import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { notified } from '../../support/transfer-steps.js';

/** Phone `a` sends REFER to the server: it is rung first, then `b` is called. */
describe('click to call by REFER outside calls', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones());
  });
  after(() => rig.close());

  function refer(phone: SipPeer, to: string, headers: Record<string, string> = {}, uri?: string): SipRequest {
    const aor = `sip:${phone.username}@127.0.0.1`;
    const request = phone.request('REFER', uri ?? aor, aor);
    request.append('Contact', phone.contact).append('Refer-To', `<${to}>`);
    for (const [name, value] of Object.entries(headers)) request.append(name, value);
    return request;
  }

  function withoutContact(request: SipRequest): SipRequest {
    request.remove('contact');
    return request;
  }

  /** REFER is taken and `a` answers its own call, with its offer. */
  async function ownPhoneAnswers(to = 'sip:1002@127.0.0.1') {
    const request = refer(a, to);
    const accepted = await a.withCredentials(request);
    assert.equal(accepted.statusCode, 202);
    const notify = await notified(a, '100 Trying', /^active;expires=\d+$/);
    assert.equal(notify.toTag, request.fromTag, 'in the dialog of the REFER');
    assert.equal(notify.fromTag, accepted.toTag);
    assert.equal(notify.callId, request.callId);
    const atA = await a.next('INVITE');
    assert.equal(atA.body.length, 0, 'it is asked for its offer');
    assert.match(atA.get('from') ?? '', /sip:1002@/);
    a.respond(atA, 180);
    a.respond(atA, 200, { sdp: a.sdp() });
    const ack = await a.next('ACK');
    assert.match(ack.body.toString(), /a=inactive/);
    return { request, atA, dialog: a.dialogAsUas(atA) };
  }

  /** Both talk. */
  async function connected() {
    const { request, atA, dialog } = await ownPhoneAnswers();
    const atB = await b.next('INVITE');
    assert.match(atB.get('from') ?? '', /sip:1001@/);
    assert.ok((mediaPort(atB) ?? 0) > 0);
    b.respond(atB, 180);
    await notified(a, '180 Ringing', /^active/);
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    const offer = await a.next('INVITE');
    assert.equal(offer.callId, atA.callId);
    assert.ok((mediaPort(offer) ?? 0) > 0);
    a.respond(offer, 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    await notified(a, '200 OK', /^terminated/);
    await rig.stateIs('connected');
    return { request, a: dialog, b: b.dialogAsUas(atB) };
  }

  test('RFC 3515 §2.4.2, §2.4.4, RFC 3725 §4.1: own phones ring, then the callee; the record has it', async () => {
    const call = await connected();
    assert.deepEqual(
      rig.control.list().map(({ caller, callee, callId }) => [caller, callee, callId]),
      [['1001', '1002', call.request.callId]],
    );
    const hold = b.inDialog(call.b, 'INVITE', { sdp: b.sdp('sendonly', 2) });
    const heldAtA = await a.next('INVITE');
    assert.match(heldAtA.body.toString(), /a=sendonly/);
    a.respond(heldAtA, 200, { sdp: a.sdp('recvonly', 3) });
    await b.response(hold, 200);
    b.ackIn(call.b, hold.cseq?.seq ?? 0);
    await a.next('ACK');
    const answer = a.bye(call.a);
    await b.expectBye();
    assert.equal((await answer).statusCode, 200);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual(
      [
        record?.callerNumber,
        record?.calleeNumber,
        record?.originatedBy,
        record?.result,
        record?.releaseParty,
      ],
      ['1001', '1002', '1001', 'ANSWERED', 'CALLER'],
    );
    assert.equal(record?.callId, call.request.callId);
    assert.deepEqual(
      record?.attempts.map(({ port, sipStatus }) => [port, sipStatus]),
      [
        [a.port, 200],
        [b.port, 200],
      ],
    );
    assert.equal(record?.calleePort, b.port);
    const ladder = rig.ladder();
    assert.match(ladder, /REFER/);
    assert.doesNotMatch(ladder.replace(/b\d: .*/g, ''), /200 OK \(INVITE\)/);
  });

  test('the callee hangs up', async () => {
    const call = await connected();
    const answer = b.bye(call.b);
    await a.expectBye();
    assert.equal((await answer).statusCode, 200);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.result, record?.releaseParty], ['ANSWERED', 'CALLEE']);
  });

  test('RFC 3515 §2.4.5: the callee is busy: NOTIFY says so and the own phone gets BYE', async () => {
    await ownPhoneAnswers();
    const atB = await b.next('INVITE');
    b.respond(atB, 486);
    await Promise.all([notified(a, '486 Busy Here', /^terminated/), a.expectBye()]);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.result, record?.releaseReason, record?.billSec], ['BUSY', 'callee-busy', 0]);
  });

  test('the own phone hangs up before the callee answers', async () => {
    const { dialog } = await ownPhoneAnswers();
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await notified(a, '180 Ringing', /^active/);
    const answer = a.bye(dialog);
    const cancel = await b.next('CANCEL');
    b.respond(cancel, 200);
    b.respond(atB, 487);
    assert.equal((await answer).statusCode, 200);
    await notified(a, '487 Request Terminated', /^terminated/);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.result, record?.releaseReason], ['CANCELLED', 'caller-cancelled']);
  });

  test('the own phone refuses what the callee described: both hear the end', async () => {
    await ownPhoneAnswers();
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    a.respond(await a.next('INVITE'), 488);
    await a.next('ACK');
    await Promise.all([a.expectBye(), b.expectBye()]);
    await notified(a, '500 Server Internal Error', /^terminated/);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.billSec],
      ['ABNORMAL', 'answer-not-delivered', 0],
    );
  });

  test('RFC 3261 §14.1: an offer of ours that crossed one of the own phone is made again', async () => {
    const { dialog } = await ownPhoneAnswers();
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    a.respond(await a.next('INVITE'), 491);
    await a.next('ACK');
    a.respond(await a.next('INVITE'), 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    await notified(a, '200 OK', /^terminated/);
    const answer = a.bye(dialog);
    await b.expectBye();
    await answer;
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.result, record?.releaseParty], ['ANSWERED', 'CALLER']);
  });

  test('RFC 3261 §14.1: a phone that is slow, and whose offers cross ours again and again, is connected all the same', async () => {
    const { dialog } = await ownPhoneAnswers();
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    for (let i = 0; i < 2; i++) {
      const offer = await a.next('INVITE');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      a.respond(offer, 491);
      await a.next('ACK');
    }
    a.respond(await a.next('INVITE'), 200, { sdp: a.sdp('sendrecv', 2) });
    await a.next('ACK');
    await notified(a, '200 OK', /^terminated/);
    const answer = a.bye(dialog);
    await b.expectBye();
    await answer;
    await rig.records(++count);
  });

  test('RFC 3515 §2.4.7: the callee hangs up while our offer waits to be made again: the last NOTIFY comes', async () => {
    await ownPhoneAnswers();
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    a.respond(await a.next('INVITE'), 491);
    await a.next('ACK');
    const answer = b.bye(b.dialogAsUas(atB));
    await Promise.all([a.expectBye(), notified(a, '500 Server Internal Error', /^terminated/)]);
    assert.equal((await answer).statusCode, 200);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.releaseParty, record?.billSec], ['CALLEE', 0]);
    assert.equal(a.has('INVITE'), false);
  });

  test('the own phone declines: nobody else is rung', async () => {
    const request = refer(a, 'sip:1002@127.0.0.1');
    assert.equal((await a.withCredentials(request)).statusCode, 202);
    await notified(a, '100 Trying', /^active/);
    const atA = await a.next('INVITE');
    a.respond(atA, 603);
    await notified(a, '480 Temporarily Unavailable', /^terminated/);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual(
      [record?.result, record?.releaseReason, record?.attempts.length],
      ['NO_ANSWER', 'own-phones-unavailable', 1],
    );
    assert.equal(b.has('INVITE'), false);
  });

  test('an unknown number: the own phone does not ring', async () => {
    assert.equal((await a.withCredentials(refer(a, 'sip:9999@127.0.0.1'))).statusCode, 202);
    await notified(a, '100 Trying', /^active/);
    await notified(a, '404 Not Found', /^terminated/);
    const record = (await rig.records(++count)).at(-1);
    assert.deepEqual([record?.releaseReason, record?.attempts.length], ['callee-unknown', 0]);
    assert.equal(a.has('INVITE'), false);
  });

  test('RFC 6665 §4.2.2: a phone that answers NOTIFY by 481 hears no more', async () => {
    assert.equal((await a.withCredentials(refer(a, 'sip:1002@127.0.0.1'))).statusCode, 202);
    a.respond(await a.next('NOTIFY'), 481);
    a.respond(await a.next('INVITE'), 486);
    await rig.records(++count);
    assert.equal(a.has('NOTIFY'), false);
  });

  test('RFC 4488 §4: Refer-Sub: false asks for no NOTIFY', async () => {
    const request = refer(a, 'sip:1002@127.0.0.1', { 'Refer-Sub': 'false', Require: 'norefersub' });
    const accepted = await a.withCredentials(request);
    assert.deepEqual([accepted.statusCode, accepted.get('refer-sub')], [202, 'false']);
    const atA = await a.next('INVITE');
    a.respond(atA, 486);
    await rig.records(++count);
    assert.equal(a.has('NOTIFY'), false);
  });

  test('RFC 3515 §5.2, §2.2, §2.4.2, RFC 3261 §8.2.2.3: refusals', async () => {
    const cases: [SipRequest, number][] = [
      [refer(a, 'sip:1002@127.0.0.1', {}, 'sip:1003@127.0.0.1'), 403],
      [refer(a, 'sip:1002@elsewhere.example'), 403],
      [refer(a, 'sip:1002@127.0.0.1;method=BYE'), 403],
      [refer(a, 'http://example.com/'), 416],
      [withoutContact(refer(a, 'sip:1002@127.0.0.1')), 400],
      [refer(a, 'sip:1002@127.0.0.1', { Require: 'x-unknown' }), 420],
      [refer(a, 'sip:1002@127.0.0.1', {}, 'sip:1001@elsewhere.example'), 404],
    ];
    for (const [request, status] of cases)
      assert.equal((await a.withCredentials(request)).statusCode, status, request.requestUri);
    const unknown = refer(c, 'sip:1002@127.0.0.1');
    c.send(unknown);
    assert.equal((await c.final(unknown)).statusCode, 401);
    await rig.records(count);
  });
});
