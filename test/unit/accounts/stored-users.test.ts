import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { StoredUsers } from '../../../src/accounts/stored-users.js';
import { type Clock, systemClock } from '../../../src/platform/clock.js';
import { openTempStore } from '../../support/temp-store.js';

describe('StoredUsers', () => {
  let now = 1000;
  const clock: Clock = { ...systemClock, now: () => now, monotonic: () => now };
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let users: StoredUsers;

  before(async () => {
    temp = await openTempStore(clock);
  });
  after(() => temp.close());
  beforeEach(async () => {
    for (const { username } of await new StoredUsers({ store: temp.store, realm: 'x' }).list())
      await temp.store.collection('users').remove(username);
    users = new StoredUsers({ store: temp.store, realm: 'ims', clock });
  });

  it('RFC 7616 §3.4.2: keeps HA1 of both algorithms and not the password', async () => {
    await users.add('Mufasa', { password: 'Circle of Life' });
    const user = await new StoredUsers({ store: temp.store, realm: 'ims', clock }).authData('Mufasa');
    // printf 'Mufasa:ims:Circle of Life' | md5sum; … | sha256sum
    assert.equal(user?.ha1.md5, '055886dfaa33b6c80c8ce9bc17d1b1d4');
    assert.equal(user?.ha1.sha256, 'b99dceed0d25adb70975bf183637297698b784afefa2730b74b6eb9caa751046');
    assert.ok(!JSON.stringify(await temp.store.collection('users').list()).includes('Circle'));
  });

  it('views hold everything but the HA1', async () => {
    const input = {
      password: 'secret1',
      displayName: '李 "四"',
      phone: '+86 10-1234',
      email: 'li@example.com',
    };
    const view = await users.add('1001', { ...input, serviceType: 'VIP' });
    const { password: _, ...rest } = input;
    const times = { createdAt: now, updatedAt: now };
    const expected = {
      username: '1001',
      realm: 'ims',
      status: 'ACTIVE',
      serviceType: 'VIP',
      ...rest,
      ...times,
    };
    assert.deepEqual(view, expected);
    assert.deepEqual(await users.view('1001'), expected);
    assert.deepEqual(await users.list(), [expected]);
    assert.equal(await users.count(), 1);
  });

  it('refuses names that SIP, MML or CSV would have to escape', async () => {
    const bad = [
      '',
      'a b',
      'a@b',
      'x'.repeat(65),
      '10\r\n01',
      'a;b',
      'a,b',
      '李四',
      'a"b',
      'a/b',
      '%41',
      '\u0000',
    ];
    for (const name of bad) {
      await assert.rejects(users.add(name, { password: 'secret1' }), { code: 'USERNAME_INVALID' }, name);
      assert.equal(await users.view(name), undefined);
      assert.equal(await users.authData(name), undefined);
      await assert.rejects(users.remove(name), { code: 'USER_UNKNOWN' });
    }
    for (const name of ['1001', '+8613800138000', 'li.si', 'A_b-c', '__proto__', 'constructor'])
      assert.equal((await users.add(name, { password: 'secret1' })).username, name);
    assert.equal((await users.authData('__proto__'))?.username, '__proto__');
  });

  it('refuses weak passwords and never repeats them', async () => {
    for (const password of ['', '5hort', 'x'.repeat(129), 'line\r\nbreak', '100100'])
      await assert.rejects(
        users.add('100100', { password }),
        (error: Error & { code?: string }) =>
          error.code === 'PASSWORD_WEAK' && (password === '' || !error.message.includes(password)),
      );
    assert.equal(await users.count(), 0);
  });

  it('refuses fields out of range', async () => {
    const refused = { code: 'FIELD_INVALID' };
    const password = 'secret1';
    await assert.rejects(users.add('a', { password, displayName: 'two\r\nlines' }), refused);
    await assert.rejects(users.add('a', { password, displayName: 'x'.repeat(129) }), refused);
    await assert.rejects(users.add('a', { password, phone: 'call me' }), refused);
    await assert.rejects(users.add('a', { password, email: 'nowhere' }), refused);
    await assert.rejects(users.add('a', { password, status: 'active' as 'ACTIVE' }), refused);
    await assert.rejects(users.add('a', { password, serviceType: 'GOLD' as 'VIP' }), refused);
  });

  it('a user exists once', async () => {
    await users.add('1001', { password: 'secret1' });
    await assert.rejects(users.add('1001', { password: 'secret2' }), { code: 'USER_EXISTS' });
    await assert.rejects(users.modify('1002', { phone: '1' }), { code: 'USER_UNKNOWN' });
    await users.remove('1001');
    await assert.rejects(users.remove('1001'), { code: 'USER_UNKNOWN' });
    assert.equal(await users.authData('1001'), undefined);
  });

  it('a change changes what is given and nothing else', async () => {
    await users.add('1001', { password: 'secret1', displayName: 'A', email: 'a@b' });
    const before = await users.authData('1001');
    now += 5;
    const view = await users.modify('1001', { status: 'SUSPENDED', email: '' });
    assert.equal(view.displayName, 'A');
    assert.equal(view.email, '');
    assert.equal(view.updatedAt, now);
    assert.equal(view.createdAt, before?.createdAt);
    assert.deepEqual((await users.authData('1001'))?.ha1, before?.ha1);
    await users.modify('1001', { password: 'secret2' });
    assert.notDeepEqual((await users.authData('1001'))?.ha1, before?.ha1);
  });

  it('own changes are seen at once, those of others within two seconds', async () => {
    const other = new StoredUsers({ store: temp.store, realm: 'ims', clock });
    assert.equal(await users.authData('1001'), undefined);
    await users.add('1001', { password: 'secret1' });
    assert.equal((await users.authData('1001'))?.status, 'ACTIVE');
    await users.modify('1001', { status: 'INACTIVE' });
    assert.equal((await users.authData('1001'))?.status, 'INACTIVE');
    await other.modify('1001', { status: 'SUSPENDED' });
    now += 2000;
    assert.equal((await users.authData('1001'))?.status, 'SUSPENDED');
    await other.remove('1001');
    now += 2000;
    assert.equal(await users.authData('1001'), undefined);
  });

  it('a look that was under way when a change was made is not remembered', async () => {
    await users.add('1001', { password: 'secret1' });
    const looks = [
      users.authData('1001'),
      users.modify('1001', { status: 'SUSPENDED' }),
      users.authData('1001'),
    ];
    await Promise.all(looks);
    assert.equal((await users.authData('1001'))?.status, 'SUSPENDED');
  });
});
