import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRoom } from '../../../src/routing/decide-room.js';
import { type RouteStep, sayStep } from '../../../src/routing/steps.js';
import type { RoomFacts } from '../../../src/routing/types.js';

const open: RoomFacts = {
  room: 'conf_team',
  because: { by: 'prefix', value: 'conf_' },
  members: 1,
  maxMembers: 3,
  isLocked: false,
  mayOutside: false,
  rooms: 1,
  maxRooms: 2,
};
const caller = { username: '1001', status: 'ACTIVE' } as const;

function outcome(change: Partial<RoomFacts>, trunk?: string): string {
  const decision = decideRoom(
    { caller: { ...caller, ...(trunk !== undefined && { trunk }) }, ringMs: 1000 },
    { ...open, ...change },
    [],
  );
  return decision.kind === 'refusal' ? decision.refusal : decision.kind;
}

test('a room that is open is one seat to be called', () => {
  const steps: RouteStep[] = [];
  assert.deepEqual(decideRoom({ caller, ringMs: 1000 }, open, steps), {
    kind: 'plan',
    plan: {
      callee: 'conf_team',
      room: 'conf_team',
      rounds: [{ kind: 'room', targets: [{ kind: 'room', room: 'conf_team' }], ringMs: 1000 }],
      onFailure: {},
    },
    steps,
  });
  assert.deepEqual(steps.map(sayStep), [
    'number conf_team is a conference room (prefix conf_)',
    '1 of 3 members are in it',
  ]);
});

test('who does not get in, and why', () => {
  assert.equal(outcome({ members: 2 }), 'plan');
  assert.equal(outcome({ members: 3 }), 'conference-full');
  assert.equal(outcome({ members: 4 }), 'conference-full');
  assert.equal(outcome({ isLocked: true }), 'conference-locked');
  assert.equal(outcome({ isLocked: true, members: 3 }), 'conference-locked');
  assert.equal(outcome({}, 'carrier'), 'conference-forbidden');
  assert.equal(outcome({ isLocked: true }, 'carrier'), 'conference-forbidden');
  assert.equal(outcome({ mayOutside: true }, 'carrier'), 'plan');
});

test('the limit of rooms is for rooms that nobody is in yet', () => {
  assert.equal(outcome({ rooms: 2 }), 'plan');
  assert.equal(outcome({ rooms: 2, members: 0 }), 'conference-limit');
  assert.equal(outcome({ rooms: 1, members: 0 }), 'plan');
});
