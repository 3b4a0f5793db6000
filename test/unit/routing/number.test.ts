import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_NUMBER_LENGTH, normaliseNumber } from '../../../src/routing/number.js';

for (const [user, number, candidates] of [
  ['1002', '1002', ['1002']],
  ['alice', 'alice', ['alice']],
  ['1002;phone-context=example.com', '1002', ['1002']],
  ['+49-30-1234', '+49301234', ['+49-30-1234', '+49301234', '49301234']],
  ['(030) 12.34', '0301234', ['(030) 12.34', '0301234']],
  ['*21#', '*21#', ['*21#']],
  ['li.si-2', 'li.si-2', ['li.si-2']],
] as const)
  test(`RFC 3966 §5.1.1: ${user} is ${number}`, () => {
    assert.deepEqual(normaliseNumber(user), { number, candidates });
  });

for (const user of ['', ';x=1', '10\r\n02', '1002\u0000', 'x'.repeat(MAX_NUMBER_LENGTH + 1)])
  test(`RFC 3261 §19.1.1: ${JSON.stringify(user).slice(0, 20)} is no number`, () => {
    assert.equal(normaliseNumber(user), undefined);
  });
