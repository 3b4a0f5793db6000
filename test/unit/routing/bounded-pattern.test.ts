import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BoundedPattern, MAX_SUBJECT_LENGTH } from '../../../src/routing/bounded-pattern.js';
import { MAX_PATTERN_LENGTH, PatternError } from '../../../src/routing/pattern-parser.js';

describe('patterns of numbers', () => {
  for (const [pattern, text, groups] of [
    ['0(\\d+)', '030123', ['30123']],
    ['0([1-9]\\d*)', '00301', undefined],
    ['^0(\\d+)$', '030', ['30']],
    ['(00|\\+)49(\\d*)', '004930', ['00', '30']],
    ['(00|\\+)49(\\d*)', '+4930', ['+', '30']],
    ['(00|\\+)49(\\d*)', '4930', undefined],
    ['\\d{3,5}', '12', undefined],
    ['\\d{3,5}', '12345', []],
    ['\\d{3,5}', '123456', undefined],
    ['\\d{2}', '12', []],
    ['\\d{2,}', '123456', []],
    ['1?2', '2', []],
    ['[^1]\\d', '21', []],
    ['[^1]\\d', '11', undefined],
    ['[0-35]x', '5x', []],
    ['[0-35]x', '4x', undefined],
    ['\\*21\\*(\\d+)#', '*21*100#', ['100']],
    ['(a)|(b)', 'b', ['', 'b']],
    ['(\\d*)(\\d*)', '123', ['123', '']],
    ['.*', '', []],
    ['((1)2)+', '1212', ['12', '1']],
  ] as const)
    test(`${pattern} and '${text}'`, () => {
      const found = new BoundedPattern(pattern).match(text);
      assert.deepEqual(found, groups === undefined ? undefined : [...groups]);
    });

  test('agrees with the expressions of the language on numbers of all kinds', () => {
    const patterns = [
      '0[1-9]{1,3}(\\d*)',
      '(0|1)*2',
      '(\\d)(\\d)?(\\d)?',
      '(12|1)(2|3)*',
      '[2-4]+5?',
      '(1|12)(23|3)?',
    ];
    for (const source of patterns) {
      const [ours, theirs] = [new BoundedPattern(source), new RegExp(`^(?:${source})$`)];
      for (let i = 0; i < 4000; i++) {
        const text = i.toString(6);
        assert.equal(ours.match(text) !== undefined, theirs.test(text), `${source} and ${text}`);
      }
    }
  });

  for (const pattern of [
    '(1*)*2',
    '((1|1)*)*2',
    '(1|11)*(1|11)*(1|11)*2',
    '1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*2',
  ])
    test(`does not try its ways one after another: ${pattern}`, () => {
      // A matcher that goes back would take longer than the universe has been there.
      assert.equal(new BoundedPattern(pattern).match('1'.repeat(MAX_SUBJECT_LENGTH)), undefined);
    });

  test('a longer text does not match', () => {
    assert.equal(new BoundedPattern('.*').match('1'.repeat(MAX_SUBJECT_LENGTH + 1)), undefined);
  });

  for (const pattern of [
    '(',
    'a)',
    '[',
    '[]',
    '[9-0]',
    '+49',
    '*21',
    'a**',
    'a{3,1}',
    'a{1,999}',
    'a{x}',
    '(?=a)',
    '(?:a)',
    '\\1',
    '\\w',
    'a\\',
    '()()()()()()()()()()',
    'a$b',
    '((a{64}){64})',
    'a'.repeat(MAX_PATTERN_LENGTH + 1),
  ])
    test(`refuses ${pattern.slice(0, 30)}`, () => {
      assert.throws(() => new BoundedPattern(pattern), PatternError);
    });

  test('takes or refuses whatever it is given', () => {
    const alphabet = '01+*?()[]{}|\\.^$-,ad';
    for (let i = 0; i < 5000; i++) {
      const length = 1 + (i % 12);
      const source = Array.from(
        { length },
        (_, j) => alphabet[(i * 7 + j * j * 13 + ((i * j) % 11)) % alphabet.length],
      );
      try {
        new BoundedPattern(source.join('')).match('0110101010');
      } catch (error) {
        assert.ok(error instanceof PatternError, `${source.join('')}: ${String(error)}`);
      }
    }
  });
});
