import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { StoredOperators } from '../../../src/accounts/stored-operators.js';
import { openTempStore } from '../../support/temp-store.js';

describe('StoredOperators', () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let operators: StoredOperators;

  before(async () => {
    temp = await openTempStore();
  });
  after(() => temp.close());
  beforeEach(async () => {
    const collection = temp.store.collection('operators');
    for (const { key } of await collection.list()) await collection.remove(key);
    operators = new StoredOperators({ store: temp.store });
  });

  it('logs in by name and password alone', async () => {
    await operators.add('li', 'Sesame-1', 'OPERATOR');
    assert.equal((await operators.login('li', 'Sesame-1'))?.role, 'OPERATOR');
    for (const [name, password] of [
      ['li', 'sesame-1'],
      ['li', ''],
      ['LI', 'Sesame-1'],
      ['nobody', 'Sesame-1'],
      ['', ''],
      ['a\r\nb', 'x'],
      ['li', 'x'.repeat(100_000)],
      ['__proto__', 'x'],
    ] as const)
      assert.equal(await operators.login(name, password), undefined, name);
  });

  it('changes a password and nothing else', async () => {
    await operators.add('li', 'Sesame-1', 'OPERATOR');
    await operators.setPassword('li', 'Sesame-2');
    assert.equal(await operators.login('li', 'Sesame-1'), undefined);
    assert.equal((await operators.login('li', 'Sesame-2'))?.role, 'OPERATOR');
    await assert.rejects(operators.setPassword('li', 'x'), { code: 'PASSWORD_WEAK' });
    await assert.rejects(operators.setPassword('nobody', 'Sesame-2'), { code: 'OPERATOR_UNKNOWN' });
  });

  it('an unknown name costs a hash as a known one does', async () => {
    await operators.add('li', 'Sesame-1', 'OPERATOR');
    await operators.login('nobody', 'x');
    const took = async (name: string) => {
      const start = process.cpuUsage();
      await operators.login(name, 'wrong');
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    const known = await took('li');
    // A login without a hash takes a hundredth of this.
    assert.ok((await took('nobody')) > known / 10);
    assert.ok((await took('not a name')) > known / 10);
  });

  it('stores a salted scrypt hash and shows it to nobody', async () => {
    const view = await operators.add('a', 'Sesame-1', 'ADMIN');
    await operators.add('b', 'Sesame-1', 'GUEST');
    assert.deepEqual(Object.keys(view).sort(), [
      'createdAt',
      'name',
      'passwordAt',
      'passwordExpired',
      'role',
    ]);
    assert.deepEqual(
      (await operators.list()).map((operator) => Object.keys(operator).length),
      [5, 5],
    );
    const kept = JSON.stringify(await temp.store.collection('operators').list());
    assert.ok(!kept.includes('Sesame'));
    const hashes = [...kept.matchAll(/scrypt\$32768\$8\$1\$[^"]+/g)].map(([hash]) => hash);
    assert.equal(new Set(hashes).size, 2);
  });

  it('refuses what cannot be, and keeps one ADMIN', async () => {
    await assert.rejects(operators.add('a b', 'Sesame-1', 'ADMIN'), { code: 'USERNAME_INVALID' });
    await assert.rejects(operators.add('a', 'five5', 'ADMIN'), { code: 'PASSWORD_WEAK' });
    await assert.rejects(operators.add('a', 'Sesame-1', 'ROOT' as 'ADMIN'), { code: 'FIELD_INVALID' });
    await operators.add('a', 'Sesame-1', 'ADMIN');
    await assert.rejects(operators.add('a', 'Sesame-1', 'ADMIN'), { code: 'OPERATOR_EXISTS' });
    await assert.rejects(operators.remove('a'), { code: 'OPERATOR_LAST_ADMIN' });
    await assert.rejects(operators.remove('b'), { code: 'OPERATOR_UNKNOWN' });
    await operators.add('b', 'Sesame-1', 'ADMIN');
    await operators.remove('a');
    assert.equal(await operators.login('a', 'Sesame-1'), undefined);
  });

  it('makes the first admin once, with a password that works', async () => {
    const first = await operators.ensureAdmin(undefined);
    assert.equal(first.created, true);
    assert.match(first.generatedPassword!, /^[a-z0-5]{16}$/);
    assert.equal((await operators.login('admin', first.generatedPassword!))?.role, 'ADMIN');
    assert.deepEqual(await operators.ensureAdmin(undefined), { created: false });
    assert.deepEqual(await operators.ensureAdmin('another-one'), { created: false });
  });

  it('takes the given admin password and does not give it back', async () => {
    assert.deepEqual(await operators.ensureAdmin('Given-By-Env'), { created: true });
    assert.equal((await operators.login('admin', 'Given-By-Env'))?.role, 'ADMIN');
  });
});
