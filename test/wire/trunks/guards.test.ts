import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { SipMessage } from '../../../src/sip/message.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { connect } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { referred, untilTerminated } from '../../support/transfer-steps.js';
import { addTrunk, answerAndEnd, reach, refuseAndEnd, routeZero } from '../../support/trunk-steps.js';
import { waitFor } from '../../support/wait-for.js';

const isRefusal = (message: SipMessage): boolean =>
  message.type === 'response' && message.statusCode === 403 && message.cseq?.method === 'INVITE';

describe('guards of trunks', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let one: SipPeer;
  let two: SipPeer;
  beforeEach(async () => {
    ({ rig, a, b } = await startTwoPhones({ outside: { maxCalls: 2, perHour: 5, perDay: 8 } }));
    [one, two] = [await rig.peer('one'), await rig.peer('two')];
    await addTrunk(rig, 'one', one);
    await addTrunk(rig, 'two', two);
    await routeZero(rig, 'one', 'two');
  });
  afterEach(() => rig.close());

  /** A call that is refused by us; resolves its release reason. */
  async function refusedTo(number: string, status: number): Promise<string> {
    const invite = await a.invite(number);
    const refused = await a.final(invite);
    a.ackRefusal(invite, refused);
    assert.equal(refused.statusCode, status);
    assert.match(refused.get('reason') ?? '', /Q\.850/);
    return /text="([^"]*)"/.exec(refused.get('reason') ?? '')?.[1] ?? '';
  }

  /** A call that a trunk brings is refused by us; resolves its release reason. */
  async function refusedFrom(gateway: SipPeer, number: string): Promise<string> {
    const invite = gateway.invitation(number);
    gateway.send(invite);
    const refused = await gateway.final(invite);
    gateway.ackRefusal(invite, refused);
    return /text="([^"]*)"/.exec(refused.get('reason') ?? '')?.[1] ?? '';
  }

  test('a class that the user does not have', async () => {
    await rig.trunks.addRoute('world', {
      prefix: '00',
      callClass: 'INTERNATIONAL',
      trunks: [{ trunk: 'one', priority: 1, weight: 1 }],
    });
    assert.equal(await refusedTo('0033123', 403), 'outside-not-allowed');
    await rig.users.modify('1001', { features: { outside: 'INTERNATIONAL' } });
    const { invite, atGateway } = await reach(a, one, '0033123');
    await refuseAndEnd(a, one, invite, atGateway);
    await rig.users.modify('1001', { features: { outside: 'NONE' } });
    assert.equal(await refusedTo('030123', 403), 'outside-not-allowed');
    const sent = (await rig.records(3)).filter(({ trunkOut }) => trunkOut !== undefined);
    assert.deepEqual(
      sent.map(({ route, trunkOut }) => [route, trunkOut]),
      [['world', 'one']],
    );
  });

  test('numbers that are barred, and prefixes that are not allowed', async () => {
    await rig.trunks.addRoute('barred', { prefix: '0900', trunks: [] });
    assert.equal(await refusedTo('0900123', 403), 'destination-barred');
    await rig.users.modify('1001', { features: { outsidePrefixes: '040&050' } });
    assert.equal(await refusedTo('030123', 403), 'outside-not-allowed');
  });

  test('as many calls at once as the server allows, a place is free again when one ends', async () => {
    const calls = [await reach(a, one, '030111'), await reach(a, one, '030222')];
    assert.equal(await refusedTo('030333', 403), 'outside-limit');
    await refuseAndEnd(a, one, calls[0]!.invite, calls[0]!.atGateway);
    await waitFor('a free place', () => rig.trunks.states()[0]?.callsOut === 1);
    const next = await reach(a, one, '030333');
    await answerAndEnd(a, one, next.invite, next.atGateway);
    await refuseAndEnd(a, one, calls[1]!.invite, calls[1]!.atGateway);
    assert.equal((await rig.records(4)).length, 4);
    const used = rig.trunks.states().map(({ callsIn, callsOut }) => callsIn + callsOut);
    assert.deepEqual(used, [0, 0]);
  });

  test('calls that begin at the same moment do not get past the limit together', async () => {
    const invites = Array.from({ length: 6 }, () => a.invitation('030111'));
    const challenges = await Promise.all(
      invites.map((invite) => {
        a.send(invite);
        return a.final(invite);
      }),
    );
    for (const [i, invite] of invites.entries()) {
      a.ackRefusal(invite, challenges[i]!);
      a.sendWithCredentials(invite, challenges[i]!);
    }
    const up = [await one.next('INVITE'), await one.next('INVITE')];
    await waitFor('four refusals', () => a.log.filter(isRefusal).length >= 4);
    assert.equal(one.has('INVITE'), false);
    for (const atOne of up) one.respond(atOne, 603);
    const records = await rig.records(6);
    const limited = records.filter(({ releaseReason }) => releaseReason === 'outside-limit');
    assert.equal(limited.length, 4);
  });

  test('as many calls in an hour as the user is allowed', async () => {
    await rig.users.modify('1001', { features: { outsidePerHour: 2 } });
    for (let i = 0; i < 2; i++) {
      const { invite, atGateway } = await reach(a, one, '030111');
      await refuseAndEnd(a, one, invite, atGateway);
    }
    assert.equal(await refusedTo('030111', 403), 'outside-limit');
  });

  test('calls at once of a trunk: the next trunk takes the call, then 503', async () => {
    await rig.users.modify('1001', { features: { outsideCalls: 10 } });
    await rig.trunks.modify('one', { maxCalls: 1 });
    await rig.trunks.modify('two', { maxCalls: 1 });
    const first = await reach(a, one, '030111');
    const second = await reach(a, two, '030111');
    assert.equal(await refusedTo('030111', 503), 'trunks-full');
    assert.equal(await refusedFrom(one, '1002'), 'trunk-limit');
    await refuseAndEnd(a, one, first.invite, first.atGateway);
    await refuseAndEnd(a, two, second.invite, second.atGateway);
    const records = await rig.records(4);
    const inbound = records.find(({ trunkIn }) => trunkIn === 'one');
    assert.deepEqual([inbound?.direction, inbound?.sipStatus], ['INBOUND', 503]);
  });

  test('calls a second of a trunk', async () => {
    await rig.trunks.modify('one', { maxRate: 1 });
    const first = await reach(a, one, '030111');
    const second = await reach(a, two, '030111');
    await refuseAndEnd(a, one, first.invite, first.atGateway);
    await refuseAndEnd(a, two, second.invite, second.atGateway);
    await rig.records(2);
  });

  test('a call from a trunk that is forwarded outside does not go back where it came from', async () => {
    await rig.users.modify('1002', { features: { forwardAlways: '030777' } });
    const invite = one.invitation('1002');
    one.send(invite);
    const atTwo = await two.next('INVITE');
    assert.match(atTwo.requestUri, /030777/);
    assert.match(atTwo.get('diversion') ?? '', /1002/);
    two.respond(atTwo, 486);
    one.ackRefusal(invite, await one.response(invite, 486));
    assert.equal(one.has('INVITE'), false);
    const [record] = await rig.records(1);
    assert.deepEqual(
      [record?.trunkIn, record?.trunkOut, record?.direction, record?.forwardedBy, record?.route],
      ['one', 'two', 'OUTBOUND', '1002', 'out'],
    );
  });

  test('unless the operator wants that', async () => {
    await rig.trunks.modify('one', { mayReturn: true });
    await rig.users.modify('1002', { features: { forwardAlways: '030777' } });
    const invite = two.invitation('1002');
    two.send(invite);
    one.respond(await one.next('INVITE'), 486);
    two.ackRefusal(invite, await two.response(invite, 486));
    const again = one.invitation('1002');
    one.send(again);
    one.respond(await one.next('INVITE'), 486);
    one.ackRefusal(again, await one.response(again, 486));
    await rig.records(2);
  });

  test('who forwards answers for the call: its rights and limits count, not those of the caller', async () => {
    await rig.users.modify('1002', { features: { forwardAlways: '030777', outside: 'NONE' } });
    assert.equal(await refusedTo('1002', 403), 'outside-not-allowed');
    await rig.users.modify('1001', { features: { outside: 'NONE' } });
    await rig.users.modify('1002', { features: { outside: 'NATIONAL', outsidePerHour: 1 } });
    const { invite, atGateway } = await reach(a, one, '1002');
    await refuseAndEnd(a, one, invite, atGateway);
    assert.equal(await refusedTo('1002', 403), 'outside-limit');
    const records = await rig.records(3);
    assert.deepEqual(
      records.map(({ forwardedBy }) => forwardedBy),
      ['1002', '1002', '1002'],
    );
  });

  test('a code does not set a forwarding to what its user may not call', async () => {
    await rig.users.modify('1001', { features: { outside: 'NONE' } });
    assert.equal(await refusedTo('*21*030777#', 403), 'feature-code-refused');
    await rig.users.modify('1001', { features: { outside: 'NATIONAL' } });
    assert.equal(await refusedTo('*21*030777#', 603), 'feature-code-done');
  });

  test('a transfer to outside is guarded by the rights of who transfers, and works with them', async () => {
    const up = await connect(a, b);
    await rig.users.modify('1001', { features: { outside: 'NONE' } });
    await rig.users.modify('1002', { features: { outside: 'NONE' } });
    assert.equal((await referred(b, up.b, 'sip:030777@ims')).statusCode, 202);
    const told = await untilTerminated(b);
    assert.match(told.at(-1)!, /^SIP\/2\.0 403 /);
    for (const earlier of told.slice(0, -1)) assert.match(earlier, / 100 /);
    await rig.users.modify('1002', { features: { outside: 'NATIONAL' } });
    await referred(b, up.b, 'sip:030777@ims');
    const atOne = await one.next('INVITE');
    assert.match(atOne.get('referred-by') ?? '', /1002/);
    assert.match(atOne.get('from') ?? '', /<sip:1001@/);
    one.respond(atOne, 200, { sdp: one.sdp() });
    await one.next('ACK');
    const reinvite = await a.next('INVITE');
    a.respond(reinvite, 200, { sdp: a.sdp() });
    await a.next('ACK');
    await b.expectBye();
    const ended = a.bye(up.a);
    await one.expectBye();
    await ended;
    const [record] = await rig.records(1);
    assert.deepEqual([record?.transferredBy, record?.transferredTo], ['1002', '030777']);
  });

  test('transfers to outside that come to nothing do not use up the calls of who transfers', async () => {
    const up = await connect(a, b);
    for (let i = 0; i < 3; i++) {
      await referred(b, up.b, 'sip:030777@ims');
      one.respond(await one.next('INVITE'), 486);
      assert.match((await untilTerminated(b)).at(-1)!, / 486 /);
    }
    const ended = a.bye(up.a);
    await b.expectBye();
    await ended;
    await rig.records(1);
  });

  test('a party beyond a trunk is transferred by a subscriber', async () => {
    const invite = one.invitation('1001');
    one.send(invite);
    const atA = await a.next('INVITE');
    a.respond(atA, 200, { sdp: a.sdp() });
    const ok = await one.response(invite, 200);
    await a.next('ACK');
    const dialog = one.ack(invite, ok);
    await referred(a, a.dialogAsUas(atA), 'sip:1002@ims');
    const atB = await b.next('INVITE');
    assert.match(atB.get('from') ?? '', /<sip:one@/);
    b.respond(atB, 200, { sdp: b.sdp() });
    await b.next('ACK');
    const reinvite = await one.next('INVITE');
    one.respond(reinvite, 200, { sdp: one.sdp('sendrecv', 2) });
    await one.next('ACK');
    await a.expectBye();
    const ended = b.bye(b.dialogAsUas(atB));
    await one.expectBye();
    await ended;
    const [record] = await rig.records(1);
    assert.deepEqual(
      [record?.trunkIn, record?.direction, record?.transferredBy, record?.transferredTo],
      ['one', 'INBOUND', '1001', '1002'],
    );
    assert.ok(dialog);
    assert.deepEqual(rig.trunks.states()[0]?.callsIn, 0);
  });

  test('a transfer to outside does not send a party back to its own trunk', async () => {
    const invite = one.invitation('1001');
    one.send(invite);
    const atA = await a.next('INVITE');
    a.respond(atA, 200, { sdp: a.sdp() });
    const ok = await one.response(invite, 200);
    await a.next('ACK');
    const dialog = one.ack(invite, ok);
    await referred(a, a.dialogAsUas(atA), 'sip:030777@ims');
    const atTwo = await two.next('INVITE');
    two.respond(atTwo, 486);
    assert.match((await untilTerminated(a)).at(-1)!, / 486 /);
    assert.equal(one.has('INVITE'), false);
    const ended = one.bye(dialog);
    await a.expectBye();
    await ended;
    await rig.records(1);
  });

  test('the longest call of a trunk ends it, whichever way it came', async () => {
    await rig.trunks.modify('one', { maxDurationSec: 1 });
    const { invite, atGateway } = await reach(a, one, '030111');
    one.respond(atGateway, 200, { sdp: one.sdp() });
    a.ack(invite, await a.response(invite, 200));
    await one.next('ACK');
    await Promise.all([a.expectBye(), one.expectBye()]);
    const call = one.invitation('1001');
    one.send(call);
    a.respond(await a.next('INVITE'), 200, { sdp: a.sdp() });
    one.ack(call, await one.response(call, 200));
    await a.next('ACK');
    await Promise.all([a.expectBye(), one.expectBye()]);
    const records = await rig.records(2);
    assert.deepEqual(
      records.map(({ releaseReason }) => releaseReason),
      ['duration-exceeded', 'duration-exceeded'],
    );
  });

  test('a party beyond a trunk may not transfer itself', async () => {
    const invite = one.invitation('1001');
    one.send(invite);
    a.respond(await a.next('INVITE'), 200, { sdp: a.sdp() });
    const ok = await one.response(invite, 200);
    await a.next('ACK');
    const dialog = one.ack(invite, ok);
    assert.equal((await referred(one, dialog, 'sip:1002@ims')).statusCode, 403);
    const ended = one.bye(dialog);
    await a.expectBye();
    await ended;
    assert.equal((await rig.records(1))[0]?.result, 'ANSWERED');
  });
});
