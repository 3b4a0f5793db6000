import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCommand } from '../../../src/mml/grammar/command-parser.js';
import { type ParamType, ValueProblem } from '../../../src/mml/registry/command.js';
import { dateRange, datetime } from '../../../src/mml/registry/date-range.js';
import {
  boolean,
  cidr,
  duration,
  ip,
  number,
  numberList,
  oneOf,
  string,
  uri,
  username,
} from '../../../src/mml/registry/param-types.js';

const now = new Date(2026, 10, 20, 12, 30).getTime();
const read = <T>(type: ParamType<T>, written: string): T =>
  type.parse(parseCommand(`X Y: P=${written}`).params[0]!.value, { now });
const fails = (type: ParamType<unknown>, written: string, kind: 'invalid' | 'range') =>
  assert.throws(
    () => read(type, written),
    (error) => error instanceof ValueProblem && error.kind === kind,
    written,
  );
const day = (month: number, date: number) => new Date(2026, month - 1, date).getTime();

describe('MML parameter types', () => {
  it('string counts characters, not bytes', () => {
    assert.equal(read(string({ max: 2 }), '"李四"'), '李四');
    fails(string({ max: 2 }), 'abc', 'range');
    fails(string(), '""', 'range');
  });

  it('number is whole and in its range', () => {
    assert.equal(read(number(-5, 10), '-5'), -5);
    fails(number(1, 10), '11', 'range');
    for (const written of ['1.5', '1e3', '0x10', 'x', '99999999999999999999'])
      fails(number(0, 10), written, 'invalid');
  });

  it('enum and boolean take any case', () => {
    assert.equal(read(oneOf(['debug', 'info']), 'DEBUG'), 'debug');
    assert.equal(read(boolean, 'yes'), true);
    assert.equal(read(boolean, 'Off'), false);
    fails(boolean, 'perhaps', 'invalid');
  });

  it('username, ip, cidr, uri', () => {
    assert.equal(read(username, 'li.si+1'), 'li.si+1');
    fails(username, '"a b"', 'invalid');
    fails(username, 'a@b', 'invalid');
    assert.equal(read(ip, '2001:db8::1'), '2001:db8::1');
    for (const written of ['1.2.3', '256.1.1.1', '010.1.1.1x']) fails(ip, written, 'invalid');
    assert.equal(read(cidr, '192.0.2.0/24'), '192.0.2.0/24');
    fails(cidr, '192.0.2.0/33', 'invalid');
    assert.equal(read(uri, 'sip:1001@ims'), 'sip:1001@ims');
    fails(uri, '"<sip:1>"', 'invalid');
  });

  it('duration has units, seconds by default', () => {
    const type = duration(0, 86_400_000);
    assert.deepEqual(
      ['90', '500ms', '30s', '5m', '2h', '1d'].map((written) => read(type, written)),
      [90_000, 500, 30_000, 300_000, 7_200_000, 86_400_000],
    );
    fails(type, '2d', 'range');
    fails(type, '5parsecs', 'invalid');
  });

  it('number list expands ranges, keeps leading zeros and is bounded', () => {
    assert.deepEqual(read(numberList(10), '1000-1003&1010'), ['1000', '1001', '1002', '1003', '1010']);
    assert.deepEqual(read(numberList(10), '008-010&009'), ['008', '009', '010']);
    fails(numberList(10), '1000-1010', 'range');
    fails(numberList(10), '0-99999999999999999999', 'invalid');
    fails(numberList(10), '1005-1000', 'invalid');
    fails(numberList(10), '1000-', 'invalid');
  });

  it('dates are days of the local zone, ends included', () => {
    assert.deepEqual(read(dateRange, 'TODAY'), { from: day(11, 20), to: day(11, 21) });
    assert.deepEqual(read(dateRange, 'yesterday'), { from: day(11, 19), to: day(11, 20) });
    assert.deepEqual(read(dateRange, '2026-11-20'), { from: day(11, 20), to: day(11, 21) });
    assert.deepEqual(read(dateRange, '2026-11'), { from: day(11, 1), to: day(12, 1) });
    assert.deepEqual(read(dateRange, '2026-11-01..2026-11-20'), { from: day(11, 1), to: day(11, 21) });
    assert.deepEqual(read(dateRange, '2026-11-01&2026-11-20'), { from: day(11, 1), to: day(11, 21) });
    const from = new Date(2026, 10, 20, 8, 0).getTime();
    assert.deepEqual(
      read(dateRange, '"2026-11-20 08:00".."x"'.replace('"..', '..').replace('"x"', '2026-11-20 09:00"')),
      { from, to: from + 3_660_000 },
    );
    assert.equal(read(datetime, '"2026-11-20 08:00:00"'), from);
    for (const written of ['2026-02-30', '2026-13-01', 'soon', '"2026-11-20 25:00"', 'a..b..c'])
      fails(dateRange, written, 'invalid');
    fails(dateRange, '2026-11-20..2026-11-01', 'range');
  });
});
