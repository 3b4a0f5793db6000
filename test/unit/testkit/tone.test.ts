import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromMuLaw, toMuLaw, toneOf, toneSamples } from '../../../src/testkit/tone.js';

describe('tone', () => {
  it('G.711: every µ-law byte but negative zero survives the way to a sample and back', () => {
    for (let byte = 0; byte < 256; byte++) if (byte !== 0x7f) assert.equal(toMuLaw(fromMuLaw(byte)), byte);
  });

  it('finds the tone that was sent and no other', () => {
    assert.equal(toneOf(toneSamples(440, 0, 8000), [880, 440]), 440);
    assert.equal(toneOf(toneSamples(440, 0, 8000), [880, 1000]), 0);
    assert.equal(toneOf(Buffer.alloc(0), [440]), 0);
  });
});
