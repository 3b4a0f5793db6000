import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { NONCE_COUNT_WINDOW, Nonces } from '../../../src/security/nonces.js';
import { ManualClock } from '../../support/manual-clock.js';

const secret = randomBytes(32);
const ADDRESS = '192.0.2.1';

function make(options: { maxUsed?: number; lifetimeSec?: number } = {}) {
  const clock = new ManualClock();
  return { clock, nonces: new Nonces({ secret, clock, ...options }) };
}

test('RFC 7616 §3.3, §5.4: a nonce is good for its life, then stale', () => {
  const { clock, nonces } = make({ lifetimeSec: 300 });
  const nonce = nonces.issue(ADDRESS);
  assert.equal(nonces.use(nonce, ADDRESS, 1), 'fresh');
  clock.advance(299_999);
  assert.equal(nonces.use(nonce, ADDRESS, 2), 'fresh');
  clock.advance(1);
  assert.equal(nonces.use(nonce, ADDRESS, 3), 'stale');
});

test('nonces differ, and only ours for that address are taken', () => {
  const { nonces } = make();
  const nonce = nonces.issue(ADDRESS);
  assert.notEqual(nonce, nonces.issue(ADDRESS));
  assert.equal(nonces.use(nonce, '192.0.2.2', 1), 'forged');
  assert.equal(nonces.use('', ADDRESS, 1), 'forged');
  assert.equal(nonces.use(`${nonce}A`, ADDRESS, 1), 'forged');
  for (let i = 0; i < nonce.length; i++) {
    const other = nonce[i] === 'A' ? 'Q' : 'A';
    const changed = nonce.slice(0, i) + other + nonce.slice(i + 1);
    assert.equal(nonces.use(changed, ADDRESS, 1), 'forged', `character ${i}`);
  }
  assert.equal(nonces.size, 0, 'nothing is kept of what was not taken');
  const foreign = new Nonces({ secret: randomBytes(32) }).issue(ADDRESS);
  assert.equal(nonces.use(foreign, ADDRESS, 1), 'forged');
});

test('RFC 7616 §3.4: a nonce count is taken once', () => {
  const { nonces } = make();
  const nonce = nonces.issue(ADDRESS);
  assert.equal(nonces.use(nonce, ADDRESS, 1), 'fresh');
  assert.equal(nonces.use(nonce, ADDRESS, 1), 'replayed');
  assert.equal(nonces.use(nonce, ADDRESS, 2), 'fresh');
  assert.equal(nonces.use(nonce, ADDRESS, 1), 'replayed');
  assert.equal(nonces.use(nonce, ADDRESS, 2), 'replayed');
});

test('counts that overtook each other are taken once each within the window', () => {
  const { nonces } = make();
  const nonce = nonces.issue(ADDRESS);
  const highest = 100;
  assert.equal(nonces.use(nonce, ADDRESS, highest), 'fresh');
  for (let nc = highest - NONCE_COUNT_WINDOW + 1; nc < highest; nc++) {
    assert.equal(nonces.use(nonce, ADDRESS, nc), 'fresh', `nc ${nc}`);
    assert.equal(nonces.use(nonce, ADDRESS, nc), 'replayed', `nc ${nc} again`);
  }
  assert.equal(nonces.use(nonce, ADDRESS, highest - NONCE_COUNT_WINDOW), 'replayed');
  assert.equal(nonces.use(nonce, ADDRESS, highest + 3), 'fresh');
  assert.equal(nonces.use(nonce, ADDRESS, highest + 1), 'fresh');
  assert.equal(nonces.use(nonce, ADDRESS, highest), 'replayed');
  assert.equal(nonces.use(nonce, ADDRESS, 0xffffffff), 'fresh');
  assert.equal(nonces.use(nonce, ADDRESS, highest + 2), 'replayed', 'a leap forgets what is far behind');
});

test('every order of few counts: each once, none twice', () => {
  const counts = [1, 2, 3, 4];
  const orders = counts.flatMap((a) =>
    counts.flatMap((b) => counts.flatMap((c) => counts.map((d) => [a, b, c, d]))),
  );
  for (const order of orders) {
    const { nonces } = make();
    const nonce = nonces.issue(ADDRESS);
    const seen = new Set<number>();
    for (const nc of order) {
      const expected = seen.has(nc) ? 'replayed' : 'fresh';
      assert.equal(nonces.use(nonce, ADDRESS, nc), expected, `order ${order.join()}`);
      seen.add(nc);
    }
  }
});

test('RFC 2617 §3.2.1: without qop a nonce is good for one request', () => {
  const { nonces } = make();
  const nonce = nonces.issue(ADDRESS);
  assert.equal(nonces.use(nonce, ADDRESS, undefined), 'fresh');
  assert.equal(nonces.use(nonce, ADDRESS, undefined), 'replayed');
  assert.equal(nonces.use(nonce, ADDRESS, 1), 'replayed', 'neither way round');
  const other = nonces.issue(ADDRESS);
  assert.equal(nonces.use(other, ADDRESS, 1), 'fresh');
  assert.equal(nonces.use(other, ADDRESS, undefined), 'replayed');
});

test('a full table forgets the oldest and takes nothing as old again: no replay by eviction', () => {
  const { clock, nonces } = make({ maxUsed: 10 });
  const used: string[] = [];
  const unused: string[] = [];
  for (let i = 0; i < 30; i++) {
    clock.advance(10);
    unused.push(nonces.issue(ADDRESS));
    used.push(nonces.issue(ADDRESS));
    assert.equal(nonces.use(used[i]!, ADDRESS, 1), 'fresh');
    assert.ok(nonces.size <= 10);
  }
  used.forEach((nonce, i) => {
    assert.equal(nonces.use(nonce, ADDRESS, 1), i < 20 ? 'stale' : 'replayed', `nonce ${i}`);
  });
  assert.equal(nonces.use(unused[0]!, ADDRESS, 1), 'stale', 'as old as what was forgotten');
  assert.equal(nonces.use(unused[29]!, ADDRESS, 1), 'fresh', 'younger than what was forgotten');
});

test('expired entries leave the table', () => {
  const { clock, nonces } = make({ lifetimeSec: 60 });
  for (let i = 0; i < 50; i++) nonces.use(nonces.issue(ADDRESS), ADDRESS, 1);
  assert.equal(nonces.size, 50);
  clock.advance(60_000);
  for (let i = 0; i < 20; i++) nonces.use(nonces.issue(ADDRESS), ADDRESS, 1);
  assert.equal(nonces.size, 20);
});

test('what a former life of the process gave out is stale: its use is not known any more', () => {
  const { clock, nonces } = make();
  const nonce = nonces.issue(ADDRESS);
  assert.equal(nonces.use(nonce, ADDRESS, 1), 'fresh');
  clock.advance(5);
  const next = new Nonces({ secret, clock });
  assert.equal(next.use(nonce, ADDRESS, 1), 'stale');
  assert.equal(next.isAuthentic(nonce, ADDRESS), true);
});

test('processes with one secret take each other’s nonces, a little clock skew included', () => {
  const { clock, nonces } = make();
  const other = new Nonces({ secret, clock });
  clock.advance(1);
  assert.equal(other.use(nonces.issue(ADDRESS), ADDRESS, 1), 'fresh');
  const ahead = new Nonces({ secret, clock: new ManualClock(clock.now() + 4000) });
  assert.equal(nonces.use(ahead.issue(ADDRESS), ADDRESS, 1), 'fresh');
  const farAhead = new Nonces({ secret, clock: new ManualClock(clock.now() + 60_000) });
  assert.equal(nonces.use(farAhead.issue(ADDRESS), ADDRESS, 1), 'stale');
});
