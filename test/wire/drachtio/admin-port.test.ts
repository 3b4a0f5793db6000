import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { EngineOptions } from '../../../src/engine/engine.js';
import { connectApp, disconnectApps } from '../../support/b2bua-app.js';
import { Certificates } from '../../support/certificates.js';
import { FrameClient } from '../../support/frame-client.js';
import { statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const SECRET = 'cymru';
const NO_PROXY = 'Invalid proxy request: not enough information provided';

describe('the port that applications connect to', () => {
  let engine: WireEngine | undefined;
  let certificates: Certificates | undefined;
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
    certificates?.close();
    certificates = undefined;
  });

  const start = async (admin: Partial<EngineOptions['admin']> = {}): Promise<WireEngine> => {
    engine = await startWireEngine({ admin: { port: 0, secret: SECRET, ...admin } });
    return engine;
  };

  test('NO: each frame that makes no sense is answered and the connection closed', async () => {
    const { target } = await start();
    const text = appRequest('INVITE', 'sip:127.0.0.1');
    for (const [command, reason, payload] of [
      ['sip||', 'transaction id missing', 'SIP/2.0 200 OK\r\n\r\n'],
      // Other engines close the connection without a word.
      ...(oursOnly ? [] : ([['proxy|x||fullResponse||serial', NO_PROXY, text]] as const)),
      ['dance', 'Unknown message type', undefined],
    ] as const) {
      const client = await FrameClient.start(target);
      assert.deepEqual((await client.ask(command, payload)).fields.slice(3), ['NO', reason]);
      await client.closed;
    }
  });

  test('NOK: what is wrong with a message leaves the connection up', async () => {
    const { target } = await start();
    const client = await FrameClient.start(target);
    const refused = async (command: string, payload: string): Promise<string | undefined> => {
      const { fields } = await client.ask(command, payload);
      assert.equal(fields[3], 'NOK', fields.join('|'));
      return fields[4];
    };
    const response = 'SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n';
    assert.equal(await refused('sip|nobody|', response), 'Response not sent due to unknown transaction');
    const cancel = appRequest('CANCEL', 'sip:127.0.0.1');
    assert.match((await refused('sip|nobody|', cancel))!, /unknown transaction id: nobody/);
    const bye = appRequest('BYE', 'sip:placeholder');
    assert.match((await refused('sip||nobody;from-tag=x', bye))!, /unable to find dialog/);
    const proxy = 'proxy|nobody||fullResponse||serial|||sip:127.0.0.1:9';
    assert.match((await refused(proxy, appRequest('INVITE', 'sip:x')))!, /Unknown transaction id: nobody/);
    if (!oursOnly)
      assert.match((await refused('sip||', 'nonsense\r\n\r\n'))!, /^invalid request-uri: nonsense/);
    assert.deepEqual((await client.ask('ping')).fields.slice(3), ['OK', 'pong']);
  });

  test('53: a tel: URI goes where a route says, and nowhere without one', { skip: oursOnly }, async () => {
    const { target, udpPort } = await start();
    const client = await FrameClient.start(target);
    const peer = await TextPeer.open(udpPort);
    const invite = appRequest('INVITE', 'tel:+15551234');
    assert.equal((await client.ask('sip||', invite)).fields[3], 'NOK');
    assert.equal((await client.ask(`sip|||${peer.uri}`, invite)).fields[3], 'OK');
    assert.match(await peer.next(), /^INVITE tel:\+15551234 SIP\/2\.0\r\n/);
  });

  test('TLS: drachtio-srf connects, gets requests, and gives answers', {
    skip: oursOnly,
  }, async () => {
    certificates = new Certificates();
    const { certificate, ...files } = certificates.selfSigned('DNS:localhost');
    const { adminTlsPort, udpPort } = await start({ tls: { port: 0, ...files } });
    const srf = await connectApp({
      port: adminTlsPort!,
      secret: SECRET,
      tls: { ca: certificate, servername: 'localhost' },
    });
    srf.options((_req: unknown, res: { send(status: number): void }) => res.send(200));
    const peer = await TextPeer.open(udpPort);
    peer.request({ method: 'OPTIONS' });
    assert.equal(statusOf(await peer.next()), 200);
    assert.equal(engine!.stats().applications, 1);
  });

  test('TLS: a wrong secret and bytes that are no handshake end the connection; the port goes on', {
    skip: oursOnly,
  }, async () => {
    certificates = new Certificates();
    const { certificate, ...files } = certificates.selfSigned('DNS:localhost');
    const { adminTlsPort } = await start({ tls: { port: 0, ...files } });
    const plain = await FrameClient.open(adminTlsPort!);
    plain.raw('11#id|ping|more');
    await plain.closed;
    const socket = connectTls({
      port: adminTlsPort!,
      host: '127.0.0.1',
      ca: certificate,
      servername: 'localhost',
    });
    await once(socket, 'secureConnect');
    const client = FrameClient.over(socket);
    assert.deepEqual((await client.ask('authenticate|no|')).fields.slice(3), ['NO', 'incorrect secret']);
    await client.closed;
    await waitFor('its end to be seen', () => engine!.stats().applications === 0);
  });

  test('TLS: a certificate that is changed is used for new connections; those that are up live on', {
    skip: oursOnly,
  }, async () => {
    certificates = new Certificates();
    const { certificate: before, ...files } = certificates.selfSigned('DNS:localhost');
    const { adminTlsPort } = await start({ tls: { port: 0, ...files } });
    const connected = async (ca: string): Promise<FrameClient> => {
      const socket = connectTls({ port: adminTlsPort!, host: '127.0.0.1', ca, servername: 'localhost' });
      await once(socket, 'secureConnect');
      const client = FrameClient.over(socket);
      await client.ask(`authenticate|${SECRET}|`);
      return client;
    };
    const old = await connected(before);
    const { certificate: later, ...fresh } = certificates.selfSigned('DNS:localhost');
    copyFileSync(fresh.keyFile, files.keyFile);
    copyFileSync(fresh.certificateFile, files.certificateFile);
    assert.equal(engine!.reload(), true);
    await connected(later);
    assert.deepEqual((await old.ask('ping')).fields.slice(3), ['OK', 'pong']);
    await assert.rejects(connected(before));
  });

  test('TLS: a certificate that is away, or is none, is an error at the start', {
    skip: oursOnly,
  }, async () => {
    const files = { certificateFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
    await assert.rejects(start({ tls: { port: 0, ...files } }), /\/nowhere\/cert\.pem/);
  });

  test('an application that reads too slowly is disconnected, and no other', { skip: oursOnly }, async () => {
    const { target, udpPort } = await start({ maxBacklogBytes: 64 * 1024 });
    const slow = await FrameClient.start(target, ['message']);
    const good = await FrameClient.start(target, ['options']);
    slow.socket.pause();
    const peer = await TextPeer.open(udpPort);
    const body = 'x'.repeat(30_000);
    await waitFor('its end', () => {
      peer.request({ method: 'MESSAGE', headers: ['Content-Type: text/plain'], body });
      return engine!.stats().applications === 1;
    });
    peer.request({ method: 'OPTIONS' });
    const { fields, sip } = await good.events.next();
    assert.equal((await good.ask(`sip|${fields[8]}|`, appResponse(sip, 200))).fields[3], 'OK');
  });

  test('128 applications may be connected, and one may ask for 64 methods', {
    skip: oursOnly,
    timeout: 20_000,
  }, async () => {
    const { target } = await start();
    const clients: FrameClient[] = [];
    for (let i = 0; i < 128; i++) clients.push(await FrameClient.start(target));
    const extra = await FrameClient.open(target.port);
    await extra.closed;
    await clients[0]!.close();
    await waitFor('room', () => engine!.stats().applications === 127);
    const client = await FrameClient.start(target);
    for (let i = 0; i < 64; i++) assert.equal((await client.ask(`route|m${i}`)).fields[3], 'OK');
    assert.equal((await client.ask('route|m0')).fields[3], 'OK');
    assert.deepEqual((await client.ask('route|m64')).fields.slice(3), ['NO', 'Invalid message format']);
    await client.closed;
  });

  test('a prefix of more than 2 MiB closes the connection before it is sent', {
    skip: oursOnly,
  }, async () => {
    const { target } = await start();
    const client = await FrameClient.start(target);
    client.raw(`${2 * 1024 * 1024 + 1}#`);
    await client.closed;
  });
});
