import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { importUsers } from '../../../src/accounts/import-users.js';
import { readUsersCsv, readUsersJson } from '../../../src/accounts/read-users.js';
import { StoredUsers } from '../../../src/accounts/stored-users.js';
import {
  changeFeatures,
  describeFeatures,
  type FeatureChanges,
} from '../../../src/accounts/user-features.js';
import { openTempStore } from '../../support/temp-store.js';

test('a change keeps what it does not name; empty, 0 and null take away', () => {
  const before = { forwardBusy: '1003', noAnswerSec: 20, doNotDisturb: true } as const;
  assert.deepEqual(changeFeatures('1001', before, { ring: 'Q' }), { ...before, ring: 'Q' });
  const none: FeatureChanges = { forwardBusy: '', noAnswerSec: 0, doNotDisturb: false, ring: null };
  assert.deepEqual(changeFeatures('1001', before, none), {});
  assert.equal(describeFeatures(before), 'forwardBusy=1003 noAnswerSec=20 doNotDisturb=true');
});

for (const changes of [
  { forwardAlways: '1001' },
  { forwardAlways: '10 02' },
  { forwardBusy: 'sip:1002@ims' },
  { forwardNoAnswer: 'x'.repeat(65) },
  { forwardUnreachable: '1002\r\nEvil: 1' },
  { ring: 'LOUD' },
  { ringSec: 2 },
  { noAnswerSec: 601 },
  { maxCalls: 1.5 },
  { maxDurationSec: -1 },
  { doNotDisturb: 'yes' },
])
  test(`refuses ${JSON.stringify(changes).slice(0, 40)}`, () => {
    assert.throws(() => changeFeatures('1001', undefined, changes as FeatureChanges), {
      code: 'FIELD_INVALID',
    });
  });

describe('features kept with the user', () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let users: StoredUsers;
  before(async () => {
    temp = await openTempStore();
    users = new StoredUsers({ store: temp.store, realm: 'ims' });
  });
  after(() => temp.close());

  test('are added, changed one by one, seen by calls at once, and taken away', async () => {
    await users.add('1001', { password: 'secret-one', features: { ring: 'ORDER' } });
    await users.modify('1001', { features: { forwardBusy: '1003' } });
    await users.modify('1001', { displayName: 'Li' });
    assert.deepEqual((await users.authData('1001'))?.features, { ring: 'ORDER', forwardBusy: '1003' });
    await users.modify('1001', { features: { ring: null, forwardBusy: '' } });
    assert.equal((await users.view('1001'))?.features, undefined);
    await assert.rejects(users.modify('1001', { features: { forwardAlways: '1001' } }), {
      code: 'FIELD_INVALID',
    });
  });

  test('come from CSV columns, from JSON, and from what `ims user list --json` writes', async () => {
    const csv =
      'username,password,forward_busy,Do Not Disturb,maxCalls,ring\n2001,pw,1003,yes,2,order\n2002,pw,,,,\n';
    await importUsers(users, readUsersCsv(csv));
    const { features } = (await users.view('2001'))!;
    assert.deepEqual(features, { ring: 'ORDER', forwardBusy: '1003', doNotDisturb: true, maxCalls: 2 });
    assert.equal((await users.view('2002'))?.features, undefined);
    const written = JSON.stringify([{ ...(await users.view('2001')), username: '2003', password: 'pw' }]);
    const report = await importUsers(users, readUsersJson(written));
    assert.deepEqual(report.faults, []);
    assert.deepEqual((await users.view('2003'))?.features, features);
  });

  test('a row with a bad feature is refused, and the others are taken', async () => {
    const rows = [
      { username: '3001', password: 'pw', maxCalls: 'many' },
      { username: '3002', password: 'pw', forwardAlways: '3002' },
      { username: '3003', password: 'pw', features: { ringSec: 9 } },
    ];
    const report = await importUsers(users, readUsersJson(JSON.stringify(rows)));
    assert.deepEqual(
      report.faults.map(({ row, code }) => [row, code]),
      [
        [1, 'FIELD_INVALID'],
        [2, 'FIELD_INVALID'],
      ],
    );
    assert.deepEqual((await users.view('3003'))?.features, { ringSec: 9 });
  });
});
