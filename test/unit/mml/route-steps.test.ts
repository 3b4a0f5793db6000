import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STEPS_ZH, stepText } from '../../../src/mml/report/route-steps.js';
import { STEPS, type StepCode, sayStep, step } from '../../../src/routing/steps.js';

const CODES = Object.keys(STEPS) as StepCode[];

/** The names in braces, each once. */
const placesOf = (template: string): string[] =>
  [...new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))].sort();

describe('the sentences of routing', () => {
  it('are all there in Chinese, with the places of the English', () => {
    assert.deepEqual(Object.keys(STEPS_ZH), CODES);
    for (const code of CODES) {
      assert.match(STEPS_ZH[code], /[\u4e00-\u9fff]/, code);
      assert.deepEqual(placesOf(STEPS_ZH[code]), placesOf(STEPS[code]), code);
    }
  });

  it('hold no English but names of the protocol', () => {
    for (const code of CODES) {
      const words = STEPS_ZH[code].replace(/\{\w+\}/g, '').match(/[A-Za-z-]+/g) ?? [];
      for (const word of words) assert.match(word, /^(Request-URI|URI|q)$/, code);
    }
  });

  it('are filled in both languages, and nothing in braces is left', () => {
    for (const code of CODES) {
      const args = Object.fromEntries(placesOf(STEPS[code]).map((place) => [place, `<${place}>`]));
      const { en, zh } = stepText({ code, args });
      assert.equal(en, sayStep({ code, args }));
      for (const text of [en, zh]) {
        assert.doesNotMatch(text, /[{}]/, code);
        for (const value of Object.values(args)) assert.ok(text.includes(value), `${code}: ${value}`);
      }
    }
  });

  it('have the words of the server in Chinese, and names and values as they are', () => {
    for (const [one, en, zh] of [
      [
        step('forwardsWhen', { failure: 'no-answer', to: '1003' }),
        'when no-answer: on to 1003',
        '无应答时转到 1003',
      ],
      [
        step('trunkDown', { trunk: 'no answer', answer: 'no answer' }),
        'trunk no answer is down (no answer): skipped',
        '中继 no answer 故障（无应答）：跳过',
      ],
      [
        step('trunkNotRegistered', { trunk: 'one', answer: '403 Forbidden' }),
        'trunk one is not registered (403 Forbidden): skipped',
        '中继 one 未注册（403 Forbidden）：跳过',
      ],
      [
        step('forwards', { user: '{to}', to: '$1', reason: 'user-busy' }),
        '{to} forwards to $1 (user-busy)',
        '{to} 前转到 $1（user-busy）',
      ],
    ] as const)
      assert.deepEqual(stepText(one), { en, zh });
  });
});
