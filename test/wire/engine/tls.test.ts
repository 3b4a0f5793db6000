import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { TlsSettings } from '../../../src/engine/transport/tls/tls-settings.js';
import type { Hop } from '../../../src/engine/types.js';
import { createResponse } from '../../../src/sip/response.js';
import { Certificates, type KeyPair } from '../../support/certificates.js';
import { missing } from '../../support/peers.js';
import { RawTcp, RawTcpServer } from '../../support/raw-sockets.js';
import {
  FAST_TIMERS,
  RecordingClientUser,
  requestFrom,
  type Stack,
  type StackOptions,
  startStack,
} from '../../support/sip-stack.js';
import { headerOf, requestText, responseText, statusOf } from '../../support/sip-text.js';

const VIA = 'SIP/2.0/TLS 127.0.0.1:5061';
const overTls = (method = 'OPTIONS'): string => requestText({ method, via: VIA });

describe('SIP over TLS', { skip: missing('openssl') }, () => {
  let files: Certificates;
  let authority: KeyPair;
  let ours: KeyPair;

  before(() => {
    files = new Certificates();
    authority = files.selfSigned();
    ours = files.issue(authority, 'DNS:localhost', 'IP:127.0.0.1', 'IP:::1');
  });

  after(() => files.close());

  async function withStack(
    tls: Partial<TlsSettings>,
    use: (stack: Stack) => Promise<void>,
    options: StackOptions = {},
  ): Promise<void> {
    const address = options.listeners?.[0]?.address ?? '127.0.0.1';
    const stack = await startStack({
      timers: FAST_TIMERS,
      ...options,
      listeners: [{ protocol: 'tls', address, port: 0 }],
      tls: { ...ours, ...tls },
    });
    try {
      await use(stack);
    } finally {
      await stack.close();
    }
  }

  function send(stack: Stack, hop: Hop): RecordingClientUser {
    const user = new RecordingClientUser();
    stack.transactions.createClient(requestFrom(requestText({ method: 'INVITE' })), hop, user);
    return user;
  }

  /** What a request of ours to a server with that certificate comes to. */
  async function callServer(certificate: KeyPair, tls: Partial<TlsSettings>, name?: string): Promise<string> {
    const key = readFileSync(certificate.keyFile);
    const server = await RawTcpServer.listenTls({ key, cert: certificate.certificate });
    let outcome = '';
    await withStack(tls, async (stack) => {
      const { port } = server;
      const user = send(stack, {
        protocol: 'tls',
        address: '127.0.0.1',
        port,
        ...(name !== undefined && { name }),
      });
      const answered = server.connections.next().then(async (connection) => {
        const request = await connection.inbox.next();
        connection.send(responseText(request, 486));
        return `${(await user.responses.next()).statusCode} ${headerOf(request, 'Via')}`;
      });
      outcome = await Promise.race([answered, user.failures.next()]);
      answered.catch(() => {});
      if (outcome === 'transport') assert.equal(stack.transport.counters.connectFailures, 1);
    });
    await server.close();
    return outcome;
  }

  for (const address of ['127.0.0.1', '::1'])
    test(`RFC 3261 §18.2.2: a request over TLS is answered on its connection, ${address}`, async () => {
      await withStack(
        {},
        async (stack) => {
          const phone = await RawTcp.connectTls(stack.port('tls'), {
            host: address,
            ca: authority.certificate,
            rejectUnauthorized: true,
          });
          phone.send(overTls());
          const tx = await stack.requests.next();
          assert.equal(tx.source.protocol, 'tls');
          assert.equal(tx.source.address, address);
          tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
          assert.equal(statusOf(await phone.inbox.next()), 200);
          phone.send('\r\n\r\n');
          assert.equal(await phone.inbox.next(), '\r\n');
          send(stack, { protocol: 'tls', address, port: phone.localPort });
          const request = await phone.inbox.next();
          const host = address === '::1' ? '[::1]' : address;
          assert.match(headerOf(request, 'Via') ?? '', /^SIP\/2\.0\/TLS /);
          assert.ok(headerOf(request, 'Via')?.includes(` ${host}:${stack.port('tls')};`));
          await phone.close();
        },
        { listeners: [{ protocol: 'tls', address, port: 0 }] },
      );
    });

  test('RFC 3261 §26.2.1: openssl trusts the certificate with its chain and gets an answer', async () => {
    await withStack({}, async (stack) => {
      const at = ['-connect', `127.0.0.1:${stack.port('tls')}`, '-servername', 'localhost'];
      const checks = [
        '-CAfile',
        authority.certificateFile,
        '-verify_return_error',
        '-verify_hostname',
        'localhost',
      ];
      const client = spawn('openssl', ['s_client', '-quiet', ...at, ...checks], { stdio: 'pipe' });
      client.stdin.write(overTls());
      const tx = await stack.requests.next();
      tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
      const [bytes] = (await once(client.stdout, 'data')) as [Buffer];
      assert.equal(statusOf(bytes.toString()), 200);
      client.kill();
      await once(client, 'exit');
    });
  });

  test('RFC 3261 §18.2.1: a message over TLS whose Via says TCP is dropped', async () => {
    await withStack({}, async (stack) => {
      const phone = await RawTcp.connectTls(stack.port('tls'));
      phone.send(requestText({ via: 'SIP/2.0/TCP 127.0.0.1:5060' }) + overTls('INFO'));
      assert.equal((await stack.requests.next()).request.method, 'INFO');
      assert.equal(stack.transport.counters.viaDropped, 1);
      await phone.close();
    });
  });

  test('TLS below 1.2, plain SIP and rubbish end in the handshake and harm nobody', async () => {
    await withStack({}, async (stack) => {
      const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      await assert.rejects(RawTcp.connectTls(stack.port('tls'), old));
      for (const text of [overTls(), '\0'.repeat(100), '\x16\x03\x01\xff\xff']) {
        const stranger = await RawTcp.connect(stack.port('tls'));
        stranger.send(text);
        stranger.socket.end();
        await stranger.closed;
      }
      assert.ok(stack.transport.counters.tlsHandshakeFailures >= 3);
      const phone = await RawTcp.connectTls(stack.port('tls'));
      phone.send(overTls());
      await stack.requests.next();
      await phone.close();
    });
  });

  test('with verifyClient require a client without a good certificate is refused, one with it is served', async () => {
    const client = files.issue(authority, 'DNS:phone.example');
    const stranger = files.selfSigned('DNS:phone.example');
    const tls = { verifyClient: 'require', caFile: authority.certificateFile } as const;
    await withStack(tls, async (stack) => {
      for (const shown of [{}, { key: readFileSync(stranger.keyFile), cert: stranger.certificate }]) {
        // TLS 1.3 tells the client only after its side of the handshake is done.
        const phone = await RawTcp.connectTls(stack.port('tls'), shown);
        await phone.closed;
      }
      const phone = await RawTcp.connectTls(stack.port('tls'), {
        key: readFileSync(client.keyFile),
        cert: client.certificate,
      });
      phone.send(overTls());
      await stack.requests.next();
      await phone.close();
      assert.equal(stack.transport.counters.tlsHandshakeFailures, 2);
    });
  });

  test('RFC 5922 §7.3: a server is called over TLS when its certificate is good for its name, and not otherwise', async () => {
    const server = files.issue(authority, 'DNS:sip.example', 'IP:127.0.0.1');
    const trusting = { caFile: authority.certificateFile };
    assert.match(await callServer(server, trusting, 'sip.example'), /^486 SIP\/2\.0\/TLS 127\.0\.0\.1:/);
    assert.match(await callServer(server, trusting), /^486 /);
    assert.equal(await callServer(server, trusting, 'other.example'), 'transport');
    assert.equal(await callServer(server, {}, 'sip.example'), 'transport');
    assert.match(await callServer(server, { verifyServer: false }, 'other.example'), /^486 /);
  });

  test('RFC 5922 §7.1, RFC 5922 §7.2: SIP URIs in a certificate are its only names, in any case of letters', async () => {
    const server = files.issue(authority, 'URI:sip:example.com', 'DNS:sip.example');
    const trusting = { caFile: authority.certificateFile };
    assert.match(await callServer(server, trusting, 'EXAMPLE.com'), /^486 /);
    assert.equal(await callServer(server, trusting, 'sip.example'), 'transport');
  });

  test('RFC 5922 §7.3: a connection that proved one name does not carry requests for another', async () => {
    const server = files.issue(authority, 'DNS:one.example', 'DNS:two.example');
    const key = readFileSync(server.keyFile);
    const peer = await RawTcpServer.listenTls({ key, cert: server.certificate });
    await withStack({ caFile: authority.certificateFile }, async (stack) => {
      const hop = { protocol: 'tls', address: '127.0.0.1', port: peer.port } as const;
      send(stack, { ...hop, name: 'one.example' });
      send(stack, { ...hop, name: 'one.example' });
      const first = await peer.connections.next();
      await first.inbox.next();
      await first.inbox.next();
      send(stack, { ...hop, name: 'two.example' });
      await (await peer.connections.next()).inbox.next();
      assert.equal(peer.accepted, 2);
    });
    await peer.close();
  });

  test('RFC 5923 §7.2, RFC 5923 §8.2: alias brings requests to the connection of a peer that proves its sent-by', async () => {
    const client = files.issue(authority, 'DNS:client.example');
    const tls = { verifyClient: 'optional', caFile: authority.certificateFile } as const;
    await withStack(tls, async (stack) => {
      // Nobody listens on port 9.
      const hop = { protocol: 'tls', address: '127.0.0.1', port: 9, name: 'client.example' } as const;
      const shown = { key: readFileSync(client.keyFile), cert: client.certificate };
      for (const [sentBy, options] of [
        ['client.example:9', {}],
        ['other.example:9', shown],
      ] as const) {
        const liar = await RawTcp.connectTls(stack.port('tls'), options);
        liar.send(requestText({ via: `SIP/2.0/TLS ${sentBy};alias` }));
        await stack.requests.next();
        const name = sentBy.slice(0, -2);
        assert.equal(await send(stack, { ...hop, name }).failures.next(), 'transport');
        // A 100 may be there, when this took long (RFC 4320 §4.1).
        while (liar.inbox.size > 0) assert.doesNotMatch(await liar.inbox.next(), /^INVITE /);
        await liar.close();
      }
      const peer = await RawTcp.connectTls(stack.port('tls'), shown);
      peer.send(requestText({ via: 'SIP/2.0/TLS client.example:9;alias' }));
      await stack.requests.next();
      send(stack, hop);
      let text = await peer.inbox.next();
      if (text.startsWith('SIP/2.0 100 ')) text = await peer.inbox.next();
      assert.match(text, /^INVITE /);
      await peer.close();
    });
  });

  test('RFC 5923 §7.1: a server called by name may send its requests by our connection, a peer without one is not asked', async () => {
    const server = files.issue(authority, 'DNS:sip.example', 'IP:127.0.0.1');
    const peer = await RawTcpServer.listenTls({
      key: readFileSync(server.keyFile),
      cert: server.certificate,
    });
    await withStack({ caFile: authority.certificateFile }, async (stack) => {
      const hop = { protocol: 'tls', address: '127.0.0.1', port: peer.port } as const;
      send(stack, { ...hop, name: 'sip.example' });
      const connection = await peer.connections.next();
      assert.match(headerOf(await connection.inbox.next(), 'Via') ?? '', /;alias$/);
      connection.send(overTls());
      const { source } = await stack.requests.next();
      send(stack, source);
      assert.doesNotMatch(headerOf(await connection.inbox.next(), 'Via') ?? '', /alias/);
      send(stack, hop);
      const second = await peer.connections.next();
      assert.doesNotMatch(headerOf(await second.inbox.next(), 'Via') ?? '', /alias/);
    });
    await peer.close();
  });

  test('a certificate that is missing or does not fit its key is said at the start, with the way to make one', async () => {
    const listeners = [{ protocol: 'tls', address: '127.0.0.1', port: 0 }] as const;
    const other = files.selfSigned();
    const refusal = (tls: TlsSettings | undefined): Promise<unknown> =>
      startStack({ listeners, ...(tls ? { tls } : {}) });
    await assert.rejects(refusal(undefined), { code: 'LISTEN_FAILED', message: /openssl req -x509/ });
    await assert.rejects(refusal({ ...ours, certificateFile: '/nonexistent' }), {
      code: 'LISTEN_FAILED',
      message: /no certificate: .*\/nonexistent.*openssl req -x509/,
    });
    await assert.rejects(refusal({ ...ours, keyFile: other.keyFile }), {
      code: 'LISTEN_FAILED',
      message: /does not belong to the certificate/,
    });
  });
});
