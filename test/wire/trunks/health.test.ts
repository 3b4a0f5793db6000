import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sayStep } from '../../../src/routing/steps.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { addTrunk, reach, refuseAndEnd, routeZero } from '../../support/trunk-steps.js';
import { waitFor } from '../../support/wait-for.js';

describe('RFC 3261 §11: trunks that are asked by OPTIONS', () => {
  let rig: CallRig;
  let a: SipPeer;
  let one: SipPeer;
  let two: SipPeer;
  let answer: number | undefined = 200;
  let answered = 0;
  let isOver = false;
  before(async () => {
    rig = await startCallRig();
    a = await rig.phone('1001');
    [one, two] = [await rig.peer('one'), await rig.peer('two')];
    await addTrunk(rig, 'one', one, { optionsSec: 1, downAfter: 2, upAfter: 2 });
    await addTrunk(rig, 'two', two);
    await routeZero(rig, 'one', 'two');
    void (async () => {
      while (!isOver) {
        const options = await one.next('OPTIONS', 30_000).catch(() => undefined);
        if (!options || answer === undefined) continue;
        one.respond(options, answer);
        answered++;
      }
    })();
  });
  after(() => {
    isOver = true;
    return rig.close();
  });
  const state = () => rig.trunks.states().find(({ name }) => name === 'one')!;
  const healthIs = (health: string) => waitFor(health, () => state().health === health, 8000);

  test('a trunk that refuses OPTIONS is alive', async () => {
    answer = 404;
    const before = answered;
    // More than make it down: downAfter is 2.
    await waitFor('three looks', () => answered >= before + 3);
    assert.match(state().healthReason, /^404/);
    assert.equal(state().health, 'up');
  });

  test('503 makes it down, calls pass it by and the steps say why', async () => {
    answer = 503;
    await healthIs('down');
    const alarm = rig.alarms.active()[0];
    assert.deepEqual([alarm?.name, alarm?.subject], ['TRUNK_DOWN', 'one']);
    assert.match(alarm?.detail ?? '', /^503/);
    const { steps } = await rig.control.routes.explain('1001', '030123');
    assert.match(steps.map(sayStep).join('\n'), /trunk one is down \(503 [^)]*\): skipped/);
    const { invite, atGateway } = await reach(a, two, '030123');
    await refuseAndEnd(a, two, invite, atGateway);
    assert.equal(one.has('INVITE'), false);
  });

  test('it comes up when it has answered often enough', async () => {
    answer = 200;
    await healthIs('up');
    assert.deepEqual(rig.alarms.active(), []);
    const { invite, atGateway } = await reach(a, one, '030123');
    await refuseAndEnd(a, one, invite, atGateway);
  });

  test('silence makes it down', async () => {
    answer = undefined;
    await healthIs('down');
    assert.equal(state().healthReason, 'no answer');
    assert.equal(rig.alarms.active()[0]?.detail, 'no answer');
    const records = await rig.records(2);
    assert.deepEqual(records.map(({ trunkOut }) => trunkOut).sort(), ['one', 'two']);
  });

  test('the alarm ends with a trunk that is not asked any more, and an old one when the trunk answers', async () => {
    await rig.trunks.modify('one', { optionsSec: 0 });
    await waitFor('no alarm', () => rig.alarms.active().length === 0);
    rig.alarms.raise('TRUNK_DOWN', 'one', 'before a restart');
    answer = 200;
    await rig.trunks.modify('one', { optionsSec: 1 });
    await waitFor('no alarm', () => rig.alarms.active().length === 0);
  });
});
