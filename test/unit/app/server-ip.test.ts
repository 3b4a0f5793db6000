import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverIpOf } from '../../../src/app/server-ip.js';
import { detectServerIp } from '../../../src/platform/local-address.js';

const listeners = (...addresses: string[]) =>
  addresses.map((address, i) => ({ protocol: 'udp' as const, address, port: 5060 + i }));

describe('the address that a server is told by', () => {
  test('SERVER_IP, else the one IPv4 address it listens on, else one of the machine', () => {
    const told = (addresses: string[], SERVER_IP?: string) =>
      serverIpOf({ SIP_LISTEN: listeners(...addresses), SERVER_IP });
    assert.equal(told(['10.1.2.3'], '192.0.2.1'), '192.0.2.1');
    assert.equal(told(['10.1.2.3', '10.1.2.3', '::1']), '10.1.2.3');
    for (const unclear of [['10.1.2.3', '10.1.2.4'], ['0.0.0.0'], ['::'], []])
      assert.equal(told(unclear), detectServerIp(), `${unclear}`);
  });
});
