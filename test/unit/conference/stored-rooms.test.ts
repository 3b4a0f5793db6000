import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { StoredRooms } from '../../../src/conference/stored-rooms.js';
import { systemClock } from '../../../src/platform/clock.js';
import { openTempStore } from '../../support/temp-store.js';

describe('rooms in the Store', () => {
  let close: () => Promise<void>;
  let rooms: StoredRooms;
  beforeEach(async () => {
    const temp = await openTempStore();
    close = temp.close;
    rooms = new StoredRooms(temp.store, systemClock);
  });
  afterEach(() => close());

  const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

  test('settings begin with the prefix, and keep what is not changed', async () => {
    assert.deepEqual(await rooms.settings(), {
      enabled: true,
      prefix: 'conf_',
      ranges: [],
      isOpen: true,
      maxRooms: 50,
      maxMembers: 20,
      hasTones: true,
    });
    await rooms.modify({ ranges: ['8000-8099'], maxMembers: 5 });
    const changed = await rooms.modify({ prefix: '', maxRooms: undefined });
    assert.deepEqual(
      [changed.prefix, changed.ranges, changed.maxMembers, changed.maxRooms],
      ['', ['8000-8099'], 5, 50],
    );
    assert.deepEqual(await rooms.settings(), changed);
  });

  for (const input of [
    { maxRooms: 0 },
    { maxRooms: 501 },
    { maxMembers: 1 },
    { maxMembers: 201 },
    { maxMembers: 2.5 },
    { prefix: 'a b' },
    { ranges: ['9-1'] },
    { ranges: Array.from({ length: 21 }, (_, i) => String(i)) },
  ])
    test(`refuses ${JSON.stringify(input).slice(0, 60)}`, async () => {
      await assert.rejects(rooms.modify(input), code('FIELD_INVALID'));
      assert.equal((await rooms.settings()).maxMembers, 20);
    });

  test('a room is made once, changed, and removed', async () => {
    assert.deepEqual(await rooms.add('conf_team', { name: 'Team', maxMembers: 3 }), {
      room: 'conf_team',
      name: 'Team',
      mayOutside: false,
      maxMembers: 3,
    });
    await assert.rejects(rooms.add('conf_team', {}), code('CONF_EXISTS'));
    await assert.rejects(rooms.add('1001', {}), code('FIELD_INVALID'));
    await assert.rejects(rooms.add('conf_b', { maxMembers: 201 }), code('FIELD_INVALID'));
    await assert.rejects(rooms.add('conf_b', { name: 'a\nb' }), code('FIELD_INVALID'));
    assert.deepEqual(await rooms.change('conf_team', { maxMembers: 0, mayOutside: true }), {
      room: 'conf_team',
      name: 'Team',
      mayOutside: true,
    });
    assert.equal((await rooms.list()).length, 1);
    await assert.rejects(rooms.change('conf_b', {}), code('CONF_UNKNOWN'));
    await rooms.remove('conf_team');
    await assert.rejects(rooms.remove('conf_team'), code('CONF_UNKNOWN'));
    assert.equal(await rooms.get('conf_team'), undefined);
  });
});
