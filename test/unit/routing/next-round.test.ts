import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureKind, verdictOn } from '../../../src/routing/next-round.js';

for (const [kind, goesOn, over] of [
  ['phones', [404, 408, 480, 486, 500, 503], [600, 603, 606]],
  ['group', [404, 486, 503, 600, 603], []],
  ['trunk', [408, 500, 502, 503, 504], [403, 404, 480, 484, 486, 600, 603]],
] as const)
  test(`RFC 3261 §16.7 step 5: what follows a failure in a round of ${kind}`, () => {
    for (const status of goesOn)
      assert.equal(verdictOn(kind, { status, isLocal: false }), 'go-on', `${status}`);
    for (const status of over)
      assert.equal(verdictOn(kind, { status, isLocal: false }), 'search-over', `${status}`);
    assert.equal(verdictOn(kind, { status: 503, isLocal: true }), 'go-on');
  });

for (const [expected, statuses] of [
  ['busy', [486, 600]],
  ['unreachable', [404, 408, 410, 480, 500, 503]],
  [undefined, [302, 401, 403, 488, 603, 606]],
] as const)
  test(`forwarding by ${expected ?? 'nothing'}`, () => {
    for (const status of statuses)
      assert.equal(failureKind({ status, isLocal: false }), expected, `${status}`);
    assert.equal(failureKind({ status: 408, isLocal: true }), 'unreachable');
  });
