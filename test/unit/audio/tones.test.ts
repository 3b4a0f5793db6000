import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTone, TONE_NAMES } from '../../../src/audio/tones.js';
import { toneOfSamples } from '../../../src/testkit/tone.js';

const CANDIDATES = [425, 950, 1000, 1400, 1800];

test('tones are whole frames long, begin and end without a click, and sound as ITU-T E.180 says', () => {
  for (const name of TONE_NAMES) {
    const samples = makeTone(name);
    assert.equal(samples.length % 160, 0);
    assert.equal(samples[0], 0);
  }
  const busy = [...makeTone('busy')];
  assert.equal(busy.length, 0.96 * 8000);
  assert.equal(toneOfSamples(busy.slice(0, 3840), CANDIDATES), 425);
  assert.ok(busy.slice(3840).every((sample) => sample === 0));
  const sit = [...makeTone('sit')];
  const third = 0.33 * 8000;
  for (const [i, hz] of [950, 1400, 1800].entries())
    assert.equal(toneOfSamples(sit.slice(i * third, (i + 1) * third), CANDIDATES), hz);
});
