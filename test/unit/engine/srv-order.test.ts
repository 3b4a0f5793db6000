import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NaptrRecord, SrvRecord } from '../../../src/engine/resolve/dns-message.js';
import { guessedServices, offeredServices } from '../../../src/engine/resolve/services.js';
import { orderServers } from '../../../src/engine/resolve/srv-order.js';
import type { Protocol } from '../../../src/engine/types.js';

const server = (target: string, priority: number, weight: number): SrvRecord => ({
  priority,
  weight,
  port: 5060,
  target,
});
const names = (records: readonly SrvRecord[]): string => records.map(({ target }) => target).join('');

/** Chance that can be repeated (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('RFC 2782: the lowest priority comes first, whatever the weights', () => {
  const records = [server('c', 20, 65535), server('a', 0, 1), server('b', 10, 0)];
  for (const random of [() => 0, () => 0.5, () => 0.999999])
    assert.equal(names(orderServers(records, random)), 'abc');
});

test('RFC 2782: within a priority servers come first in proportion to their weights', () => {
  const random = seeded(1);
  const records = [server('a', 0, 60), server('b', 0, 30), server('c', 0, 10), server('z', 0, 0)];
  const first: Record<string, number> = {};
  const rounds = 20_000;
  for (let i = 0; i < rounds; i++) {
    const order = names(orderServers(records, random));
    assert.equal(new Set(order).size, 4);
    first[order[0]!] = (first[order[0]!] ?? 0) + 1;
  }
  // Each weight gets its share of the 101 numbers from 0 to the sum; 0 itself goes to weight 0.
  for (const [name, share] of [
    ['a', 60],
    ['b', 30],
    ['c', 10],
    ['z', 1],
  ] as const)
    assert.ok(Math.abs((first[name] ?? 0) / rounds - share / 101) < 0.01, `${name}: ${first[name]}`);
});

test('RFC 2782: weights of zero share evenly enough to reach each', () => {
  assert.equal(names(orderServers([server('a', 0, 0), server('b', 0, 0)], () => 0.9)), 'ab');
  assert.equal(orderServers([], () => 0).length, 0);
});

const naptr = (
  order: number,
  preference: number,
  services: string,
  more: Partial<NaptrRecord> = {},
): NaptrRecord => ({
  order,
  preference,
  services,
  flags: 's',
  regexp: '',
  replacement: `srv-${services.toLowerCase()}`,
  ...more,
});
const protocols = (services: readonly { protocol: Protocol }[]): Protocol[] =>
  services.map(({ protocol }) => protocol);
const all = (): boolean => true;

test('RFC 3263 §4.1: services are taken by order, then preference, and only those we speak', () => {
  const records = [
    naptr(50, 20, 'SIP+D2U'),
    naptr(50, 10, 'sip+d2t'),
    naptr(50, 30, 'SIPS+D2T', { flags: 'S' }),
    naptr(10, 10, 'SIP+D2S'),
    naptr(90, 1, 'SIP+D2W'),
  ];
  assert.deepEqual(protocols(offeredServices(records, false, all)), ['tcp', 'udp', 'tls']);
  assert.deepEqual(protocols(offeredServices(records, false, (protocol) => protocol === 'ws')), ['ws']);
  assert.deepEqual(protocols(offeredServices(records, true, all)), ['tls']);
  const odd = [naptr(1, 1, 'SIP+D2U', { flags: 'u' }), naptr(1, 1, 'SIP+D2T', { regexp: '!.*!x!' })];
  assert.deepEqual(offeredServices(odd, false, all), []);
});

test('RFC 3263 §4.1: without NAPTR a SRV query for each transport we speak', () => {
  assert.deepEqual(guessedServices('a.example', false, all), [
    { protocol: 'udp', srvName: '_sip._udp.a.example' },
    { protocol: 'tcp', srvName: '_sip._tcp.a.example' },
  ]);
  assert.deepEqual(guessedServices('a.example', true, all), [
    { protocol: 'tls', srvName: '_sips._tcp.a.example' },
  ]);
  assert.deepEqual(
    guessedServices('a.example', false, (protocol) => protocol === 'tls'),
    [],
  );
});
