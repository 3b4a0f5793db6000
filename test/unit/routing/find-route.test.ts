import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CODES } from '../../../src/routing/feature-codes.js';
import { findRoute, type RouteDirectory, type RouteRequest } from '../../../src/routing/find-route.js';
import { normaliseNumber } from '../../../src/routing/number.js';
import { sayStep } from '../../../src/routing/steps.js';
import type { CalleeFacts, HuntGroup, NumberEntry, RoutableBinding } from '../../../src/routing/types.js';

interface Phone extends RoutableBinding {
  readonly name: string;
}

interface World {
  readonly users?: Record<string, Partial<CalleeFacts<Phone>>>;
  readonly groups?: Record<string, Partial<HuntGroup>>;
  readonly numbers?: Record<string, Omit<NumberEntry, 'number'>>;
  readonly turn?: number;
}

const phone = (name: string, q = 1, registeredAt = 0): Phone => ({ name, q, registeredAt });

function directory({ users = {}, groups = {}, numbers = {}, turn = 0 }: World): RouteDirectory<Phone> {
  return {
    codes: async () => DEFAULT_CODES,
    entry: async (number) => numbers[number] && { number, ...numbers[number] },
    group: async (number) =>
      groups[number] && {
        turn,
        group: { number, name: '', members: [], strategy: 'LINEAR', memberSec: 20, ...groups[number] },
      },
    user: async (username) =>
      users[username] && {
        username,
        status: 'ACTIVE',
        bindings: [phone(`${username}-phone`)],
        features: {},
        calls: 0,
        lastAnswer: 0,
        ...users[username],
      },
  };
}

async function route(world: World, to: string, change: Partial<RouteRequest> = {}) {
  const found = await findRoute(directory(world), {
    caller: { username: '1001', status: 'ACTIVE' },
    scheme: 'sip',
    host: 'ims',
    isLocalHost: true,
    number: normaliseNumber(to),
    diversions: [],
    now: 0,
    maxTargets: 10,
    ringMs: 60_000,
    ...change,
  });
  return found;
}

/** Who rings, round by round: `a+b 20s`. */
async function rounds(world: World, to: string, change?: Partial<RouteRequest>): Promise<string[]> {
  const found = await route(world, to, change);
  if (found.kind === 'refusal') return [found.refusal];
  if (found.kind === 'code')
    return [found.code.action, ...(found.code.argument ? [found.code.argument] : [])];
  return found.plan.rounds.map(
    ({ targets, ringMs }) =>
      `${targets.map((target) => (target.kind === 'phone' ? target.binding.name : target.kind)).join('+')} ${ringMs / 1000}s`,
  );
}

const THREE = [phone('old', 0.5, 1), phone('new', 0.5, 9), phone('best', 1, 5)];

for (const [what, features, expected] of [
  ['all phones ring together', {}, ['best+new+old 60s']],
  [
    'in order the newest rings first, the last for the time that is left',
    { ring: 'ORDER' },
    ['new 20s', 'best 20s', 'old 20s'],
  ],
  ['by q those of equal q ring together', { ring: 'Q' }, ['best 20s', 'new+old 40s']],
  [
    'rounds fit into the no-answer time',
    { ring: 'ORDER', ringSec: 10, noAnswerSec: 15 },
    ['new 10s', 'best 5s'],
  ],
  ['the no-answer time of the user', { noAnswerSec: 12 }, ['best+new+old 12s']],
  ['do not disturb', { doNotDisturb: true }, ['callee-do-not-disturb']],
  ['too many calls', { maxCalls: 2 }, ['callee-busy']],
  ['a call may wait', { maxCalls: 3 }, ['best+new+old 60s']],
] as const)
  test(`RFC 3261 §16.6: ${what}`, async () => {
    const users = { 1002: { bindings: THREE, features, calls: 2 } };
    assert.deepEqual(await rounds({ users }, '1002'), expected);
  });

test('a group rings its free members in order and says why it skips the others', async () => {
  const world: World = {
    groups: { 800: { members: ['1002', '1003', '1004', '1005', '1006', '1001', 'gone'] } },
    users: {
      1001: {},
      1002: { calls: 1 },
      1003: {},
      1004: { bindings: [] },
      1005: { features: { doNotDisturb: true } },
      1006: { features: { forwardAlways: '1002' } },
    },
  };
  assert.deepEqual(await rounds(world, '800'), ['1003-phone 20s', '1006-phone 20s']);
  const { steps } = await route(world, '800');
  for (const why of [/1002 is busy/, /1004 has no phone/, /1005 is not to be disturbed/, /1001 is calling/])
    assert.match(steps.map(sayStep).join('; '), why);
});

for (const [strategy, turn, expected] of [
  ['ALL', 0, ['1002-phone+1003-phone+1004-phone 20s']],
  ['LINEAR', 5, ['1002-phone 20s', '1003-phone 20s', '1004-phone 20s']],
  ['ROUND_ROBIN', 0, ['1002-phone 20s', '1003-phone 20s', '1004-phone 20s']],
  ['ROUND_ROBIN', 4, ['1003-phone 20s', '1004-phone 20s', '1002-phone 20s']],
  ['LEAST_RECENT', 0, ['1003-phone 20s', '1004-phone 20s', '1002-phone 20s']],
] as const)
  test(`group strategy ${strategy} at turn ${turn}`, async () => {
    const users = { 1002: { lastAnswer: 9 }, 1003: {}, 1004: { lastAnswer: 4 } };
    const groups = { 800: { members: ['1002', '1003', '1004'], strategy } };
    assert.deepEqual(await rounds({ users, groups, turn }, '800'), expected);
  });

test('a group without a free member overflows, and without overflow it is busy or not there', async () => {
  const users = { 1002: { calls: 1 }, 1009: {} };
  const groups = {
    800: { members: ['1002'], overflow: '1009' },
    801: { members: ['1002'] },
    802: { members: ['x'] },
  };
  const found = await route({ users, groups }, '800');
  assert.ok(found.kind === 'plan');
  assert.equal(found.plan.callee, '1009');
  assert.deepEqual(found.diversions, [{ by: '800', to: '1009', reason: 'user-busy' }]);
  assert.deepEqual(await rounds({ users, groups }, '801'), ['callee-busy']);
  assert.deepEqual(await rounds({ users, groups }, '802'), ['callee-not-registered']);
});

test('short numbers lead to users, groups and other short numbers, but not in a circle', async () => {
  const world: World = {
    users: { 1002: {} },
    groups: { 800: { members: ['1002'] } },
    numbers: {
      1: { to: '1002', rules: [] },
      2: { to: '800', rules: [] },
      3: { to: '1', rules: [] },
      4: { to: '5', rules: [] },
      5: { to: '4', rules: [] },
    },
  };
  for (const number of ['1', '2', '3']) assert.equal((await route(world, number)).kind, 'plan', number);
  assert.deepEqual(await rounds(world, '4'), ['forward-loop']);
  const { diversions } = await route(world, '3');
  assert.deepEqual(diversions, []);
});

/** Friday 20 November 2026, 17:30 UTC: 18:30 in Berlin, Saturday 01:30 in Shanghai. */
const FRIDAY_1730 = Date.UTC(2026, 10, 20, 17, 30);
const rule = (days: number[], from: number, until: number, zone = 'UTC') => ({
  days,
  from,
  until,
  zone,
  to: '1003',
});

for (const [what, one, holds] of [
  ['within the hours of that day', rule([5], 17 * 60, 18 * 60), true],
  ['the end is exclusive', rule([5], 17 * 60, 17 * 60 + 30), false],
  ['another day', rule([1, 2, 3, 4], 0, 1440), false],
  ['in the zone of the rule', rule([5], 18 * 60, 19 * 60, 'Europe/Berlin'), true],
  ['the day is that of the zone', rule([6], 0, 120, 'Asia/Shanghai'), true],
  ['over midnight, in the evening', rule([5], 17 * 60, 8 * 60), true],
  ['over midnight, in the morning after', rule([5], 22 * 60, 8 * 60, 'Asia/Shanghai'), true],
  ['over midnight, not on the morning of its first day', rule([6], 22 * 60, 60, 'Asia/Shanghai'), false],
  ['over midnight, after its end', rule([5], 22 * 60, 60, 'Asia/Shanghai'), false],
  ['a zone nobody knows', rule([5], 0, 1440, 'Mars/Olympus'), false],
] as const)
  test(`time rule: ${what}`, async () => {
    const world: World = { users: { 800: {}, 1003: {} }, numbers: { 800: { rules: [one] } } };
    const found = await route(world, '800', { now: FRIDAY_1730 });
    assert.ok(found.kind === 'plan');
    assert.equal(found.plan.callee, holds ? '1003' : '800');
  });

for (const [dialled, expected] of [
  ['*21*1003#', ['FWDALL_ON', '1003']],
  ['*21*1003', ['FWDALL_ON', '1003']],
  ['#21#', ['FWDALL_OFF']],
  ['#21', ['FWDALL_OFF']],
  ['##002#', ['FWD_OFF']],
  ['*78', ['DND_ON']],
  ['*8', ['PICKUP_GROUP']],
  ['**1002', ['PICKUP', '1002']],
  ['*99', ['callee-unknown']],
  ['*21*#', ['callee-unknown']],
] as const)
  test(`feature code ${dialled}`, async () => {
    assert.deepEqual(await rounds({}, dialled), expected);
  });

test('nothing leads to a feature code but dialling it', async () => {
  const world: World = { users: { 1002: { features: { forwardAlways: '*78' } } } };
  assert.deepEqual(await rounds(world, '1002'), ['callee-unknown']);
});

test('a circle is found at once, conditional forwardings that would close one are left out', async () => {
  const users = {
    1002: { features: { forwardAlways: '1003' } },
    1003: { features: { forwardAlways: '1002' } },
    1004: { features: { forwardAlways: '1005' } },
    1005: { features: { forwardBusy: '1004', forwardNoAnswer: '1006', forwardUnreachable: '1001' } },
  };
  const circle = await route({ users }, '1002');
  assert.ok(circle.kind === 'refusal');
  assert.equal(circle.refusal, 'forward-loop');
  assert.deepEqual(circle.diversions, [{ by: '1002', to: '1003', reason: 'unconditional' }]);
  const open = await route({ users }, '1004');
  assert.ok(open.kind === 'plan');
  assert.deepEqual(open.plan.onFailure, { 'no-answer': { by: '1005', to: '1006', reason: 'no-answer' } });
});

test('six forwardings in a row are one too many', async () => {
  const users = Object.fromEntries(
    Array.from({ length: 7 }, (_, i) => [`${2000 + i}`, { features: { forwardAlways: `${2001 + i}` } }]),
  );
  const found = await route({ users }, '2000');
  assert.ok(found.kind === 'refusal');
  assert.equal(found.refusal, 'forward-loop');
  assert.equal(found.diversions.length, 5);
});
