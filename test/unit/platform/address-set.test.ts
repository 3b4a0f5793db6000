import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AddressSet, canonicalSource } from '../../../src/platform/address-set.js';

describe('addresses and networks as text', () => {
  const forms: readonly (readonly [string, string | undefined])[] = [
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['2001:db8::1/32', '2001:db8::/32'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7/120', '192.0.2.0/24'],
    ['::ffff:c000:207/128', '192.0.2.7'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::ffff:192.0.2.7/129', undefined],
    ['::ffff:192.0.2.7/32', '::/32'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2', undefined],
    ['192.0.2.256', undefined],
    ['192.0.2.7/33', undefined],
    ['192.0.2.7/', undefined],
    ['192.0.2.7/8/8', undefined],
    ['192.0.2.7/-1', undefined],
    ['2001:db8::/129', undefined],
    ['example.com', undefined],
    ['', undefined],
  ];
  for (const [given, expected] of forms)
    test(`${given || 'nothing'} is ${expected ?? 'none'}`, () =>
      assert.equal(canonicalSource(given), expected));
});

describe('a set of addresses', () => {
  const set = new AddressSet([
    '192.0.2.7',
    '198.51.100.0/24',
    '10.0.0.0/8',
    '2001:db8:1::/48',
    '2001:db8::5',
  ]);
  const cases: readonly (readonly [string, boolean])[] = [
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['198.51.100.255', true],
    ['198.51.101.0', false],
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['::ffff:10.1.2.3', true],
    ['::ffff:192.0.2.7', true],
    ['::ffff:192.0.2.8', false],
    ['2001:db8:1:ffff::9', true],
    ['2001:db8:2::9', false],
    ['2001:db8:0:0:0:0:0:5', true],
    ['2001:db8::5%eth0', true],
    ['2001:db8::6', false],
    ['2001:DB8:1:0:0:0:0:9', true],
    ['2001:db8:1::', true],
    ['::', false],
    ['::1', false],
    ['::ffff:a01:203', true],
    ['2001:db8:1::9::1', false],
    ['2001:db8:1:2:3:4:5:6:7', false],
    ['2001:db8:1', false],
    [':2001:db8:1::', false],
    ['2001:db8:1:3:4:5:6:7:', false],
    ['2001:db8:12345::', false],
    ['2001:db8:1::g', false],
    ['10.1.2', false],
    ['10.1.2.', false],
    ['10.1.2.3.4', false],
    ['10.1.2.300', false],
    ['elsewhere', false],
    ['', false],
  ];
  for (const [address, expected] of cases)
    test(`${address || 'nothing'}: ${expected}`, () => assert.equal(set.has(address), expected));

  test('a network of IPv4 in IPv6 form has its addresses in either form', () => {
    const mapped = new AddressSet(['::ffff:192.0.2.0/120']);
    for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:c000:207'])
      assert.ok(mapped.has(address));
    assert.equal(mapped.has('192.0.3.7'), false);
    mapped.delete('192.0.2.0/24');
    assert.equal(mapped.isEmpty, true);
  });

  const touched: readonly (readonly [string, boolean])[] = [
    ['192.0.2.7', true],
    ['192.0.2.0/29', true],
    ['192.0.2.8/29', false],
    ['198.51.0.0/16', true],
    ['198.51.100.128/25', true],
    ['10.0.0.0/16', true],
    ['0.0.0.0/0', true],
    ['2001:db8::/64', true],
    ['2001:db8:0:1::/64', false],
    ['2001:db8:1:5::/64', true],
    ['2001:db8::/32', true],
    ['2001:db8:8000::/33', false],
    ['::/0', true],
  ];
  for (const [source, expected] of touched)
    test(`something in ${source}: ${expected}`, () => assert.equal(set.touches(source), expected));

  test('the network of all takes every address of its family', () => {
    const all = new AddressSet(['0.0.0.0/0']);
    assert.deepEqual(
      ['0.0.0.0', '255.255.255.255', '::1'].map((address) => all.has(address)),
      [true, true, false],
    );
  });

  test('an empty one has none and says so', () => {
    assert.equal(new AddressSet().isEmpty, true);
    assert.equal(new AddressSet().has('192.0.2.7'), false);
    assert.throws(() => new AddressSet(['example.com']), RangeError);
    assert.equal(new AddressSet().touches('0.0.0.0/0'), false);
    assert.throws(() => new AddressSet().touches('example.com'), RangeError);
  });

  const networks: Record<string, readonly [(i: number) => string, (i: number) => string]> = {
    'IPv4 networks': [(i) => `10.${i >> 8}.${i & 255}.0/24`, (i) => `192.0.2.${i & 255}`],
    'IPv4 addresses': [(i) => `10.0.${i >> 8}.${i & 255}`, (i) => `192.0.2.${i & 255}`],
    'IPv6 networks': [(i) => `2001:db8:1:${i.toString(16)}::/64`, (i) => `2001:db8:2:${i & 255}::1`],
    'IPv6 addresses': [(i) => `2001:db8:${i.toString(16)}::1`, (i) => `2001:db9:${i & 255}::1`],
  };
  for (const [kind, [entry, asked]] of Object.entries(networks))
    test(`ten thousand ${kind} cost a question no more than a few`, () => {
      const many = Array.from({ length: 10_000 }, (_, i) => entry(i));
      const costMs = (of: AddressSet): number => {
        const startedMs = performance.now();
        for (let i = 0; i < 5_000; i++) of.has(asked(i));
        return performance.now() - startedMs;
      };
      const [few, all] = [new AddressSet(many.slice(0, 3)), new AddressSet(many)];
      costMs(few);
      assert.ok(costMs(all) < 10 * costMs(few) + 100);
    });

  test('what was added can be taken out again, once', () => {
    const sources = ['192.0.2.7', '10.0.0.0/8', '2001:db8::/32', '2001:db8::5'];
    const some = new AddressSet([...sources, ...sources]);
    for (const source of sources) {
      some.delete(source);
      some.delete(source);
    }
    assert.equal(some.isEmpty, true);
    assert.equal(some.has('10.1.1.1'), false);
  });
});
