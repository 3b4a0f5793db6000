import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { TransportLimits } from '../../../src/engine/transport/limits.js';
import { createResponse } from '../../../src/sip/response.js';
import { RawTcp, RawTcpServer } from '../../support/raw-sockets.js';
import { RecordingClientUser, requestFrom, type Stack, startStack } from '../../support/sip-stack.js';
import { type RequestText, requestText, statusOf } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';

const overTcp = (options: RequestText = {}): string =>
  requestText({ via: 'SIP/2.0/TCP 127.0.0.1:5060', ...options });

async function withStack(
  transportLimits: Partial<TransportLimits>,
  use: (stack: Stack, phone: RawTcp) => Promise<void>,
): Promise<void> {
  const stack = await startStack({ transportLimits });
  const phone = await RawTcp.connect(stack.port('tcp'));
  try {
    await use(stack, phone);
  } finally {
    await phone.close();
    await stack.close();
  }
}

/** A good request on a connection of its own gets through. */
async function stillWorks(stack: Stack): Promise<void> {
  const phone = await RawTcp.connect(stack.port('tcp'));
  phone.send(overTcp({ method: 'INFO' }));
  const tx = await stack.requests.next();
  tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
  assert.equal(statusOf(await phone.inbox.next()), 200);
  await phone.close();
}

test('RFC 3261 §18.3: when the end of a message cannot be told it gets 400 and the connection is closed', async () => {
  for (const length of ['-1', '99999999999', 'many'])
    await withStack({}, async (stack, phone) => {
      phone.send(overTcp().replace('Content-Length: 0', `Content-Length: ${length}`));
      assert.ok([400, 413].includes(statusOf(await phone.inbox.next()) ?? 0));
      await phone.closed;
      await stillWorks(stack);
    });
});

test('RFC 3261 §21.4.1: a malformed message with a known end gets 400, and the connection goes on', async () => {
  await withStack({}, async (stack, phone) => {
    phone.send(overTcp({ method: 'BYE', cseqMethod: 'INVITE' }) + overTcp({ method: 'INFO' }));
    assert.equal(statusOf(await phone.inbox.next()), 400);
    assert.equal((await stack.requests.next()).request.method, 'INFO');
  });
});

test('a peer that goes on sending malformed messages is cut off', async () => {
  await withStack({}, async (stack, phone) => {
    for (let i = 0; i < 50; i++) phone.send(overTcp({ method: 'BYE', cseqMethod: 'INVITE' }));
    await phone.closed;
    assert.ok(stack.transport.counters.parseErrors < 50);
    await stillWorks(stack);
  });
});

test('what is no SIP closes the connection without a word', async () => {
  for (const bytes of [
    '\x16\x03\x01\x02\x00',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    randomBytes(500).toString('latin1'),
  ])
    await withStack({ firstMessageTimeoutMs: 200, sweepIntervalMs: 20 }, async (stack, phone) => {
      phone.send(bytes);
      await phone.closed;
      assert.equal(phone.inbox.size, 0);
      await stillWorks(stack);
    });
});

test('RFC 3261 §18.2.1: over TCP a Via that names another transport is dropped', async () => {
  await withStack({}, async (stack, phone) => {
    phone.send(requestText() + overTcp({ method: 'INFO' }));
    assert.equal((await stack.requests.next()).request.method, 'INFO');
    assert.equal(stack.transport.counters.viaDropped, 1);
  });
});

test('a message that does not become whole in time closes the connection, however steadily it trickles', async () => {
  await withStack({ partialMessageTimeoutMs: 100, sweepIntervalMs: 20 }, async (stack, phone) => {
    phone.send(overTcp({ method: 'INFO' }));
    await stack.requests.next();
    const drip = setInterval(() => phone.send('x'), 10);
    phone.send('OPTIONS sip:');
    await phone.closed;
    clearInterval(drip);
    assert.equal(stack.transport.counters.slowSendersClosed, 1);
  });
});

test('a connection that brings no message is closed, pings or not', async () => {
  await withStack({ firstMessageTimeoutMs: 100, sweepIntervalMs: 20 }, async (stack, phone) => {
    phone.send('\r\n\r\n');
    await phone.closed;
    assert.equal(stack.transport.counters.slowSendersClosed, 1);
  });
});

test('an idle connection is closed; one that pings is not', async () => {
  await withStack({ idleTimeoutMs: 300, sweepIntervalMs: 20 }, async (stack, idle) => {
    const alive = await RawTcp.connect(stack.port('tcp'));
    for (const phone of [idle, alive]) phone.send(overTcp());
    await stack.requests.next();
    await stack.requests.next();
    const ping = setInterval(() => alive.send('\r\n\r\n'), 50);
    await idle.closed;
    clearInterval(ping);
    assert.equal(stack.transport.counters.idleClosed, 1);
    assert.equal(stack.transport.connectionCount, 1);
    await alive.close();
  });
});

test('over the limit connections are refused, and taken again when there is room', async () => {
  await withStack({ maxConnections: 2 }, async (stack, first) => {
    const second = await RawTcp.connect(stack.port('tcp'));
    await waitFor('2 connections', () => stack.transport.connectionCount === 2);
    const third = await RawTcp.connect(stack.port('tcp'));
    await third.closed;
    assert.equal(stack.transport.counters.connectionsRefused, 1);
    const user = new RecordingClientUser();
    const hop = { protocol: 'tcp', address: '127.0.0.1', port: 9 } as const;
    stack.transactions.createClient(requestFrom(requestText()), hop, user);
    assert.equal(await user.failures.next(), 'transport');
    await first.close();
    await second.close();
    await waitFor('0 connections', () => stack.transport.connectionCount === 0);
    await stillWorks(stack);
  });
});

test('a peer that does not read what it is sent loses the connection', async () => {
  await withStack({ maxPendingBytes: 100_000 }, async (stack, phone) => {
    phone.socket.pause();
    phone.send(overTcp());
    const { source } = await stack.requests.next();
    const outlet = stack.transport.outlet({ ...source });
    const bytes = Buffer.alloc(50_000);
    await waitFor('the slow reader to be cut', () => {
      if (stack.transport.connectionCount === 1) outlet.send(bytes);
      return stack.transport.counters.slowReadersClosed > 0 && stack.transport.connectionCount === 0;
    });
    await stillWorks(stack);
  });
});

test('RFC 5626 §3.5.1: a flood of pings gets few answers', async () => {
  await withStack({}, async (stack, phone) => {
    let answered = 0;
    phone.socket.on('data', (chunk: Buffer) => {
      answered += chunk.length / 2;
    });
    phone.send('\r\n\r\n'.repeat(50_000));
    await waitFor('all pings to be read', () => stack.transport.counters.keepAlives === 50_000);
    await stillWorks(stack);
    assert.ok(answered >= 1 && answered < 500, `${answered} answers`);
  });
});

test('closing the layer closes its connections', async () => {
  const stack = await startStack();
  const server = await RawTcpServer.listen();
  const phone = await RawTcp.connect(stack.port('tcp'));
  const hop = { protocol: 'tcp', address: '127.0.0.1', port: server.port } as const;
  stack.transactions.createClient(requestFrom(requestText()), hop, new RecordingClientUser());
  const connection = await server.connections.next();
  await stack.close();
  await Promise.all([phone.closed, connection.closed]);
  await server.close();
});
