import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { freeTcpPort } from '../../support/free-port.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

/** 64*T1 is 1.3 s instead of 32 s. */
const TIMERS = { t1Ms: 20, t2Ms: 160, t4Ms: 200 };
const skip = (process.env['SIP_ENGINE'] ?? 'embedded') !== 'embedded' && 'needs an engine with short timers';

describe('messages that get lost', { skip }, () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones({ timers: TIMERS }));
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1);
  const times = (phone: SipPeer, what: RegExp) =>
    phone.log.filter((message) =>
      what.test(
        message.type === 'request' ? message.method : `${message.statusCode} ${message.cseq?.method}`,
      ),
    ).length;

  test('RFC 3261 §13.3.1.4: a lost 200 is sent again until its ACK comes', async () => {
    const invite = await a.invite('1002');
    const before = times(a, /^200 INVITE$/);
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    await waitFor('the 200 again', () => times(a, /^200 INVITE$/) >= before + 3);
    const dialog = a.ack(invite, ok);
    const answer = a.bye(dialog);
    await b.expectBye();
    await answer;
    assert.equal((await lastRecord())?.result, 'ANSWERED');
  });

  test('RFC 3261 §13.3.1.4: without any ACK the call ends by BYE on both sides, and the record says why', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    await a.response(invite, 200);
    await b.next('ACK');
    await Promise.all([a.expectBye(), b.expectBye()]);
    const record = await lastRecord();
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'ack-timeout']);
  });

  test('RFC 3261 §13.2.2.4: a callee that repeats its 200 gets its ACK again', async () => {
    const call = await connect(a, b);
    const before = times(b, /^ACK$/);
    b.respond(call.atB, 200, { sdp: b.sdp() });
    await waitFor('another ACK', () => times(b, /^ACK$/) > before);
    await hangUp(a, b, call);
    await lastRecord();
  });

  test('RFC 3261 §17.2.2: a BYE that is repeated because its 200 got lost is answered again', async () => {
    const call = await connect(a, b);
    const bye = a.inDialog(call.a, 'BYE');
    await a.response(bye, 200);
    a.send(bye);
    await waitFor('the 200 again', () => {
      const branch = bye.topVia?.branch;
      return (
        a.log.filter((message) => message.type === 'response' && message.topVia?.branch === branch).length >=
        2
      );
    });
    await b.expectBye();
    await lastRecord();
  });

  test('RFC 3261 §17.1.2.2: BYE to a phone that is gone is repeated and given up; the record does not wait for it', async () => {
    const call = await connect(a, b);
    const before = times(b, /^BYE$/);
    assert.equal((await a.bye(call.a)).statusCode, 200);
    await b.next('BYE');
    assert.equal((await lastRecord())?.releaseReason, 'normal-clearing');
    await waitFor('BYE again', () => times(b, /^BYE$/) >= before + 3);
  });

  test('RFC 3261 §8.1.3.1: a phone that answers nothing is 408 to the caller', async () => {
    const invite = await a.invite('1002');
    await b.next('INVITE');
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.equal(response.statusCode, 408);
    const record = await lastRecord();
    assert.deepEqual([record?.result, record?.releaseReason], ['FAILED', 'callee-timeout']);
  });

  test('RFC 3261 §8.1.3.1: a phone whose connection is refused is 480 to the caller at once', async () => {
    const port = await freeTcpPort();
    const gone = await rig.phone('1005', { register: false });
    const request = gone.request('REGISTER', `sip:${gone.domain}`, `sip:1005@${gone.domain}`);
    request.append('Contact', `<sip:1005@127.0.0.1:${port};transport=tcp>`).append('Expires', '60');
    assert.equal((await gone.withCredentials(request)).statusCode, 200);
    await gone.close();
    const invite = await a.invite('1005');
    const response = await a.final(invite);
    a.ackRefusal(invite, response);
    assert.ok([408, 480].includes(response.statusCode), String(response.statusCode));
    assert.equal((await lastRecord())?.result, 'FAILED');
  });
});
