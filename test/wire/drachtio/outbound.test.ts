import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { EngineOptions } from '../../../src/engine/engine.js';
import { disconnectApps, listeningApp, type Srf } from '../../support/b2bua-app.js';
import { Certificates } from '../../support/certificates.js';
import { FrameClient } from '../../support/frame-client.js';
import { freeTcpPort } from '../../support/free-port.js';
import { Inbox } from '../../support/inbox.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appResponse, SDP, TextPeer, tagOf } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('76: connections that the engine opens', { skip: oursOnly }, () => {
  let engine: WireEngine | undefined;
  let peer: TextPeer;
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
    servers.clear();
  });

  const start = async (port: number, options: Partial<EngineOptions> = {}, scheme = 'tcp'): Promise<void> => {
    const requestHandlers = [{ method: '*', url: `${scheme}://127.0.0.1:${port}` }];
    engine = await startWireEngine({ requestHandlers, ...options });
    peer = await TextPeer.open(engine.udpPort);
  };
  /** An application that waits for connections, without drachtio-srf: each comes out of the inbox. */
  const listen = async (
    server: Server = createServer(),
  ): Promise<{ port: number; opened: Inbox<FrameClient> }> => {
    const opened = new Inbox<FrameClient>();
    server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
      sockets.add(socket);
      opened.push(FrameClient.over(socket));
    });
    servers.add(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return { port: typeof address === 'object' && address ? address.port : 0, opened };
  };

  test('the application authenticates first, then gets the one request; its dialog stays on that connection', async () => {
    const { port, opened } = await listen();
    await start(port);
    const invite = peer.request({ headers: ['Content-Type: application/sdp'], body: SDP });
    const first = await opened.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(first.leaders.length, 0);
    const { fields } = await first.ask(`authenticate|${engine!.target.secret}|`);
    assert.equal(fields[3], 'OK');
    const frame = await first.events.next();
    assert.match(frame.sip, /^INVITE/);
    const echo = await first.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, 200, [], SDP));
    assert.equal(echo.fields[3], 'OK');
    const ok = await peer.next();
    peer.inDialog(invite, ok, 'ACK', 1);
    assert.match((await first.events.next()).sip, /^ACK/);
    peer.request({ method: 'OPTIONS' });
    const second = await opened.next();
    await second.ask(`authenticate|${engine!.target.secret}|`);
    assert.match((await second.events.next()).sip, /^OPTIONS/);
    peer.inDialog(invite, ok, 'INFO', 2);
    assert.match((await first.events.next()).sip, /^INFO/);
    assert.equal(second.events.size, 0);
    await first.close();
    await waitFor('its end to be seen', () => engine!.stats().applications === 1);
    peer.inDialog(invite, ok, 'BYE', 3);
    assert.equal(statusOf(await peer.until(/ 481 /)), 481);
  });

  test('it works with drachtio-srf that listens', async () => {
    const port = await freeTcpPort();
    const app = await listeningApp(port, 'cymru');
    app.invite(async (req: Srf, res: Srf) => {
      const dialog = await app.createUAS(req, res, { localSdp: SDP });
      dialog.on('info', (_req: Srf, infoRes: Srf) => infoRes.send(202));
      dialog.on('destroy', () => app.endSession(req));
    });
    await start(port);
    const invite = peer.request({ headers: ['Content-Type: application/sdp'], body: SDP });
    const ok = await peer.next();
    assert.equal(statusOf(ok), 200);
    peer.inDialog(invite, ok, 'ACK', 1);
    peer.inDialog(invite, ok, 'INFO', 2);
    assert.equal(statusOf(await peer.until(/ 202 /)), 202);
    peer.inDialog(invite, ok, 'BYE', 3);
    assert.equal(statusOf(await peer.until(/ 200 /)), 200);
    await waitFor('the connection to end', () => engine!.stats().applications === 0);
  });

  test('480 when nobody listens there, or the application does not know the secret', async () => {
    await start(await freeTcpPort());
    peer.request();
    assert.equal(statusOf(await peer.next()), 480);
    await engine!.close();
    const { port, opened } = await listen();
    await start(port);
    peer.request({ method: 'MESSAGE' });
    const app = await opened.next();
    assert.deepEqual((await app.ask('authenticate|wrong|')).fields.slice(3), ['NO', 'incorrect secret']);
    assert.equal(statusOf(await peer.next()), 480);
  });

  test('480 when the application says nothing; its connection is closed', { timeout: 20_000 }, async () => {
    const { port, opened } = await listen();
    await start(port);
    peer.request();
    const app = await opened.next();
    assert.equal(statusOf(await peer.next(6000)), 480);
    await app.closed;
    assert.equal(engine!.stats().applications, 0);
  });

  test('RFC 3261 §9.2: CANCEL meanwhile: 200 and 487 with one tag; the application gets no request', async () => {
    const { port, opened } = await listen();
    await start(port);
    const invite = peer.request();
    const app = await opened.next();
    peer.send(invite.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL'));
    const answers = [await peer.next(), await peer.next()];
    assert.deepEqual(answers.map(statusOf), [200, 487]);
    assert.equal(tagOf(headerOf(answers[0]!, 'To')!), tagOf(headerOf(answers[1]!, 'To')!));
    app.send(`authenticate|${engine!.target.secret}|`);
    await app.closed;
    assert.equal(app.events.size, 0);
  });

  test('`route` on such a connection changes nothing: others get no requests by it', async () => {
    const { port, opened } = await listen();
    await start(port, { requestHandlers: [{ method: 'invite', url: `tcp://127.0.0.1:${port}` }] });
    peer.request();
    const app = await opened.next();
    await app.ask(`authenticate|${engine!.target.secret}|`);
    assert.equal((await app.ask('route|options')).fields[3], 'OK');
    peer.request({ method: 'OPTIONS' });
    assert.equal(statusOf(await peer.next()), 503);
  });

  test('over TLS; a bad certificate matters only when told so', async () => {
    const certificates = new Certificates();
    const { certificate: cert, keyFile } = certificates.selfSigned('DNS:localhost');
    const { port, opened } = await listen(createTlsServer({ cert, key: readFileSync(keyFile) }));
    certificates.close();
    await start(port, {}, 'tls');
    peer.request({ method: 'OPTIONS' });
    const app = await opened.next();
    await app.ask(`authenticate|${engine!.target.secret}|`);
    assert.match((await app.events.next()).sip, /^OPTIONS/);
    await engine!.close();
    await start(port, { verifyApplications: true }, 'tls');
    peer.request({ method: 'OPTIONS' });
    assert.equal(statusOf(await peer.next()), 480);
  });

  test('a hundred requests at once: a connection for each, and all are freed', {
    timeout: 30_000,
  }, async () => {
    const { port, opened } = await listen();
    await start(port);
    for (let i = 0; i < 100; i++) {
      peer.request({ method: 'MESSAGE' });
      if (i % 50 === 49) await waitFor('the connections so far', () => opened.size > i - 50);
    }
    await waitFor('all connections', () => opened.size === 100);
    const apps: FrameClient[] = [];
    while (opened.size > 0) apps.push(await opened.next());
    await Promise.all(apps.map((app) => app.ask(`authenticate|${engine!.target.secret}|`)));
    const answer = async (app: FrameClient): Promise<void> => {
      const { fields, sip } = await app.events.next();
      await app.ask(`sip|${fields[8]}|`, appResponse(sip, 200));
      await app.close();
    };
    // In lots that fit the sockets' buffers.
    for (let lot = 0; lot < 2; lot++) {
      await Promise.all(apps.slice(lot * 50, lot * 50 + 50).map(answer));
      for (let i = 0; i < 50; i++) assert.equal(statusOf(await peer.next()), 200);
    }
    await waitFor('the connections to end', () => engine!.stats().applications === 0);
  });
});
