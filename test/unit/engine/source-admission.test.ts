import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTransportCounters } from '../../../src/engine/transport/counters.js';
import { DEFAULT_ADMISSION, SourceAdmission } from '../../../src/engine/transport/source-admission.js';
import { sourceKey } from '../../../src/engine/transport/source-key.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';

function admission(settings = {}, generationSize?: number) {
  const clock = new ManualClock();
  const counters = createTransportCounters();
  const all = { ...DEFAULT_ADMISSION, ratePerSec: 10, burst: 5, ...settings };
  const bucket = new SourceAdmission(all, clock, silentLogger, counters, generationSize);
  /** How many of `count` messages sent at once are taken. */
  const taken = (address: string, count: number): number =>
    Array.from({ length: count }, () => bucket.admits(address)).filter(Boolean).length;
  return { clock, counters, bucket, taken };
}

describe('admission per source', () => {
  test('a burst is taken, then the rate, and a source that was quiet has its burst again', () => {
    const { clock, counters, taken } = admission();
    assert.equal(taken('192.0.2.1', 20), 5);
    assert.equal(counters.admissionDropped, 15);
    clock.advance(300);
    assert.equal(taken('192.0.2.1', 20), 3);
    clock.advance(60_000);
    assert.equal(taken('192.0.2.1', 20), 5);
  });

  test('one source does not take from another, whatever its port', () => {
    const { taken } = admission();
    assert.equal(taken('192.0.2.1', 20), 5);
    assert.equal(taken('192.0.2.2', 20), 5);
  });

  test('addresses of one IPv6 /64 are one source', () => {
    const { taken } = admission();
    assert.equal(taken('2001:db8::1', 4) + taken('2001:db8::2:3', 4), 5);
    assert.equal(taken('2001:db8:0:1::1', 4), 4);
  });

  test('the key of a source is its IPv4 address or the first 64 bits of its IPv6 address', () => {
    const keys: [string, string][] = [
      ['192.0.2.1', '192.0.2.1'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
      ['2001:db8::3:4:5:6:7', '2001:db8:0:3'],
      ['2001:db8::', '2001:db8:0:0'],
      ['2001:db8:1:2::9', '2001:db8:1:2'],
      ['2001:db8:1::9', '2001:db8:1:0'],
      ['::1', '0:0:0:0'],
      ['fe80::1%eth0', 'fe80:0:0:0'],
      ['::2:3:4:5:6:7:8', '0:2:3:4'],
    ];
    for (const [address, key] of keys) assert.equal(sourceKey(address), key, address);
  });

  test('trusted networks are never limited', () => {
    const trusted = ['192.0.2.0/24', '2001:db8::/48', 'fe80::/10', '::ffff:203.0.113.0/120'];
    const { taken, bucket } = admission({ trusted });
    for (const address of ['192.0.2.77', '2001:db8::9', 'fe80::1%eth0', '203.0.113.9'])
      assert.equal(taken(address, 99), 99);
    assert.equal(bucket.charge('192.0.2.77', 1_000_000), 0);
    assert.equal(taken('198.51.100.1', 99), 5);
  });

  test('by default this machine is trusted, and two hundred phones behind one NAT are far below', () => {
    const { bucket, clock } = admission(DEFAULT_ADMISSION);
    for (let i = 0; i < 20_000; i++) assert.ok(bucket.admits('127.0.0.1') && bucket.admits('::1'));
    // Power is back: each phone registers, is challenged, registers, subscribes twice; then a keep-alive every 15 s.
    for (let i = 0; i < 200 * 6; i++) assert.ok(bucket.admits('203.0.113.9'));
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      for (let i = 0; i < 20; i++) assert.ok(bucket.admits('203.0.113.9'));
    }
  });

  test('a stream that was read too far owes time', () => {
    const { clock, counters, bucket } = admission();
    assert.equal(bucket.charge('192.0.2.1', 5), 0);
    assert.equal(bucket.charge('192.0.2.1', 10), 1000);
    assert.equal(counters.admissionPauses, 1);
    clock.advance(1000);
    assert.equal(bucket.charge('192.0.2.1', 1), 100);
  });

  test('a flood from ever new addresses does not grow the table; a steady source is not forgotten in it', () => {
    const { bucket, taken } = admission({}, 100);
    assert.equal(taken('203.0.113.9', 5), 5);
    for (let i = 0; i < 10_000; i++) {
      bucket.admits(`10.${i >> 8}.${i & 255}.1`);
      if (i % 50 === 0) assert.equal(bucket.admits('203.0.113.9'), false);
    }
    assert.ok(bucket.sourceCount <= 200, `${bucket.sourceCount}`);
  });
});
