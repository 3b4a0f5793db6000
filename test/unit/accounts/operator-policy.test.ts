import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { isAllowedAddress, isWorkingTime, OPERATOR_POLICY } from '../../../src/accounts/operator-rules.js';
import { StoredOperators } from '../../../src/accounts/stored-operators.js';
import { systemClock } from '../../../src/platform/clock.js';
import { openTempStore } from '../../support/temp-store.js';

const DAY_MS = 24 * 3600 * 1000;

describe('rules of operators', () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let operators: StoredOperators;
  let now = 0;
  let policy = { ...OPERATOR_POLICY };
  before(async () => {
    temp = await openTempStore();
  });
  after(() => temp.close());
  beforeEach(async () => {
    const collection = temp.store.collection('operators');
    for (const { key } of await collection.list()) await collection.remove(key);
    now = new Date(2026, 10, 20, 12).getTime();
    policy = { ...OPERATOR_POLICY, lockAfter: 3, lockSec: 60 };
    const clock = { ...systemClock, now: () => now };
    operators = new StoredOperators({
      store: temp.store,
      clock,
      policy: new Proxy({}, { get: (_, name) => policy[name as keyof typeof policy] }) as typeof policy,
    });
    await operators.add('li', 'Sesame-1', 'OPERATOR');
  });
  const mayEnter = async (password = 'Sesame-1', address?: string) =>
    (await operators.login('li', password, address)) !== undefined;

  it('wrong passwords in a row lock an operator for a while, and until it is unlocked; the right one says nothing then', async () => {
    for (let i = 0; i < 2; i++) assert.equal(await mayEnter('wrong'), false);
    assert.equal(await mayEnter(), true);
    for (let i = 0; i < 3; i++) assert.equal(await mayEnter('wrong'), false);
    assert.equal(await mayEnter(), false);
    assert.ok((await operators.list())[0]?.lockedUntil);
    now += 61_000;
    assert.equal(await mayEnter(), true);
    policy = { ...policy, lockSec: 0 };
    for (let i = 0; i < 3; i++) await mayEnter('wrong');
    now += 365 * DAY_MS;
    assert.equal(await mayEnter(), false);
    assert.equal(await operators.unlock('li'), true);
    assert.equal(await operators.unlock('li'), false);
    assert.equal(await mayEnter(), true);
    policy = { ...policy, lockAfter: 0 };
    for (let i = 0; i < 12; i++) await mayEnter('wrong');
    assert.equal(await mayEnter(), true);
  });

  it('nobody can lock an operator from where it may not log in', async () => {
    await operators.modify('li', { addresses: ['10.0.0.0/8'] });
    for (let i = 0; i < 6; i++) assert.equal(await mayEnter('wrong', '192.0.2.1'), false);
    assert.equal(await mayEnter('Sesame-1', '10.1.2.3'), true);
  });

  it('a lock does not bring back the password that was changed meanwhile', async () => {
    await Promise.all([
      ...[1, 2, 3].map(() => operators.login('li', 'wrong')),
      operators.setPassword('li', 'Sesame-2'),
      operators.modify('li', { addresses: ['10.0.0.0/8'] }),
    ]);
    await operators.unlock('li');
    assert.equal(await mayEnter('Sesame-1', '10.1.2.3'), false);
    assert.equal(await mayEnter('Sesame-2', '10.1.2.3'), true);
    assert.equal(await mayEnter('Sesame-2', '192.0.2.1'), false);
  });

  it('passwords have a length, and an age when one is set', async () => {
    await assert.rejects(operators.setPassword('li', 'Seven-7'), { code: 'PASSWORD_WEAK' });
    now += 100 * DAY_MS;
    assert.equal((await operators.login('li', 'Sesame-1'))?.passwordExpired, false);
    policy = { ...policy, passwordDays: 90 };
    assert.equal((await operators.login('li', 'Sesame-1'))?.passwordExpired, true);
    await operators.setPassword('li', 'Sesame-2');
    assert.equal((await operators.login('li', 'Sesame-2'))?.passwordExpired, false);
  });

  it('an operator comes from its addresses and in its hours alone', async () => {
    await operators.modify('li', {
      addresses: ['10.0.0.0/8'],
      hours: { days: [1, 2, 3, 4, 5], from: 480, until: 1080 },
    });
    assert.equal(await mayEnter('Sesame-1', '192.0.2.1'), false);
    assert.equal(await mayEnter('Sesame-1', '::ffff:10.1.2.3'), true);
    now = new Date(2026, 10, 20, 19).getTime();
    await assert.rejects(operators.login('li', 'Sesame-1', '10.1.2.3'), { code: 'OPERATOR_HOURS' });
    assert.equal(await mayEnter('wrong', '10.1.2.3'), false);
    const { hours } = await operators.modify('li', { hours: null, role: 'GUEST' });
    assert.equal(hours, undefined);
    assert.equal((await operators.login('li', 'Sesame-1', '10.1.2.3'))?.role, 'GUEST');
  });

  it('the last ADMIN stays one', async () => {
    await operators.modify('li', { role: 'ADMIN' });
    await assert.rejects(operators.modify('li', { role: 'GUEST' }), { code: 'OPERATOR_LAST_ADMIN' });
    await operators.add('wang', 'Sesame-1', 'ADMIN');
    assert.equal((await operators.modify('li', { role: 'GUEST' })).role, 'GUEST');
  });

  it('addresses by network, of either family', () => {
    for (const [networks, address, isIn] of [
      [undefined, 'anything', true],
      [['192.0.2.0/24'], '192.0.2.200', true],
      [['192.0.2.0/24'], '192.0.3.1', false],
      [['192.0.2.7'], '192.0.2.7', true],
      [['2001:db8::/32'], '2001:db8::1', true],
      [['2001:db8::/32'], '192.0.2.1', false],
      [['0.0.0.0/0'], 'local:root', false],
    ] as const)
      assert.equal(isAllowedAddress(networks, address), isIn, `${networks} ${address}`);
  });

  it('hours over midnight belong to the day that they begin on', () => {
    const night = { days: [5], from: 22 * 60, until: 6 * 60 };
    const at = (day: number, hour: number) => new Date(2026, 10, day, hour).getTime();
    // 2026-11-20 is a Friday.
    assert.deepEqual(
      [at(20, 21), at(20, 22), at(21, 5), at(21, 6), at(21, 23), at(20, 5)].map((time) =>
        isWorkingTime(night, time),
      ),
      [false, true, true, false, false, false],
    );
    assert.equal(isWorkingTime({ from: 0, until: 1440, days: [7] }, at(22, 12)), true);
  });
});
