import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BanPolicy, OffenceWatch } from '../../../src/security/offence-watch.js';
import { ManualClock } from '../../support/manual-clock.js';

const HOUR_MS = 3_600_000;

function setUp(policy: Partial<BanPolicy> = {}) {
  const clock = new ManualClock();
  const live = { after: 3, windowSec: 60, banSec: 600, registrationSec: 60, ...policy };
  return { clock, live, watch: new OffenceWatch(live, clock) };
}

describe('when a source is banned', () => {
  test('after so many offences within the window, not after fewer, and not over two windows', () => {
    const { clock, watch } = setUp();
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2'])
      assert.equal(watch.offended(address), undefined);
    clock.advance(60_000);
    assert.equal(watch.offended('192.0.2.1'), undefined);
    assert.equal(watch.offended('192.0.2.1'), undefined);
    assert.deepEqual(watch.offended('192.0.2.1'), { source: '192.0.2.1', banMs: 600_000, offences: 3 });
    assert.equal(watch.offended('192.0.2.1'), undefined, 'the count begins anew');
  });

  test('many at once count as many', () => {
    const { watch } = setUp();
    assert.equal(watch.offended('192.0.2.1', 2), undefined);
    assert.equal(watch.offended('192.0.2.1', 1_000_000)?.offences, 3);
  });

  test('of IPv6 the /64 is banned, whichever of its addresses offends', () => {
    const { watch } = setUp();
    watch.offended('2001:db8:1:2:3::1');
    watch.offended('2001:db8:1:2:ffff::2');
    assert.equal(watch.offended('2001:db8:1:3::1'), undefined);
    assert.equal(watch.offended('2001:db8:1:2::5')?.source, '2001:db8:1:2::/64');
  });

  test('IPv4 in IPv6 form is the same source', () => {
    const { watch } = setUp();
    watch.offended('192.0.2.1');
    watch.offended('::ffff:192.0.2.1');
    assert.equal(watch.offended('192.0.2.1')?.source, '192.0.2.1');
  });

  test('each ban of a source within a day of the last is twice as long, up to a day; then it begins anew', () => {
    const { clock, watch } = setUp({ after: 1, banSec: 6 * 3600 });
    const hours = () => (watch.offended('192.0.2.1')?.banMs ?? 0) / HOUR_MS;
    assert.deepEqual([hours(), hours(), hours(), hours()], [6, 12, 24, 24]);
    assert.equal(watch.offended('192.0.2.2')?.banMs, 6 * HOUR_MS);
    clock.advance(48 * HOUR_MS - 1);
    assert.equal(hours(), 24, 'the longest ban has been over for less than a day');
    clock.advance(48 * HOUR_MS);
    assert.equal(hours(), 6);
  });

  test('a first ban may be longer than a day', () => {
    const { watch } = setUp({ after: 1, banSec: 7 * 86_400 });
    for (let i = 0; i < 2; i++) assert.equal(watch.offended('192.0.2.1')?.banMs, 7 * 24 * HOUR_MS);
  });

  test('the policy is read each time; 0 bans nobody', () => {
    const { live, watch } = setUp();
    watch.offended('192.0.2.1');
    watch.offended('192.0.2.1');
    live.after = 1;
    assert.equal(watch.offended('192.0.2.1')?.offences, 1, 'lowered below what was counted');
    live.after = 0;
    for (let i = 0; i < 10; i++) assert.equal(watch.offended('192.0.2.1'), undefined);
  });

  test('phones are remembered for an hour after a right password', () => {
    const { clock, watch } = setUp();
    watch.accepted('192.0.2.1');
    watch.accepted('2001:db8::1');
    clock.advance(HOUR_MS - 1);
    const known = ['192.0.2.1', '2001:db8::2', '192.0.2.2'];
    assert.deepEqual(
      known.map((address) => watch.hasPhones(address)),
      [true, true, false],
    );
    clock.advance(1);
    assert.equal(watch.hasPhones('192.0.2.1'), false);
  });

  test('phones that register for longer are remembered for as long', () => {
    const { clock, live, watch } = setUp({ registrationSec: 86_400 });
    watch.accepted('192.0.2.1');
    clock.advance(24 * HOUR_MS - 1);
    assert.equal(watch.hasPhones('192.0.2.1'), true);
    live.registrationSec = 7200;
    assert.equal(watch.hasPhones('192.0.2.1'), false, 'read each time');
    live.registrationSec = 86_400;
    clock.advance(1);
    assert.equal(watch.hasPhones('192.0.2.1'), false);
  });
});
