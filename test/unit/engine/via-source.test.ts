import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameHost, markSource } from '../../../src/engine/transport/via-source.js';
import type { Source } from '../../../src/engine/types.js';
import { SipRequest } from '../../../src/sip/message.js';

const source: Source = {
  protocol: 'udp',
  address: '192.0.2.9',
  port: 40_000,
  localAddress: '192.0.2.1',
  localPort: 5060,
};

function marked(via: readonly string[], from: Partial<Source> = {}): string[] {
  const request = new SipRequest('OPTIONS', 'sip:a@192.0.2.1');
  for (const value of via) request.append('v', value);
  const { topVia } = request;
  assert.ok(topVia);
  markSource(request, topVia, { ...source, ...from });
  return request.getAll('via');
}

test('RFC 3261 §18.2.1: only the top Via changes, whether in a field of its own or in a list', () => {
  const below = 'SIP/2.0/UDP p2.example;branch=z9hG4bK2';
  const top = 'SIP/2.0/UDP p1.example;branch=z9hG4bK1';
  const changed = `${top};received=192.0.2.9;rport=40000`;
  assert.deepEqual(marked([top, below]), [changed, below]);
  assert.deepEqual(marked([`${top} , ${below}`]), [`${changed}, ${below}`]);
});

test('RFC 3581 §4: rport is filled in place, and asks for received even where sent-by is right', () => {
  assert.deepEqual(marked(['SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK1']), [
    'SIP/2.0/UDP 192.0.2.9;rport=40000;branch=z9hG4bK1;received=192.0.2.9',
  ]);
  assert.deepEqual(marked(['SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1']), [
    'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1;rport=40000',
  ]);
});

test('RFC 5118 §4.5: IPv6 sent-by is compared as an address; a zone stays at home', () => {
  const via = ['SIP/2.0/UDP [2001:DB8:0::9]:5060;branch=z9hG4bK1'];
  assert.deepEqual(marked(via, { address: '2001:db8::9' }), [
    'SIP/2.0/UDP [2001:DB8:0::9]:5060;branch=z9hG4bK1;rport=40000',
  ]);
  assert.match(marked(via, { address: 'fe80::1%eth0' })[0] ?? '', /;received=fe80::1;/);
  assert.equal(isSameHost('Phone.Example', 'phone.example'), true);
  assert.equal(isSameHost('192.0.2.1', '192.0.2.10'), false);
});
