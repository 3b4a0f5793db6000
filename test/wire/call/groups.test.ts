import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sayStep } from '../../../src/routing/steps.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('groups, short numbers and feature codes', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones());
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1)!;

  async function answeredBy(phone: SipPeer, invite: Awaited<ReturnType<SipPeer['invite']>>) {
    const atPhone = await phone.next('INVITE');
    phone.respond(atPhone, 200, { sdp: phone.sdp() });
    const ok = await a.response(invite, 200);
    await phone.next('ACK');
    const answer = a.bye(a.ack(invite, ok));
    await phone.expectBye();
    await answer;
    return lastRecord();
  }

  async function refused(number: string, by = a) {
    const invite = await by.invite(number);
    const response = await by.final(invite);
    by.ackRefusal(invite, response);
    return { response, record: await lastRecord() };
  }

  test('a member that declines does not speak for its group: the next one rings', async () => {
    await rig.numbering.addGroup('800', { members: ['1002', '1003'], strategy: 'LINEAR' });
    const invite = await a.invite('800');
    b.respond(await b.next('INVITE'), 603);
    const record = await answeredBy(c, invite);
    assert.deepEqual(
      [record.dialledNumber, record.calleeNumber, record.group, record.forwardedBy],
      ['800', '1003', '800', undefined],
    );
    assert.deepEqual(
      record.attempts.map(({ sipStatus }) => sipStatus),
      [603, 200],
    );
  });

  test('round robin begins with the next member at each call, least recent with who waited longest', async () => {
    await rig.numbering.addGroup('801', { members: ['1002', '1003'], strategy: 'ROUND_ROBIN' });
    const first = await answeredBy(b, await a.invite('801'));
    const second = await answeredBy(c, await a.invite('801'));
    assert.deepEqual([first.calleeNumber, second.calleeNumber], ['1002', '1003']);
    await rig.numbering.addGroup('802', { members: ['1003', '1002'], strategy: 'LEAST_RECENT' });
    await answeredBy(b, await a.invite('802'));
    assert.equal((await answeredBy(c, await a.invite('802'))).calleeNumber, '1003');
  });

  test('RFC 3261 §16.7 step 10: all members ring at once, the first to answer has the call', async () => {
    await rig.numbering.addGroup('803', { members: ['1002', '1003'], strategy: 'ALL' });
    const invite = await a.invite('803');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    const atC = await c.next('INVITE');
    c.respond(atC, 200, { sdp: c.sdp() });
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    const ok = await a.response(invite, 200);
    await c.next('ACK');
    const answer = a.bye(a.ack(invite, ok));
    await c.expectBye();
    await answer;
    assert.equal((await lastRecord()).calleeNumber, '1003');
  });

  test('RFC 3261 §21.1.3: nobody of the group takes it, so it overflows', async () => {
    await rig.numbering.addGroup('804', { members: ['1002'], overflow: '1003' });
    const invite = await a.invite('804');
    b.respond(await b.next('INVITE'), 486);
    await a.response(invite, 181);
    const record = await answeredBy(c, invite);
    assert.deepEqual(record.diversions, [{ by: '804', to: '1003', reason: 'user-busy' }]);
  });

  test('a short number is dialled, who is behind it is the callee; a time rule leads elsewhere', async () => {
    await rig.numbering.addNumber('77', '1002');
    const record = await answeredBy(b, await a.invite('77'));
    assert.deepEqual(
      [record.dialledNumber, record.calleeNumber, record.forwardedBy],
      ['77', '1002', undefined],
    );
    const everyDay = [1, 2, 3, 4, 5, 6, 7];
    await rig.numbering.addRule('77', { days: everyDay, from: 0, until: 1440, zone: 'UTC', to: '1003' });
    assert.equal((await answeredBy(c, await a.invite('77'))).calleeNumber, '1003');
  });

  test('RFC 3261 §21.6.2: a feature code is done and told by the phrase of a 603', async () => {
    const on = await refused('*21*1003%23', b);
    assert.deepEqual([on.response.statusCode, on.response.reasonPhrase], [603, 'All calls go to 1003']);
    assert.deepEqual([on.record.releaseReason, on.record.result], ['feature-code-done', 'REJECTED']);
    assert.equal((await answeredBy(c, await a.invite('1002'))).forwardedBy, '1002');
    const off = await refused('#21#', b);
    assert.equal(off.response.statusCode, 603);
    assert.equal((await answeredBy(b, await a.invite('1002'))).forwardedBy, undefined);
    await refused('*78', b);
    assert.equal((await refused('1002')).response.statusCode, 480);
    await refused('*79', b);
    assert.equal((await rig.users.view('1002'))?.features, undefined);
  });

  test('RFC 3261 §21.4.4: a feature code for a number that is not there is 403 and changes nothing', async () => {
    const { response } = await refused('*67*9999%23', b);
    assert.deepEqual([response.statusCode, response.reasonPhrase], [403, 'No such number 9999']);
    assert.equal((await refused('*21*1002%23', b)).response.statusCode, 403);
    assert.equal((await rig.users.view('1002'))?.features, undefined);
  });

  test('a code of the system replaces that of the standard', async () => {
    await rig.numbering.setCode('DND_ON', '*99');
    assert.equal((await refused('*78', b)).response.statusCode, 404);
    assert.equal((await refused('*99', b)).response.statusCode, 603);
    await refused('*79', b);
    await assert.rejects(rig.numbering.setCode('DND_OFF', '*99'), /is the code of DND_ON/);
    await assert.rejects(rig.numbering.setCode('DND_OFF', '99'), { code: 'FIELD_INVALID' });
  });

  test('TST ROUTE says what would happen: steps, phones, the way on', async () => {
    await rig.users.modify('1002', { features: { forwardBusy: '1003' } });
    await rig.numbering.modifyGroup('804', { members: ['gone'], overflow: '1002' });
    const report = await rig.control.routes.explain('1001', '804', '192.0.2.1');
    assert.equal(report.outcome, 'rings');
    assert.deepEqual(
      report.rounds.map(({ round, username, ringSec }) => [round, username, ringSec]),
      [[1, '1002', 60]],
    );
    assert.deepEqual(report.onFailure, [{ failure: 'busy', by: '1002', to: '1003', reason: 'user-busy' }]);
    assert.match(report.steps.map(sayStep).join('\n'), /no member is free[\s\S]*when busy: on to 1003/);
    assert.match(report.headers[0] ?? '', /^Diversion: <sip:804@ims>;reason=unavailable/);
    assert.equal((await rig.control.routes.explain('1001', '9999')).status, 404);
    assert.equal((await rig.control.routes.explain('nobody', '1002')).status, 407);
    assert.equal((await rig.control.routes.explain('1001', '*78')).outcome, 'callee-unknown');
  });
});
