import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Certificates, type KeyPair } from '../../support/certificates.js';
import { missing } from '../../support/peers.js';
import { RawTcp } from '../../support/raw-sockets.js';
import { type Stack, type StackOptions, startStack } from '../../support/sip-stack.js';
import { requestText } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';

const overTls = requestText({ via: 'SIP/2.0/TLS 127.0.0.1:5061' });

describe('bounds on TLS peers', { skip: missing('openssl') }, () => {
  let files: Certificates;
  let ours: KeyPair;

  before(() => {
    files = new Certificates();
    ours = files.selfSigned('DNS:localhost');
  });

  after(() => files.close());

  async function withStack(options: StackOptions, use: (stack: Stack) => Promise<void>): Promise<void> {
    const listeners = [{ protocol: 'tls', address: '127.0.0.1', port: 0 }] as const;
    const stack = await startStack({ listeners, tls: ours, ...options });
    try {
      await use(stack);
    } finally {
      await stack.close();
    }
  }

  test('a handshake that is not done in time is cut, one that is done lives on', async () => {
    await withStack({ transportLimits: { handshakeTimeoutMs: 150, sweepIntervalMs: 20 } }, async (stack) => {
      const phone = await RawTcp.connectTls(stack.port('tls'));
      phone.send(overTls);
      await stack.requests.next();
      const silent = await RawTcp.connect(stack.port('tls'));
      const slow = await RawTcp.connect(stack.port('tls'));
      slow.send('\x16\x03\x01');
      await waitFor('both to be counted', () => stack.transport.connectionCount === 3);
      await Promise.all([silent.closed, slow.closed]);
      assert.equal(stack.transport.counters.handshakeTimeouts, 2);
      await waitFor('the good one alone', () => stack.transport.connectionCount === 1);
      phone.send(requestText({ via: 'SIP/2.0/TLS 127.0.0.1:5061' }));
      await stack.requests.next();
      await phone.close();
    });
  });

  test('a message that does not become whole costs the connection', async () => {
    const transportLimits = { partialMessageTimeoutMs: 100, sweepIntervalMs: 20 };
    await withStack({ transportLimits }, async (stack) => {
      const phone = await RawTcp.connectTls(stack.port('tls'));
      const timer = setInterval(() => phone.send('X'), 10);
      phone.send('OPTIONS sip:ims SIP/2.0\r\nX: ');
      await phone.closed;
      clearInterval(timer);
      assert.equal(stack.transport.counters.slowSendersClosed, 1);
    });
  });

  test('one source holds so many connections, handshakes included, and may open new ones when it closed some', async () => {
    const admission = { ratePerSec: 1000, burst: 1000, trusted: [] };
    const transportLimits = { maxConnectionsPerSource: 2 };
    await withStack({ admission, transportLimits }, async (stack) => {
      const first = await RawTcp.connectTls(stack.port('tls'));
      const half = await RawTcp.connect(stack.port('tls'));
      await waitFor('two connections', () => stack.transport.connectionCount === 2);
      const refused = await RawTcp.connect(stack.port('tls'));
      await refused.closed;
      assert.equal(stack.transport.counters.connectionsRefusedBySource, 1);
      await half.close();
      await waitFor('one connection', () => stack.transport.connectionCount === 1);
      const second = await RawTcp.connectTls(stack.port('tls'));
      second.send(overTls);
      await stack.requests.next();
      await first.close();
      await waitFor('one connection', () => stack.transport.connectionCount === 1);
      const third = await RawTcp.connectTls(stack.port('tls'));
      third.send(requestText({ via: 'SIP/2.0/TLS 127.0.0.1:5061' }));
      await stack.requests.next();
      assert.equal(stack.transport.counters.connectionsRefusedBySource, 1);
      await second.close();
      await third.close();
    });
  });

  test('trusted sources hold as many connections as they like', async () => {
    const admission = { ratePerSec: 1000, burst: 1000, trusted: ['127.0.0.0/8'] };
    await withStack({ admission, transportLimits: { maxConnectionsPerSource: 1 } }, async (stack) => {
      const phones = [await RawTcp.connectTls(stack.port('tls')), await RawTcp.connectTls(stack.port('tls'))];
      await waitFor('two connections', () => stack.transport.connectionCount === 2);
      await Promise.all(phones.map((phone) => phone.close()));
    });
  });
});
