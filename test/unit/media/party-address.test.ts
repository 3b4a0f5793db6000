import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectedParty } from '../../../src/media/party-address.js';
import { parseSdp } from '../../../src/sdp/session-description.js';
import { audioSdp } from '../../support/sdp-samples.js';

/** What the relay is told: address, and `+` what is expected beside it. */
function told(described: string, signalling: string): string {
  const stream = parseSdp(audioSdp(4000, { address: described })).streams[0]!;
  const { address, port, alsoExpected } = expectedParty(stream, signalling);
  assert.equal(port, 4000);
  return alsoExpected === undefined ? address : `${address} + ${alsoExpected}`;
}

describe('expectedParty', () => {
  it('tells the address of the description', () => {
    assert.equal(told('203.0.113.7', '203.0.113.7'), '203.0.113.7');
    assert.equal(told('192.168.1.5', '192.168.1.5'), '192.168.1.5');
    assert.equal(told('2001:db8::5', '[2001:db8::5]'), '2001:db8::5');
  });

  it('expects the signalling address as well', () => {
    assert.equal(told('198.51.100.9', '203.0.113.7'), '198.51.100.9 + 203.0.113.7', 'a media gateway');
    assert.equal(told('172.17.0.2', '192.168.1.5'), '172.17.0.2 + 192.168.1.5', 'a phone in a container');
  });

  it('tells the signalling address where the described one cannot be reached', () => {
    assert.equal(told('10.0.0.5', '203.0.113.7'), '203.0.113.7', 'behind NAT');
    assert.equal(told('100.64.0.9', '203.0.113.7'), '203.0.113.7', 'behind carrier-grade NAT');
    assert.equal(told('127.0.0.1', '192.168.1.5'), '192.168.1.5', 'loopback of another machine');
    assert.equal(told('phone.example.com', '203.0.113.7'), '203.0.113.7', 'a name');
    assert.equal(told('127.0.0.1', '::ffff:127.0.0.1'), '127.0.0.1');
  });

  it('RFC 3264 §8.4: lets a null address through', () => {
    assert.equal(told('0.0.0.0', '203.0.113.7'), '0.0.0.0 + 203.0.113.7');
  });

  it('does without a signalling address that is none', () => {
    assert.equal(told('192.0.2.1', 'unknown'), '192.0.2.1');
    assert.equal(told('phone.example.com', 'unknown'), '0.0.0.0');
  });
});
