import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Advertiser } from '../../../src/engine/advertise.js';
import type { BoundListener } from '../../../src/engine/transport/types.js';

const V4: BoundListener = { protocol: 'udp', address: '0.0.0.0', port: 5060, family: 4 };
const V6: BoundListener = { protocol: 'tls', address: '::', port: 5061, family: 6 };

const advertiser = new Advertiser(
  [
    { network: '0.0.0.0/0', address: '203.0.113.5' },
    { network: '10.0.0.0/8', address: '10.1.2.3' },
    { network: '10.9.0.0/16', address: '10.9.0.1' },
    { network: '2001:db8::/32', address: '2001:db8::5' },
  ],
  { address: '198.51.100.7', localNetworks: ['192.168.0.0/16'] },
);

for (const [listener, peer, told] of [
  [V4, '10.9.8.7', '10.9.0.1'],
  [V4, '10.8.8.7', '10.1.2.3'],
  [V4, '198.51.100.99', '203.0.113.5'],
  [V4, '192.168.1.1', '203.0.113.5'],
  [V6, '2001:db8:1::9', '2001:db8::5'],
  [V6, '2001:db9::9', undefined],
] as const)
  test(`RFC 3261 §18.1.1: ${peer} is told ${told ?? 'the bound address'}`, () => {
    const sentBy = told === undefined ? undefined : { host: told, port: listener.port };
    assert.deepEqual(advertiser.sentBy(listener, peer), sentBy);
  });

test('what no rule is for is told the general address, save peers of the local networks', () => {
  const general = { address: '198.51.100.7', localNetworks: ['192.168.0.0/16', 'fc00::/7'] };
  const some = new Advertiser([{ network: '10.0.0.0/8', address: '10.1.2.3' }], general);
  assert.deepEqual(some.sentBy(V4, '8.8.8.8'), { host: '198.51.100.7', port: 5060 });
  assert.equal(some.sentBy(V4, '192.168.1.1'), undefined);
  assert.deepEqual(some.sentBy(V4, '::ffff:10.1.1.1'), { host: '10.1.2.3', port: 5060 });
  assert.equal(some.sentBy(V6, '2001:db8::1'), undefined, 'an IPv4 address is of no use over IPv6');
});
