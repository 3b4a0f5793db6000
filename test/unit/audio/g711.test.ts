import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeG711, encodeG711, type G711Law } from '../../../src/audio/g711.js';

function decode(law: G711Law, ...bytes: number[]): number[] {
  const samples = new Int16Array(bytes.length);
  decodeG711(law, Uint8Array.from(bytes), samples);
  return [...samples];
}

function encode(law: G711Law, ...samples: number[]): number[] {
  const bytes = new Uint8Array(samples.length);
  encodeG711(law, Int16Array.from(samples), bytes);
  return [...bytes];
}

test('the ends and the middle of both laws are those of ITU-T G.711 tables 1 and 2', () => {
  assert.deepEqual(decode('PCMU', 0x00, 0x80, 0x7f, 0xff, 0x70, 0x8f), [-32124, 32124, 0, 0, -120, 16764]);
  assert.deepEqual(encode('PCMU', 0, -1, 32767, -32768, 8, -9), [0xff, 0x7f, 0x80, 0x00, 0xfe, 0x7e]);
  assert.deepEqual(decode('PCMA', 0xd5, 0x55, 0xaa, 0x2a), [8, -8, 32256, -32256]);
  assert.deepEqual(encode('PCMA', 0, -1, 32767, -32768, 16, -17), [0xd5, 0x55, 0xaa, 0x2a, 0xd4, 0x54]);
});

test('the digital milliwatt of ITU-T G.711 tables 5 and 6 is a sine of 1 kHz at 0 dBm0', () => {
  const full = { PCMU: 32124 / 10 ** (3.17 / 20), PCMA: 32256 / 10 ** (3.14 / 20) };
  const sequences = {
    PCMU: [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e],
    PCMA: [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4],
  };
  for (const law of ['PCMU', 'PCMA'] as const) {
    const samples = decode(law, ...sequences[law]);
    const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    const db = 20 * Math.log10((rms * Math.SQRT2) / full[law]);
    assert.ok(Math.abs(db) < 0.2, `${law}: ${db} dB`);
    assert.deepEqual(encode(law, ...samples), sequences[law]);
  }
});

test('every byte comes back from its sample, but for the negative zero of the µ-law', () => {
  for (const law of ['PCMU', 'PCMA'] as const)
    for (let byte = 0; byte < 256; byte++) {
      const expected = law === 'PCMU' && byte === 0x7f ? 0xff : byte;
      assert.deepEqual(encode(law, ...decode(law, byte)), [expected]);
    }
});

test('every sample becomes a byte whose value is within half a step of it', () => {
  for (const law of ['PCMU', 'PCMA'] as const) {
    const values = decode(law, ...Array.from({ length: 256 }, (_, byte) => byte));
    for (let sample = -32_124; sample <= 32_124; sample += 7) {
      const [byte = 0] = encode(law, sample);
      const error = Math.abs(values[byte]! - sample);
      // A segment has 16 steps and begins at 16 of them, the µ-law's after its bias of 132.
      assert.ok(error <= (Math.abs(sample) + 132) / 32 + 8, `${law} ${sample}: ${values[byte]}`);
    }
  }
});
