import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../src/cdr/types.js';
import type { SipRequest } from '../../src/sip/message.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { freeUdpPort } from '../support/free-port.js';
import { missing } from '../support/peers.js';
import type { SipPeer } from '../support/sip-peer.js';
import { type SippOptions, sippThrough, startCallee, subscriberLine } from '../support/sipp.js';

/** Call features as an operator sets them and phones see them, each with its record. */
describe('features through a whole server', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  before(async () => {
    calls = await startCallServer({ NO_ANSWER_SEC: '5' });
    [a, b, c] = await Promise.all([calls.phone('1001'), calls.phone('1002'), calls.phone('1003')]);
  });
  after(() => calls?.close());

  const recordOf = async (invite: SipRequest): Promise<CallRecord> =>
    (await calls.recordsOf(invite.callId))[0]!;

  async function answeredBy(phone: SipPeer, invite: SipRequest, by = a): Promise<CallRecord> {
    const atPhone = await phone.next('INVITE');
    phone.respond(atPhone, 200, { sdp: phone.sdp() });
    const ok = await by.response(invite, 200);
    await phone.next('ACK');
    const answer = by.bye(by.ack(invite, ok));
    await phone.expectBye();
    await answer;
    return recordOf(invite);
  }

  async function refused(invite: SipRequest, by = a): Promise<{ status: string; record: CallRecord }> {
    const response = await by.final(invite);
    by.ackRefusal(invite, response);
    return { status: `${response.statusCode} ${response.reasonPhrase}`, record: await recordOf(invite) };
  }

  test('RFC 3261 §21.1.3: MOD USER forwards, LST USER shows it, TST ROUTE explains it', async () => {
    await calls.mmlOk('MOD USER: USERNAME=1002, FWDALL=1003');
    assert.match(await calls.mmlOk('LST USER: USERNAME=1002'), /Forward all to\s+=\s+1003/);
    const route = await calls.mmlOk('TST ROUTE: FROM=1001, TO=1002, IP=127.0.0.1');
    assert.match(route, /1002 forwards to 1003 \(unconditional\)/);
    assert.match(route, /Diversion: <sip:1002@ims>;reason=unconditional/);
    const invite = await a.invite('1002');
    await a.response(invite, 181);
    const record = await answeredBy(c, invite);
    assert.deepEqual(
      [record.dialledNumber, record.calleeNumber, record.forwardedBy],
      ['1002', '1003', '1002'],
    );
    assert.match(await calls.mmlOk(`LST CDR: ID=${record.id}`), /1002 to 1003 \(unconditional\)/);
    await calls.mmlOk('MOD USER: USERNAME=1002, FWDALL=""');
  });

  test('forwarding when busy and without answer, with the time of the user', async () => {
    await calls.mmlOk('MOD USER: USERNAME=1002, FWDBUSY=1003, FWDNOANS=1003, NOANSSEC=3');
    const busy = await a.invite('1002');
    b.respond(await b.next('INVITE'), 486);
    assert.equal((await answeredBy(c, busy)).diversions?.[0]?.reason, 'user-busy');
    const unanswered = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    assert.equal((await answeredBy(c, unanswered)).diversions?.[0]?.reason, 'no-answer');
    await calls.mmlOk('MOD USER: USERNAME=1002, FWDBUSY="", FWDNOANS="", NOANSSEC=0');
  });

  test('do not disturb and unreachable users, by feature codes of the phone', async () => {
    assert.equal((await refused(await b.invite('*78'), b)).status, '603 Do not disturb is on');
    const { status, record } = await refused(await a.invite('1002'));
    assert.match(status, /^480/);
    assert.equal(record.releaseReason, 'callee-do-not-disturb');
    await refused(await b.invite('*79'), b);
    await calls.mmlOk('MOD USER: USERNAME=1004, FWDUNREACH=1002');
    assert.equal((await answeredBy(b, await a.invite('1004'))).diversions?.[0]?.reason, 'unavailable');
  });

  test('a call waiting limit makes busy, a 302 of the phone deflects', async () => {
    await calls.mmlOk('MOD USER: USERNAME=1002, MAXCALLS=1, DEFLECT=YES');
    const first = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(first, 180);
    assert.match((await refused(await c.invite('1002'), c)).status, /^486/);
    b.respond(atB, 302, { headers: { Contact: '<sip:1003@127.0.0.1>' } });
    assert.equal((await answeredBy(c, first)).diversions?.[0]?.reason, 'deflection');
    await calls.mmlOk('MOD USER: USERNAME=1002, MAXCALLS=0, DEFLECT=NO');
  });

  test('a group with its members, skipped and rung; overflow; a short number and hours lead there', async () => {
    await calls.mmlOk(
      'ADD GROUP: NUMBER=800, NAME=Sales, MEMBERS=1004&1002&1003, STRATEGY=LINEAR, MEMBERSEC=3, OVERFLOW=1001',
      'ADD NUMBER: NUMBER=8, TO=800',
      'ADD TIMERULE: NUMBER=9, DAYS=MON-SUN, TO=8',
    );
    assert.match(await calls.mmlOk('LST GROUP: NUMBER=800'), /1004\s+YES\s+0/);
    const invite = await a.invite('9');
    b.respond(await b.next('INVITE'), 486);
    const record = await answeredBy(c, invite);
    assert.deepEqual(
      [record.dialledNumber, record.calleeNumber, record.group, record.attempts.length],
      ['9', '1003', '800', 2],
    );
  });

  test('RFC 3264 §8: a member of the group picks the call up by its code', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    const picking = await c.invite('**1002');
    c.ack(picking, await c.response(picking, 200));
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    const record = await answeredBy(c, invite);
    assert.deepEqual([record.pickedUpBy, record.calleeNumber], ['1003', '1003']);
    assert.equal((await recordOf(picking)).releaseReason, 'call-picked-up');
  });

  test('phones of a user in order; the longest call; what was set outlives a restart', async () => {
    await calls.mmlOk('MOD USER: USERNAME=1001, MAXDUR=1', 'MOD USER: USERNAME=1002, RING=ORDER, RINGSEC=3');
    await calls.restart();
    assert.match(await calls.mmlOk('LST USER: USERNAME=1002'), /Ring\s+=\s+ORDER/);
    assert.match(await calls.mmlOk('LST GROUP'), /800/);
    const second = await calls.phone('1002');
    const invite = await a.invite('1002');
    second.respond(await second.next('INVITE'), 486);
    b.respond(await b.next('INVITE'), 200, { sdp: b.sdp() });
    a.ack(invite, await a.response(invite, 200));
    await b.next('ACK');
    await Promise.all([a.expectBye(), b.expectBye()]);
    const record = await recordOf(invite);
    assert.deepEqual(
      [record.releaseReason, record.releaseParty, record.attempts.map(({ sipStatus }) => sipStatus)],
      ['duration-exceeded', 'SERVER', [486, 200]],
    );
  });
});

describe('sipp: features', { skip: missing('sipp') }, () => {
  let calls: CallServer;
  before(async () => {
    calls = await startCallServer();
  });
  after(() => calls?.close());

  const sipp = (scenario: string, user: string, options: Partial<SippOptions> = {}): Promise<void> =>
    sippThrough(calls.server, { scenario, lines: [subscriberLine(user, `${user}-secret`)], ...options });

  test('RFC 3261 §21.1.3: fifty calls at once are forwarded by a busy phone that set it by a feature code', async () => {
    const count = 50;
    const [busyPort, answerPort] = [await freeUdpPort(), await freeUdpPort()];
    await sipp('uac-register-and-stay-expect-200', '1002', { localPort: busyPort });
    await sipp('uac-register-and-stay-expect-200', '1003', { localPort: answerPort });
    await sipp('uac-feature-code-expect-603', '1002', { args: ['-s', '*67*1003%23'] });
    const busy = startCallee('uas-busy', busyPort);
    const answering = startCallee('uas-answer-forwarded', answerPort);
    try {
      await sipp('uac-forwarded-call-expect-181-200', '1001', {
        calls: count,
        rate: 50,
        args: ['-s', '1002', '-d', '300'],
      });
    } finally {
      await Promise.all([busy.stop(), answering.stop()]);
    }
    const [code, ...forwarded] = await calls.records(count + 1);
    assert.equal(code?.releaseReason, 'feature-code-done');
    for (const { result, forwardedBy, attempts } of forwarded)
      assert.deepEqual([result, forwardedBy, attempts.length], ['ANSWERED', '1002', 2]);
  });
});
