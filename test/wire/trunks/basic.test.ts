import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';

describe('calls over trunks', () => {
  let rig: CallRig;
  let a: SipPeer;
  let one: SipPeer;
  let two: SipPeer;
  let count = 0;
  before(async () => {
    rig = await startCallRig();
    a = await rig.phone('1001');
    [one, two] = [await rig.peer('one'), await rig.peer('two')];
    for (const [name, gateway] of [
      ['one', one],
      ['two', two],
    ] as const) {
      const address = `127.0.0.1:${gateway.port}`;
      await rig.trunks.add(name, { address, sources: [address], optionsSec: 0, trySec: 1 });
    }
    await rig.trunks.addRoute('out', {
      prefix: '0',
      trunks: [
        { trunk: 'one', priority: 1, weight: 1 },
        { trunk: 'two', priority: 2, weight: 1 },
      ],
    });
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1)!;

  test('a call to a number outside goes to the first trunk and its record says how', async () => {
    const invite = await a.invite('030123');
    const atOne = await one.next('INVITE');
    assert.equal(atOne.requestUri, `sip:030123@127.0.0.1:${one.port}`);
    one.respond(atOne, 183);
    one.respond(atOne, 200, { sdp: one.sdp() });
    const ok = await a.response(invite, 200);
    await one.next('ACK');
    const ended = a.bye(a.ack(invite, ok));
    await one.expectBye();
    await ended;
    const { result, direction, trunkOut, trunkIn, route, calleeNumber } = await lastRecord();
    assert.deepEqual(
      { result, direction, trunkOut, trunkIn, route, calleeNumber },
      {
        result: 'ANSWERED',
        direction: 'OUTBOUND',
        trunkOut: 'one',
        trunkIn: undefined,
        route: 'out',
        calleeNumber: '030123',
      },
    );
  });

  for (const status of [408, 500, 503]) {
    test(`the next trunk is tried after ${status}`, async () => {
      const invite = await a.invite('030123');
      one.respond(await one.next('INVITE'), status);
      await one.next('ACK');
      const atTwo = await two.next('INVITE');
      two.respond(atTwo, 200, { sdp: two.sdp() });
      const ok = await a.response(invite, 200);
      await two.next('ACK');
      const ended = a.bye(a.ack(invite, ok));
      await two.expectBye();
      await ended;
      const record = await lastRecord();
      assert.deepEqual([record.trunkOut, record.result], ['two', 'ANSWERED']);
      assert.deepEqual(
        record.attempts.map(({ trunk, sipStatus }) => [trunk, sipStatus]),
        [
          ['one', status],
          ['two', 200],
        ],
      );
    });
  }

  test('a trunk that says nothing in its time is followed by the next', async () => {
    const invite = await a.invite('030123');
    await one.next('INVITE');
    const atTwo = await two.next('INVITE');
    two.respond(atTwo, 486);
    const busy = await a.response(invite, 486);
    a.ackRefusal(invite, busy);
    const record = await lastRecord();
    assert.deepEqual(
      record.attempts.map(({ trunk, sipStatus }) => [trunk, sipStatus]),
      [
        ['one', 408],
        ['two', 486],
      ],
    );
    assert.deepEqual([record.releaseReason, record.trunkOut], ['callee-busy', 'two']);
  });

  for (const status of [404, 486, 600, 603]) {
    test(`no other trunk is tried after ${status}`, async () => {
      const invite = await a.invite('030123');
      one.respond(await one.next('INVITE'), status);
      const response = await a.response(invite, status);
      a.ackRefusal(invite, response);
      assert.equal(two.has('INVITE'), false);
      const record = await lastRecord();
      assert.deepEqual([record.attempts.length, record.sipStatus], [1, status]);
    });
  }

  test('a call of a trunk rings the subscriber without a challenge', async () => {
    const invite = one.invitation('1001');
    one.send(invite);
    const atA = await a.next('INVITE');
    a.respond(atA, 180);
    a.respond(atA, 200, { sdp: a.sdp() });
    const ok = await one.response(invite, 200);
    await a.next('ACK');
    const ended = one.bye(one.ack(invite, ok));
    await a.expectBye();
    await ended;
    const record = await lastRecord();
    assert.deepEqual(
      [record.direction, record.trunkIn, record.trunkOut, record.callerNumber, record.calleeNumber],
      ['INBOUND', 'one', undefined, 'one', '1001'],
    );
  });

  test('who is no trunk is challenged, also for a number outside', async () => {
    const stranger = await rig.peer('stranger');
    const invite = stranger.invitation('030123');
    stranger.send(invite);
    const challenge = await stranger.response(invite, 407);
    stranger.ackRefusal(invite, challenge);
    assert.equal(one.has('INVITE') || two.has('INVITE'), false);
  });

  test('a call from a trunk does not go out again', async () => {
    const invite = one.invitation('030123');
    one.send(invite);
    const refused = await one.response(invite, 403);
    one.ackRefusal(invite, refused);
    const record = await lastRecord();
    assert.deepEqual([record.releaseReason, record.trunkIn], ['transit-refused', 'one']);
  });
});
