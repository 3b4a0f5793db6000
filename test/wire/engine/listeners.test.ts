import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportLayer } from '../../../src/engine/transport/transport-layer.js';
import type { ListenerSpec } from '../../../src/engine/transport/types.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { createResponse } from '../../../src/sip/response.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { RecordingClientUser, requestFrom, type Stack, startStack } from '../../support/sip-stack.js';
import { headerOf, requestText, responseText } from '../../support/sip-text.js';

async function withStack(
  options: Parameters<typeof startStack>[0],
  use: (stack: Stack) => Promise<void>,
): Promise<void> {
  const stack = await startStack(options);
  try {
    await use(stack);
  } finally {
    await stack.close();
  }
}

const udp = (address: string, port = 0): ListenerSpec => ({ protocol: 'udp', address, port });

test('RFC 5118 §4.5: over IPv6 Via has brackets, received has none', async () => {
  await withStack({ listeners: [udp('::1')] }, async (stack) => {
    const phone = await RawUdp.open('::1');
    phone.send(requestText({ via: 'SIP/2.0/UDP [2001:db8::9]:5060' }), stack.port('udp'), '::1');
    const tx = await stack.requests.next();
    tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
    const via = headerOf(await phone.inbox.next(), 'Via') ?? '';
    assert.match(via, new RegExp(`^SIP/2\\.0/UDP \\[2001:db8::9\\]:5060;.*received=::1;rport=${phone.port}`));
    const hop = { protocol: 'udp', address: '::1', port: phone.port } as const;
    const user = new RecordingClientUser();
    stack.transactions.createClient(requestFrom(requestText()), hop, user);
    const request = await phone.inbox.next();
    assert.match(
      headerOf(request, 'Via') ?? '',
      new RegExp(`^SIP/2\\.0/UDP \\[::1\\]:${stack.port('udp')};`),
    );
    phone.send(responseText(request, 200), stack.port('udp'), '::1');
    assert.equal((await user.responses.next()).statusCode, 200);
    await phone.close();
  });
});

test('RFC 3261 §18.1.1: a listener on all addresses writes the one that faces the peer into Via', async () => {
  await withStack({ listeners: [udp('0.0.0.0'), udp('::')] }, async (stack) => {
    const phone = await RawUdp.open();
    const hop = { protocol: 'udp', address: '127.0.0.1', port: phone.port } as const;
    const user = new RecordingClientUser();
    stack.transactions.createClient(requestFrom(requestText()), hop, user);
    const request = await phone.inbox.next();
    assert.match(headerOf(request, 'Via') ?? '', new RegExp(` 127\\.0\\.0\\.1:${stack.port('udp')};`));
    phone.send(responseText(request, 200), stack.port('udp'));
    assert.equal((await user.responses.next()).statusCode, 200);
    await phone.close();
  });
});

test('an advertised address stands in Via, and its responses are taken', async () => {
  const advertise = (): { host: string; port: number } => ({ host: 'sip.example', port: 5060 });
  await withStack({ listeners: [udp('127.0.0.1')], advertise }, async (stack) => {
    const phone = await RawUdp.open();
    const hop = { protocol: 'udp', address: '127.0.0.1', port: phone.port } as const;
    const user = new RecordingClientUser();
    stack.transactions.createClient(requestFrom(requestText()), hop, user);
    const request = await phone.inbox.next();
    assert.match(headerOf(request, 'Via') ?? '', /^SIP\/2\.0\/UDP sip\.example:5060;/);
    phone.send(responseText(request, 200), stack.port('udp'));
    assert.equal((await user.responses.next()).statusCode, 200);
    await phone.close();
  });
});

test('of several listeners the one on the address that faces the hop is used; without one the hop is refused', async () => {
  await withStack({ listeners: [udp('127.0.0.2'), udp('127.0.0.1')] }, async (stack) => {
    const outlet = stack.transport.outlet({ protocol: 'udp', address: '127.0.0.1', port: 9 });
    assert.equal(outlet.listener.address, '127.0.0.1');
    for (const hop of [
      { protocol: 'tcp', address: '127.0.0.1', port: 9 },
      { protocol: 'udp', address: '::1', port: 9 },
      { protocol: 'udp', address: 'name.example', port: 9 },
    ] as const)
      assert.throws(() => stack.transport.outlet(hop), { code: 'NO_LISTENER', sipStatus: 503 });
  });
});

test('more UDP peers than are kept are served all the same, from the same port', async () => {
  await withStack({ listeners: [udp('127.0.0.1')], transportLimits: { maxUdpPeers: 2 } }, async (stack) => {
    const phones = await Promise.all(Array.from({ length: 5 }, () => RawUdp.open()));
    for (const phone of phones) {
      const hop = { protocol: 'udp', address: '127.0.0.1', port: phone.port } as const;
      const user = new RecordingClientUser();
      stack.transactions.createClient(requestFrom(requestText()), hop, user);
      phone.send(responseText(await phone.inbox.next(), 200), stack.port('udp'));
      assert.equal((await user.responses.next()).statusCode, 200);
    }
    await Promise.all(phones.map((phone) => phone.close()));
  });
});

test('a port that is taken is refused, over UDP too, and what was opened before is closed', async () => {
  await withStack({}, async (stack) => {
    for (const protocol of ['udp', 'tcp'] as const) {
      const taken = { protocol, address: '127.0.0.1', port: stack.port(protocol) };
      const second = new TransportLayer({
        listeners: [udp('127.0.0.1'), taken],
        clock: systemClock,
        log: silentLogger,
      });
      await assert.rejects(second.start(), { code: 'LISTEN_FAILED' });
    }
  });
});

test('close is idempotent, frees the port and stops sending', async () => {
  const stack = await startStack({ listeners: [udp('127.0.0.1')] });
  const port = stack.port('udp');
  await stack.close();
  await stack.close();
  assert.throws(() => stack.transport.outlet({ protocol: 'udp', address: '127.0.0.1', port: 9 }), {
    code: 'CLOSED',
  });
  const next = await RawUdp.open('127.0.0.1', port);
  await next.close();
});
