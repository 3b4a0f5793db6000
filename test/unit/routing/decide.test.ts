import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRoute } from '../../../src/routing/decide.js';
import { sayStep } from '../../../src/routing/steps.js';
import type { CalleeFacts, RoutableBinding, RouteFacts } from '../../../src/routing/types.js';

interface Phone extends RoutableBinding {
  readonly name: string;
}

const phone = (name: string, q = 1, registeredAt = 0): Phone => ({ name, q, registeredAt });

const user = (change: Partial<CalleeFacts<Phone>> = {}) => ({
  kind: 'user' as const,
  user: {
    username: '1002',
    status: 'ACTIVE' as const,
    bindings: [phone('desk')],
    features: {},
    calls: 0,
    lastAnswer: 0,
    ...change,
  },
});

const facts = (change: Partial<RouteFacts<Phone>> = {}): RouteFacts<Phone> => ({
  caller: { username: '1001', status: 'ACTIVE' },
  scheme: 'sip',
  host: 'ims',
  isLocalHost: true,
  number: '1002',
  destination: user(),
  diversions: [],
  now: 0,
  maxTargets: 10,
  ringMs: 60_000,
  ...change,
});

test('RFC 3261 §16.5: targets are ordered by q, then by the newest registration, up to the bound', () => {
  const bindings = [phone('old', 0.5, 1), phone('low', 0.1, 9), phone('new', 0.5, 2), phone('best', 1, 0)];
  const decision = decideRoute(facts({ destination: user({ bindings }), maxTargets: 3 }));
  assert.ok(decision.kind === 'plan');
  assert.deepEqual(
    decision.plan.rounds[0]?.targets.map((target) =>
      target.kind === 'phone' ? target.binding.name : target.kind,
    ),
    ['best', 'new', 'old'],
  );
  assert.match(decision.steps.map(sayStep).join('; '), /3 of 4 registered phones/);
});

test('a call to tel: needs no host, one to the own number is as any other', () => {
  const decision = decideRoute(facts({ scheme: 'tel', host: '', isLocalHost: false }));
  assert.equal(decision.kind, 'plan');
  const own = user({ username: '1001', bindings: [phone('mobile')] });
  assert.equal(decideRoute(facts({ number: '1001', destination: own })).kind, 'plan');
});

for (const [refusal, change] of [
  ['caller-suspended', { caller: { username: '1001', status: 'SUSPENDED' } }],
  ['scheme-unsupported', { scheme: 'mailto' }],
  ['address-incomplete', { number: undefined }],
  ['foreign-domain', { host: 'example.org', isLocalHost: false }],
  ['callee-unknown', { destination: undefined }],
  ['callee-suspended', { destination: user({ status: 'INACTIVE' }) }],
  ['callee-not-registered', { destination: user({ bindings: [] }) }],
] as const)
  test(`a call is refused as ${refusal}, and the steps say why`, () => {
    const decision = decideRoute(facts(change));
    assert.ok(decision.kind === 'refusal');
    assert.equal(decision.refusal, refusal);
    assert.ok((decision.steps.map(sayStep).at(-1) ?? '').length > 10);
  });
