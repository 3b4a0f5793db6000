import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { parseCsv } from '../../../src/accounts/csv-rows.js';
import { importUsers } from '../../../src/accounts/import-users.js';
import { readUsersCsv, readUsersJson } from '../../../src/accounts/read-users.js';
import { StoredUsers } from '../../../src/accounts/stored-users.js';
import { openTempStore } from '../../support/temp-store.js';

const OLD_USER = {
  username: '1001',
  password: '1234',
  display_name: 'Li Si',
  phone: '+8613800138000',
  email: 'li@example.com',
  status: 'ACTIVE',
  service_type: 'PREMIUM',
  role: 'user',
};

describe('import of users', () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let users: StoredUsers;

  before(async () => {
    temp = await openTempStore();
  });
  after(() => temp.close());
  beforeEach(async () => {
    const collection = temp.store.collection('users');
    for (const { key } of await collection.list()) await collection.remove(key);
    users = new StoredUsers({ store: temp.store, realm: 'ims' });
  });

  it('users.json: an array, an object by name, or either under `users`', async () => {
    const { username, ...fields } = OLD_USER;
    const texts = [
      [OLD_USER],
      { users: [OLD_USER] },
      { [username]: fields },
      { users: { [username]: fields } },
    ];
    for (const data of texts) {
      const [row] = readUsersJson(`\ufeff${JSON.stringify(data)}`);
      const { display_name: displayName, service_type: serviceType, role: _, ...same } = OLD_USER;
      assert.deepEqual(row, { row: 1, ...same, displayName, serviceType });
    }
  });

  it('short passwords of the old server go on working', async () => {
    const report = await importUsers(users, readUsersJson(JSON.stringify([OLD_USER])));
    assert.deepEqual(report, { added: 1, updated: 0, skipped: 0, faults: [] });
    const view = await users.view('1001');
    assert.equal(view?.displayName, 'Li Si');
    assert.equal(view?.serviceType, 'PREMIUM');
    // printf '1001:ims:1234' | md5sum
    assert.equal((await users.authData('1001'))?.ha1.md5, '2ca65bbe21cbff15afd5e1a27ff45b62');
  });

  it('CSV: quoted commas, quotes, line breaks, a number that looks like one', () => {
    const text = 'Username,Password,"Display Name",phone\r\n1001,"a,b""c","Li\nSi",00123\n\n1002,secret1\r\n';
    assert.deepEqual(readUsersCsv(text), [
      { row: 1, username: '1001', password: 'a,b"c', displayName: 'Li\nSi', phone: '00123' },
      { row: 2, username: '1002', password: 'secret1' },
    ]);
  });

  it('files that are none of ours are refused with a reason', () => {
    for (const text of ['', 'not json', '1', 'null', '"x"'])
      assert.throws(() => readUsersJson(text), { code: 'FIELD_INVALID' });
    for (const text of ['', 'a,b\n1,2', 'username\n"open', 'username\nx"y"'])
      assert.throws(() => readUsersCsv(text), { code: 'FIELD_INVALID' });
  });

  it('good rows are written, each bad row is named with its reason', async () => {
    const rows = readUsersJson(
      JSON.stringify([
        { username: '1001', password: 'secret1' },
        { username: 'bad name', password: 'secret1' },
        { username: '1003' },
        { username: '1001', password: 'secret1' },
        { username: '1005', password: 'secret1', status: 'GONE' },
        'rubbish',
        { username: 1007, password: 12345678, status: 'inactive' },
      ]),
    );
    const report = await importUsers(users, rows);
    assert.equal(report.added, 2);
    assert.deepEqual(
      report.faults.map(({ row, code }) => [row, code]),
      [
        [2, 'USERNAME_INVALID'],
        [3, 'PASSWORD_WEAK'],
        [4, 'USER_EXISTS'],
        [5, 'FIELD_INVALID'],
        [6, 'USERNAME_INVALID'],
      ],
    );
    assert.equal((await users.view('1007'))?.status, 'INACTIVE');
  });

  it('all or nothing: one bad row, and nothing is written', async () => {
    const rows = readUsersCsv('username,password\n1001,secret1\nbad name,secret1\n');
    const report = await importUsers(users, rows, { allOrNothing: true });
    assert.equal(report.added, 0);
    assert.equal(report.faults.length, 1);
    assert.equal(await users.count(), 0);
  });

  it('users that exist are skipped, changed or faults, as asked', async () => {
    await users.add('1001', { password: 'secret1', phone: '1' });
    const rows = readUsersCsv('username,password,phone\n1001,secret2,2\n1002,secret2,2\n');
    const failing = await importUsers(users, rows, { existing: 'fail', allOrNothing: true });
    assert.deepEqual([failing.added, failing.faults.map(({ code }) => code)], [0, ['USER_EXISTS']]);
    assert.deepEqual(await importUsers(users, rows), { added: 1, updated: 0, skipped: 1, faults: [] });
    assert.equal((await users.view('1001'))?.phone, '1');
    assert.equal((await importUsers(users, rows, { existing: 'update' })).updated, 2);
    assert.equal((await users.view('1001'))?.phone, '2');
  });

  it('RFC 4180 §2: CSV fields', () => {
    assert.deepEqual(parseCsv('a,b\r\n"1,""2""",\r\n'), [
      ['a', 'b'],
      ['1,"2"', ''],
    ]);
    assert.deepEqual(parseCsv(',\n'), [['', '']]);
    assert.deepEqual(parseCsv('a,'), [['a', '']]);
    assert.deepEqual(parseCsv('"x\r\ny"'), [['x\r\ny']]);
    assert.deepEqual(parseCsv(''), []);
  });
});
