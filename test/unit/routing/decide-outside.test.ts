import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideOutside } from '../../../src/routing/decide-outside.js';
import { findOutsideRoute } from '../../../src/routing/find-outside-route.js';
import type {
  GatewayFacts,
  OutsideFacts,
  OutsideRoute,
  PayerFacts,
} from '../../../src/routing/outside-types.js';
import { type RouteStep, sayStep, step } from '../../../src/routing/steps.js';
import { translate } from '../../../src/routing/translate.js';
import { weightedOrder } from '../../../src/routing/weighted-order.js';

const ROUTE: OutsideRoute = {
  name: 'out',
  prefix: '0',
  rank: 100,
  callClass: 'NATIONAL',
  trunks: [
    { trunk: 'one', priority: 1, weight: 1 },
    { trunk: 'two', priority: 2, weight: 1 },
  ],
};
const gateway = (name: string, change: Partial<GatewayFacts> = {}): GatewayFacts => ({
  name,
  calls: 0,
  rate: 0,
  rules: [],
  tryMs: 5000,
  mayReturn: false,
  ...change,
});
const down = (trunk: string, answer = '503 Service Unavailable') => step('trunkDown', { trunk, answer });
const PAYER: PayerFacts = {
  username: '1001',
  right: 'NATIONAL',
  allowed: [],
  calls: 0,
  maxCalls: 4,
  hour: 0,
  maxHour: 60,
  day: 0,
  maxDay: 300,
};

function decide(change: Partial<OutsideFacts> = {}, number = '030123') {
  const steps: RouteStep[] = [];
  const facts: OutsideFacts = {
    route: ROUTE,
    gateways: [gateway('one'), gateway('two')],
    payer: PAYER,
    origin: undefined,
    isForwarded: false,
    callerNumber: '1001',
    draws: [0.5],
    ...change,
  };
  const decision = decideOutside(number, 60_000, facts, steps);
  const outcome =
    decision.kind === 'plan'
      ? decision.plan.rounds
          .map(({ targets: [target] }) => (target?.kind === 'trunk' ? target.trunk : ''))
          .join(' ')
      : decision.kind === 'refusal'
        ? decision.refusal
        : decision.kind;
  return { decision, outcome, steps: steps.map(sayStep).join('\n') };
}

const origin = { name: 'one', mayTransit: false };

for (const [what, change, expected, said] of [
  ['trunks go by priority', {}, 'one two', /try 1: trunk one, priority 1\ntry 2: trunk two/],
  [
    'a trunk that is down is skipped',
    { gateways: [gateway('one', { down: down('one', 'no answer') }), gateway('two')] },
    'two',
    /trunk one is down \(no answer\): skipped/,
  ],
  [
    'all down',
    {
      gateways: [
        gateway('one', { down: down('one') }),
        gateway('two', { down: step('trunkInactive', { trunk: 'two' }) }),
      ],
    },
    'trunks-down',
    /no trunk of route out/,
  ],
  [
    'a full trunk is skipped',
    { gateways: [gateway('one', { calls: 3, maxCalls: 3 }), gateway('two')] },
    'two',
    /one has 3 of 3 calls: skipped/,
  ],
  [
    'a trunk over its rate is skipped',
    { gateways: [gateway('one', { rate: 2, maxRate: 2 }), gateway('two')] },
    'two',
    /began 2 of 2 calls this second/,
  ],
  [
    'all full or down',
    { gateways: [gateway('one', { calls: 3, maxCalls: 3 }), gateway('two', { down: down('two') })] },
    'trunks-full',
    /no trunk/,
  ],
  ['a trunk that is gone is skipped', { gateways: [gateway('two')] }, 'two', /one does not exist/],
  [
    'a route without trunks bars',
    { route: { ...ROUTE, trunks: [] } },
    'destination-barred',
    /bars these numbers/,
  ],
  [
    'a dearer class',
    { route: { ...ROUTE, callClass: 'INTERNATIONAL' } },
    'outside-not-allowed',
    /1001 may call NATIONAL, not INTERNATIONAL/,
  ],
  ['no right at all', { payer: { ...PAYER, right: 'NONE' } }, 'outside-not-allowed', /may call NONE/],
  [
    'a right that is dearer than needed',
    { payer: { ...PAYER, right: 'PREMIUM' } },
    'one two',
    /may call NATIONAL/,
  ],
  ['a prefix that is allowed', { payer: { ...PAYER, allowed: ['040', '030'] } }, 'one two', /may call/],
  [
    'a prefix that is not',
    { payer: { ...PAYER, allowed: ['040'] } },
    'outside-not-allowed',
    /beginning with 040 only/,
  ],
  ['calls at once', { payer: { ...PAYER, calls: 4 } }, 'outside-limit', /4 of 4 outside calls are up/],
  ['calls of an hour', { payer: { ...PAYER, hour: 60 } }, 'outside-limit', /60 of 60 .* hour/],
  ['calls of a day', { payer: { ...PAYER, day: 300 } }, 'outside-limit', /300 of 300 .* day/],
  [
    'no limits',
    { payer: { ...PAYER, calls: 999, maxCalls: Number.POSITIVE_INFINITY } },
    'one two',
    /may call/,
  ],
  ['from a trunk out again', { origin, payer: undefined }, 'transit-refused', /may not go out again/],
  [
    'transit that is wanted, not back',
    { origin: { ...origin, mayTransit: true }, payer: undefined },
    'two',
    /one is where the call came from/,
  ],
  [
    'back to where it came from, if wanted',
    { origin, isForwarded: true, gateways: [gateway('one', { mayReturn: true }), gateway('two')] },
    'one two',
    /1001 may call/,
  ],
  [
    'forwarded: not back to the same trunk',
    { origin, isForwarded: true },
    'two',
    /one is where the call came from/,
  ],
  [
    'forwarded with no right of who forwards',
    { origin, isForwarded: true, payer: { ...PAYER, right: 'NONE' } },
    'outside-not-allowed',
    /1001 may call NONE/,
  ],
  ['sent on by an operator', { origin, isForwarded: true, payer: undefined }, 'two', /set by an operator/],
] as const)
  test(`${what}: ${expected}`, () => {
    const { outcome, steps } = decide(change as Partial<OutsideFacts>);
    assert.equal(outcome, expected);
    assert.match(steps, said);
  });

test('at most eight trunks are tried', () => {
  const names = Array.from({ length: 12 }, (_, i) => `t${i}`);
  const route = { ...ROUTE, trunks: names.map((trunk) => ({ trunk, priority: 1, weight: 1 })) };
  const { outcome } = decide({ route, gateways: names.map((name) => gateway(name)) });
  assert.equal(outcome.split(' ').length, 8);
});

test('each trunk gets the numbers as it wants them', () => {
  const rules = [
    { direction: 'OUT', of: 'CALLED', kind: 'PREFIX', match: '0', replace: '+49' },
    { direction: 'OUT', of: 'CALLER', kind: 'REGEX', match: '(1\\d{3})', replace: '+4930555$1' },
  ] as const;
  const { decision, steps } = decide({ gateways: [gateway('one', { rules }), gateway('two')] });
  assert.ok(decision.kind === 'plan');
  const targets = decision.plan.rounds.flatMap(({ targets: all }) => all);
  assert.deepEqual(targets, [
    { kind: 'trunk', trunk: 'one', called: '+4930123', caller: '+49305551001' },
    { kind: 'trunk', trunk: 'two', called: '030123', caller: '1001' },
  ]);
  assert.deepEqual([decision.plan.payer?.username, decision.plan.outside], ['1001', 'out']);
  assert.match(steps, /one: called 030123 becomes \+4930123 \(translation 1\)/);
  assert.match(steps, /one: caller 1001 becomes \+49305551001 \(translation 2\)/);
});

describe('translations', () => {
  const rules = [
    { direction: 'IN', of: 'CALLED', kind: 'REGEX', match: '\\+4930555(\\d{4})', replace: '$1' },
    { direction: 'IN', of: 'CALLED', kind: 'PREFIX', match: '+49', replace: '0' },
    { direction: 'IN', of: 'CALLER', kind: 'PREFIX', match: '+', replace: '00' },
    { direction: 'OUT', of: 'CALLED', kind: 'REGEX', match: '(0)(\\d)(\\d+)', replace: '$3-$2$9' },
  ] as const;
  for (const [number, direction, of, expected] of [
    ['+49305551001', 'IN', 'CALLED', { number: '1001', rule: 1 }],
    ['+49401234', 'IN', 'CALLED', { number: '0401234', rule: 2 }],
    ['+49401234', 'IN', 'CALLER', { number: '0049401234', rule: 3 }],
    ['1001', 'IN', 'CALLED', { number: '1001' }],
    ['03012', 'OUT', 'CALLED', { number: '012-3', rule: 4 }],
    ['+49305551001', 'OUT', 'CALLER', { number: '+49305551001' }],
  ] as const)
    test(`${number}, ${direction} ${of}`, () => {
      assert.deepEqual(translate(number, rules, direction, of), expected);
    });
});

describe('the route of a number', () => {
  const route = (name: string, change: Partial<OutsideRoute>): OutsideRoute => ({
    ...ROUTE,
    name,
    ...change,
  });
  const { prefix: _, ...rest } = ROUTE;
  const routes = [
    route('all', { prefix: '' }),
    route('zero', { prefix: '0' }),
    route('world', { prefix: '00' }),
    route('barred', { prefix: '0900', rank: 10 }),
    { ...rest, name: 'mobile', pattern: '01[5-7]\\d+', rank: 50 },
  ];
  for (const [number, name] of [
    ['0030', 'world'],
    ['030', 'zero'],
    ['12345', 'all'],
    ['+4930', 'all'],
    ['0900123', 'barred'],
    ['0171234', 'mobile'],
    ['alice', undefined],
  ] as const)
    test(`${number}: ${name}`, () => assert.equal(findOutsideRoute(routes, number)?.name, name));
});

describe('RFC 2782: the order by priority and weight', () => {
  const items = [
    { name: 'heavy', priority: 1, weight: 70 },
    { name: 'light', priority: 1, weight: 30 },
    { name: 'never', priority: 1, weight: 0 },
    { name: 'backup', priority: 2, weight: 1 },
  ];
  const order = (draw: () => number) => weightedOrder(items, draw).map(({ name }) => name);

  test('every item is there, lower priorities first', () => {
    for (const value of [0, 0.3, 0.999]) {
      const names = order(() => value);
      assert.equal(names.length, 4);
      assert.equal(names[3], 'backup');
    }
  });

  test('weights are shares', () => {
    const first = new Map<string, number>();
    let seed = 1;
    const draw = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let i = 0; i < 10_000; i++) {
      const name = order(draw)[0]!;
      first.set(name, (first.get(name) ?? 0) + 1);
    }
    assert.ok(Math.abs((first.get('heavy') ?? 0) - 7000) < 300, `heavy ${first.get('heavy')}`);
    assert.ok(Math.abs((first.get('light') ?? 0) - 3000) < 300, `light ${first.get('light')}`);
    assert.ok((first.get('never') ?? 0) < 300, `never ${first.get('never')}`);
    assert.equal(first.has('backup'), false);
  });
});
