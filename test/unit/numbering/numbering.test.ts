import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StoredNumbering } from '../../../src/numbering/numbering.js';
import { DEFAULT_CODES } from '../../../src/routing/feature-codes.js';
import { ManualClock } from '../../support/manual-clock.js';
import { memoryCollection } from '../../support/memory-collection.js';
import { openTempStore } from '../../support/temp-store.js';

describe('groups, numbers and codes in the Store', () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let numbering: StoredNumbering;
  before(async () => {
    temp = await openTempStore();
    numbering = new StoredNumbering({ store: temp.store });
  });
  after(() => temp.close());
  const rule = { days: [1, 5], from: 480, until: 1080, zone: 'Europe/Berlin', to: '1003' };

  test('a group is added, changed field by field, found by its members, and removed', async () => {
    assert.equal(await numbering.group('800'), undefined);
    await numbering.addGroup('800', { members: ['1001', '1002'], overflow: '1009' });
    assert.equal((await numbering.group('800'))?.memberSec, 20);
    await numbering.modifyGroup('800', { strategy: 'LINEAR', overflow: '' });
    assert.deepEqual(await numbering.group('800'), {
      number: '800',
      name: '',
      members: ['1001', '1002'],
      strategy: 'LINEAR',
      memberSec: 20,
    });
    assert.deepEqual(
      (await numbering.groupsOf('1002')).map(({ number }) => number),
      ['800'],
    );
    await assert.rejects(numbering.addGroup('800', { members: ['1001'] }), { code: 'NUMBER_EXISTS' });
    await numbering.removeGroup('800');
    await assert.rejects(numbering.modifyGroup('800', {}), { code: 'NUMBER_UNKNOWN' });
    await assert.rejects(numbering.removeGroup('800'), { code: 'NUMBER_UNKNOWN' });
  });

  test('what a group may not be', async () => {
    for (const input of [
      { members: [] },
      { members: ['1001', '1001'] },
      { members: ['10 01'] },
      { members: Array.from({ length: 101 }, (_, i) => `m${i}`) },
      { members: ['1001'], memberSec: 2 },
      { members: ['1001'], overflow: '801' },
      { members: ['1001'], name: 'a\nb' },
    ])
      await assert.rejects(
        numbering.addGroup('801', input),
        { code: 'FIELD_INVALID' },
        JSON.stringify(input),
      );
  });

  test('a number leads somewhere, gets rules, loses them', async () => {
    await numbering.addNumber('100', '1001');
    await numbering.addRule('100', rule);
    await numbering.addRule('100', { ...rule, to: '1004' });
    await numbering.modifyNumber('100', '1002');
    await numbering.removeRule('100', 1);
    assert.deepEqual(await numbering.entry('100'), {
      number: '100',
      to: '1002',
      rules: [{ ...rule, to: '1004' }],
    });
    await assert.rejects(numbering.removeRule('100', 2), { code: 'NUMBER_UNKNOWN' });
    await numbering.addRule('101', rule);
    assert.equal((await numbering.entry('101'))?.to, undefined);
    await numbering.removeNumber('100');
    assert.equal(await numbering.entry('100'), undefined);
    await assert.rejects(numbering.modifyNumber('100', '1'), { code: 'NUMBER_UNKNOWN' });
  });

  test('what a rule may not be', async () => {
    for (const change of [
      { days: [] },
      { days: [8] },
      { from: -1 },
      { until: 1441 },
      { zone: 'Mars' },
      { to: '101' },
      { to: '' },
    ])
      await assert.rejects(
        numbering.addRule('101', { ...rule, ...change }),
        { code: 'FIELD_INVALID' },
        JSON.stringify(change),
      );
  });

  test('codes are those of the standard until they are changed, one for one action', async () => {
    assert.deepEqual(await numbering.codes(), DEFAULT_CODES);
    await numbering.setCode('FWDALL_ON', '*72*N#');
    await numbering.setCode('PICKUP', '');
    const codes = await numbering.codes();
    assert.deepEqual([codes.FWDALL_ON, codes.PICKUP, codes.DND_ON], ['*72*N#', '', '*78']);
    for (const [action, code] of [
      ['DND_OFF', '*78'],
      ['DND_OFF', '79'],
      ['DND_OFF', '*7N'],
      ['FWDBUSY_ON', '*67#'],
    ] as const)
      await assert.rejects(numbering.setCode(action, code), { code: 'FIELD_INVALID' }, code);
  });
});

test('calls are served from what was seen last when the Store is away; another process is seen after two seconds', async () => {
  const clock = new ManualClock();
  const groups = memoryCollection();
  let isAway = false;
  const guarded = {
    ...groups,
    get: (key: string) => (isAway ? Promise.reject(new Error('away')) : groups.get(key)),
  };
  const store = { collection: () => guarded } as never;
  const numbering = new StoredNumbering({ store, clock });
  await numbering.addGroup('800', { members: ['1001'] });
  assert.equal((await numbering.group('800'))?.members.length, 1);
  const known = (await groups.get('800')) as object;
  await groups.put('800', { ...known, members: ['1001', '1002'] } as never);
  assert.equal((await numbering.group('800'))?.members.length, 1);
  clock.advance(2001);
  assert.equal((await numbering.group('800'))?.members.length, 2);
  isAway = true;
  clock.advance(60_000);
  assert.equal((await numbering.group('800'))?.members.length, 2);
  await assert.rejects(numbering.group('801'), /away/);
});
