import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mix, type MixParty } from '../../../src/audio/mix.js';

class Party implements MixParty {
  muted = false;
  told = 0;
  constructor(private readonly value: number | undefined) {}
  hear(): Int16Array | undefined {
    return this.value === undefined ? undefined : new Int16Array(160).fill(this.value);
  }
  tell(frame: Int16Array): void {
    this.told = frame[80]!;
  }
}

function told(...parties: Party[]): number[] {
  const mix = new Mix();
  for (const party of parties) mix.add(party);
  mix.run();
  return parties.map((party) => party.told);
}

test('each hears the sum of the others', () => {
  assert.deepEqual(told(new Party(100), new Party(20), new Party(undefined)), [20, 100, 120]);
});

test('sums are clipped, not turned over', () => {
  assert.deepEqual(
    told(new Party(30_000), new Party(30_000), new Party(undefined)),
    [30_000, 30_000, 32_767],
  );
});

test('who is muted hears and is not heard', () => {
  const muted = Object.assign(new Party(100), { muted: true });
  assert.deepEqual(told(muted, new Party(20), new Party(3)), [23, 3, 20]);
});

test('a sound is heard by everybody, once', () => {
  const mix = new Mix();
  const parties = [new Party(1), new Party(2)];
  for (const party of parties) mix.add(party);
  mix.play(new Int16Array(160).fill(50));
  mix.run();
  assert.deepEqual(
    parties.map((party) => party.told),
    [52, 51],
  );
  mix.run();
  assert.deepEqual(
    parties.map((party) => party.told),
    [2, 1],
  );
});
