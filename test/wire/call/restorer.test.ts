import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { CallRecord, LeftRecord, TimelineEvent } from '../../../src/cdr/types.js';
import { type Clock, systemClock } from '../../../src/platform/clock.js';
import type { Json } from '../../../src/store/types.js';
import { type CallRig, type CallRigOptions, startCallRig } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { SAVED_CALL } from '../../support/saved-call-parts.js';

/** A leg that called us; without a CSeq none can be made of it. */
function calledUs(name: string, side: 'a' | 'b', cseq: string | undefined) {
  const from = `<sip:${name}@ims>;tag=${name}`;
  const headers = { from, to: '<sip:1002@ims>', 'call-id': name, ...(cseq && { cseq }) };
  return { ...leg(name, side), role: 'uas', invite: { uri: 'sip:1002@ims', headers } };
}

function leg(name: string, side: 'a' | 'b') {
  const target = { uri: 'sip:1001@127.0.0.1', address: '127.0.0.1', port: 5062, transport: 'udp' };
  const party = side === 'a' ? 'CALLER' : 'CALLEE';
  return { name, side, party, dialogId: `${name};from-tag=${name}`, callId: name, target };
}

/** Starts a rig that was left with such a call; the test closes it. */
async function startWith(
  t: TestContext,
  state: object,
  options: CallRigOptions = {},
  begin?: () => void,
): Promise<CallRig> {
  const added: TimelineEvent[] = [];
  const record = {
    id: 'left-1',
    timeline: [],
    add: (event: TimelineEvent) => void added.push(event),
    keep: () => undefined,
    finish: () => ({}) as CallRecord,
  };
  const giveUp = (): never => assert.fail('what was kept can be read');
  const one = { id: record.id, state: state as Json, lastKnownAt: Date.now(), resume: () => record, giveUp };
  const left = (): LeftRecord[] => {
    begin?.();
    return [one];
  };
  const trunks = { carrier: { address: '127.0.0.1:9', sources: ['127.0.0.1:9'], optionsSec: 0 } };
  const rig = await startCallRig({ ...options, trunks, survival: { left, maxAwayMs: 60_000 } });
  t.after(rig.close);
  assert.match(JSON.stringify(added), /"kind":"ended".*"server-error"/);
  return rig;
}

function assertNothingLeft({ trunks, control }: CallRig): void {
  const [{ callsIn, callsOut } = { callsIn: -1, callsOut: -1 }] = trunks.states();
  assert.deepEqual([control.count().active, callsIn, callsOut], [0, 0, 0]);
}

describe('calls that cannot be made again after a restart', () => {
  const winner = { ...leg('b1', 'b'), role: 'uac', trunk: 'carrier' };

  test('the caller has its place at a trunk, the callee cannot be made: the place is free again', async (t) => {
    const a = calledUs('a', 'a', '1 INVITE');
    const rig = await startWith(t, {
      ...SAVED_CALL,
      a,
      trunkIn: 'carrier',
      winner: calledUs('b1', 'b', undefined),
    });
    assertNothingLeft(rig);
  });

  test('the callee has its place at a trunk, the other party cannot be made: the place is free again', async (t) => {
    const near = calledUs('b2', 'a', undefined);
    const rig = await startWith(t, { ...SAVED_CALL, a: calledUs('a', 'a', '1 INVITE'), winner, near });
    assertNothingLeft(rig);
  });

  test('a fault of ours at the last step: the call is not there, and the next one is none the worse', async (t) => {
    let isBroken = false;
    const setTimeout: Clock['setTimeout'] = (fn, delayMs) => {
      const fails = isBroken;
      isBroken = false;
      if (fails) throw new TypeError('a bug');
      return systemClock.setTimeout(fn, delayMs);
    };
    const lasts = { maxDurationSec: 3600, endsAt: Date.now() + 3_600_000 };
    const state = { ...SAVED_CALL, ...lasts, a: calledUs('a', 'a', '1 INVITE'), winner };
    const rig = await startWith(t, state, { clock: { ...systemClock, setTimeout } }, () => {
      isBroken = true;
    });
    assertNothingLeft(rig);
    const [a, b] = [await rig.phone('1001'), await rig.phone('1002')];
    await hangUp(a, b, await connect(a, b));
    await rig.records(1);
  });
});
