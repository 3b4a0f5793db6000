import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutation } from '../../support/mutate.js';
import { runMutations } from '../../support/mutation-run.js';

/** The nightly script runs a million and more of another seed each night. */
const RUN = { seed: 20_260, count: 20_000 };

test('hostile bytes: mutated messages make nothing throw, hang or grow, and what is taken survives being written', async () => {
  const { accepted, refused } = await runMutations(RUN);
  // One that met a pause of the machine is tried again.
  assert.ok(accepted + refused >= RUN.count);
  assert.ok(
    accepted > RUN.count / 10 && refused > RUN.count / 10,
    `${accepted} accepted, ${refused} refused`,
  );
});

test('hostile bytes: seed and index name a mutation', () => {
  assert.deepEqual(mutation(7, 1234).bytes, mutation(7, 1234).bytes);
  assert.notDeepEqual(mutation(8, 1234).bytes, mutation(7, 1234).bytes);
});
