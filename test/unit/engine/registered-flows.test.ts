import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegisteredFlows } from '../../../src/engine/core/registered-flows.js';
import type { Source } from '../../../src/engine/types.js';
import { SipRequest, SipResponse } from '../../../src/sip/message.js';

const PHONE: Source = {
  protocol: 'tls',
  address: '198.51.100.7',
  port: 40_000,
  localAddress: '192.0.2.10',
  localPort: 5061,
  flow: 1,
};

function register(flows: RegisteredFlows, contact: string, source: Partial<Source> = {}): void {
  const request = new SipRequest('REGISTER', 'sip:ims').append('Contact', `<${contact}>`);
  flows.learn(request, { ...PHONE, ...source }, new SipResponse(200, 'OK'));
}

test('RFC 5626 §5.3: a Contact behind a NAT is reached by its connection or not at all', () => {
  const flows = new RegisteredFlows();
  register(flows, 'sip:1001@192.168.1.5:5061;transport=tls');
  const hop = flows.find('sip:1001@192.168.1.5');
  assert.deepEqual(hop, { protocol: 'tls', address: PHONE.address, flow: 1, port: 40_000, flowOnly: true });
  register(flows, `sip:1002@${PHONE.address}:5071;transport=tls`, { flow: 2 });
  assert.deepEqual(flows.find(`sip:1002@${PHONE.address}`), {
    protocol: 'tls',
    address: PHONE.address,
    flow: 2,
    port: 5071,
  });
});

test('RFC 5626 §5.3: a next hop that an application names must be where the connection comes from', () => {
  const flows = new RegisteredFlows();
  const contact = 'sip:web@df7jal23ls0d.invalid;transport=ws';
  register(flows, contact, { protocol: 'wss' });
  for (const [route, flow] of [
    [`sip:${PHONE.address}:40000;transport=wss`, 1],
    [`sip:${PHONE.address}:40000;transport=ws`, 1],
    [`sip:${PHONE.address}:40001;transport=wss`, undefined],
    ['sip:198.51.100.8:40000;transport=wss', undefined],
    [`sip:${PHONE.address}:40000;transport=tcp`, undefined],
    [`sip:${PHONE.address}:40000`, undefined],
  ] as const)
    assert.equal(flows.find(contact, route)?.flow, flow, route);
});

test('RFC 5626 §4.5: in a call that lost its connection nobody takes the place of its phone by writing its Contact', () => {
  const flows = new RegisteredFlows();
  register(flows, 'sip:1001@192.168.1.5', { flow: 2 });
  assert.equal(flows.findAgain('sip:1001@192.168.1.5', PHONE.address)?.flow, 2);
  assert.equal(flows.findAgain('sip:1001@192.168.1.5', '203.0.113.9'), undefined, 'from elsewhere');
  register(flows, 'sip:x@a.invalid', { flow: 3 });
  assert.equal(flows.findAgain('sip:x@a.invalid', '203.0.113.9'), undefined, 'easily guessed');
  register(flows, 'sip:x@df7jal23ls0d.invalid', { flow: 4 });
  assert.equal(flows.findAgain('sip:x@df7jal23ls0d.invalid', '203.0.113.9')?.flow, 4);
});
