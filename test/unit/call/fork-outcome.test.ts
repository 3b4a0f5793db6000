import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestFailure, type LegFailure } from '../../../src/call/fork-outcome.js';

const failure = (status: number, isLocal = false): LegFailure => ({
  status,
  reason: 'x',
  isLocal,
  reasonHeader: undefined,
});
const best = (...failures: LegFailure[]) => bestFailure(failures)?.status;

test('RFC 3261 §16.7 step 6: 6xx is best, else the lowest class', () => {
  assert.equal(best(failure(503), failure(486), failure(603)), 603);
  assert.equal(best(failure(503), failure(486)), 486);
  assert.equal(best(failure(500), failure(302)), 302);
});

test('RFC 3261 §16.7 step 6: of 4xx those that help the caller to do better are preferred, else the first', () => {
  assert.equal(best(failure(486), failure(415)), 415);
  assert.equal(best(failure(480), failure(486)), 480);
});

test('what a phone said beats what we made up for one that said nothing', () => {
  assert.equal(best(failure(408, true), failure(503)), 503);
  assert.equal(best(failure(503, true), failure(408, true)), 408);
});

test('no failure at all has no best', () => assert.equal(bestFailure([]), undefined));
