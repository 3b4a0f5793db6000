import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { AdmissionSettings } from '../../../src/engine/transport/source-admission.js';
import { createResponse } from '../../../src/sip/response.js';
import { RawTcp, RawUdp } from '../../support/raw-sockets.js';
import { type Stack, startStack } from '../../support/sip-stack.js';
import { requestText, statusOf } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';

const overTcp = (): string => requestText({ via: 'SIP/2.0/TCP 127.0.0.1:5060' });

describe('admission per source, on the wire', () => {
  let stack: Stack;
  const open: { close(): Promise<void> }[] = [];

  const start = async (admission: Partial<AdmissionSettings>): Promise<void> => {
    stack = await startStack({
      admission: { ratePerSec: 20, burst: 10, trusted: ['192.0.2.0/24'], ...admission },
    });
    open.push(stack);
  };
  const udp = async (address: string): Promise<RawUdp> => {
    const socket = await RawUdp.open(address);
    open.unshift(socket);
    return socket;
  };
  const tcp = async (): Promise<RawTcp> => {
    const connection = await RawTcp.connect(stack.port('tcp'));
    open.unshift(connection);
    return connection;
  };
  afterEach(async () => {
    for (const item of open.splice(0)) await item.close();
  });

  test('over UDP what is too much is dropped in silence, malformed or not, and others are served', async () => {
    await start({ ratePerSec: 1 });
    const { counters } = stack.transport;
    const [noisy, quiet] = [await udp('127.0.0.2'), await udp('127.0.0.3')];
    for (let i = 0; i < 50; i++) noisy.send(i % 2 ? requestText() : 'rubbish', stack.port('udp'));
    await waitFor('the flood', () => counters.admissionDropped >= 39);
    const { parseErrors, requestsReceived } = counters;
    assert.ok(parseErrors + requestsReceived <= 11, 'what was dropped was not parsed');
    while (stack.requests.size > 0) await stack.requests.next();
    quiet.send(requestText(), stack.port('udp'));
    const tx = await stack.requests.next();
    assert.equal(tx.source.address, '127.0.0.3');
    tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
    assert.equal(statusOf(await quiet.inbox.next()), 200);
    assert.equal(noisy.inbox.size, 0);
  });

  test('rate 0 takes everything', async () => {
    await start({ ratePerSec: 0 });
    const phone = await udp('127.0.0.2');
    for (let i = 0; i < 100; i++) phone.send(requestText(), stack.port('udp'));
    await waitFor('all of it', () => stack.requests.size === 100);
    assert.equal(stack.transport.counters.admissionDropped, 0);
  });

  test('a TCP connection that sends too much is left unread for a while, and nothing of it is lost', async () => {
    await start({ ratePerSec: 100 });
    const phone = await tcp();
    const startedMs = performance.now();
    for (let i = 0; i < 60; i++) {
      phone.send(overTcp());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await waitFor('all of it', () => stack.requests.size === 60);
    assert.ok(stack.transport.counters.admissionPauses > 0);
    assert.ok(stack.transport.counters.admissionDropped === 0);
    // The last chunk may have been read whole before its debt was known.
    phone.send(overTcp());
    await waitFor('the last', () => stack.requests.size === 61);
    assert.ok(performance.now() - startedMs >= 400, `${performance.now() - startedMs} ms`);
    assert.equal(stack.transport.connectionCount, 1);
  });

  test('a source that makes connections without end has them closed', async () => {
    await start({ ratePerSec: 1 });
    for (let i = 0; i < 20; i++) await tcp();
    await waitFor('some to be closed', () => stack.transport.counters.admissionDropped >= 8);
    await waitFor('few to be left', () => stack.transport.connectionCount <= 12);
  });
});
