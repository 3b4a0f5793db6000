import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrefix, isRange, roomReason } from '../../../src/conference/room-number.js';

const settings = { enabled: true, prefix: 'conf_', ranges: ['8000-8099', '900', '007-009'] };

for (const [number, reason] of [
  ['conf_team', 'prefix conf_'],
  ['conf_', undefined],
  ['Conf_team', undefined],
  ['conf_a b', undefined],
  [`conf_${'x'.repeat(60)}`, undefined],
  ['8000', 'range 8000-8099'],
  ['8099', 'range 8000-8099'],
  ['8100', undefined],
  ['08000', undefined],
  ['80500', undefined],
  ['900', 'range 900'],
  ['008', 'range 007-009'],
  ['8', undefined],
  ['+8000', undefined],
] as const)
  test(`${number} is ${reason ?? 'no room'}`, () => {
    const found = roomReason(settings, number);
    assert.equal(found && `${found.by} ${found.value}`, reason);
  });

test('nothing is a room when rooms are off, or without prefix and ranges', () => {
  assert.equal(roomReason({ ...settings, enabled: false }, 'conf_team'), undefined);
  assert.equal(roomReason({ enabled: true, prefix: '', ranges: [] }, 'conf_team'), undefined);
});

test('ranges have ends of one length, in order', () => {
  for (const good of ['8000-8099', '8000', '007-009']) assert.ok(isRange(good), good);
  for (const bad of ['', '8099-8000', '800-8099', '8000-', 'a-b', '1'.repeat(21), '8000-8099-8100'])
    assert.equal(isRange(bad), false, bad);
  for (const good of ['', 'conf_', 'room.']) assert.ok(isPrefix(good), good);
  for (const bad of ['a b', '*', 'x'.repeat(33)]) assert.equal(isPrefix(bad), false, bad);
});
