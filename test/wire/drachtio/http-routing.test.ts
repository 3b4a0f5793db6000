import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, test } from 'node:test';
import type { EngineOptions } from '../../../src/engine/engine.js';
import { FrameClient } from '../../support/frame-client.js';
import { freeTcpPort } from '../../support/free-port.js';
import { Inbox } from '../../support/inbox.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appResponse, SDP, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

interface Question {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

describe('77: an HTTP handler routes new requests', { skip: oursOnly }, () => {
  let engine: WireEngine | undefined;
  let peer: TextPeer;
  let server: Server | undefined;
  let questions: Inbox<Question>;
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** A handler that gives that answer, and an engine that asks it. */
  const start = async (
    answer: unknown,
    options: { httpMethod?: 'GET' | 'POST'; path?: string; engine?: Partial<EngineOptions> } = {},
  ): Promise<void> => {
    questions = new Inbox();
    server = createServer((request, response) => void serve(request, response, answer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await startEngine(`http://127.0.0.1:${port}${options.path ?? ''}`, options.httpMethod, options.engine);
  };
  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    answer: unknown,
  ): Promise<void> => {
    let body = '';
    for await (const part of request) body += part;
    const url = new URL(request.url ?? '', 'http://handler');
    questions.push({ method: request.method ?? '', url, body, headers: request.headers });
    if (answer === undefined) return;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  };
  const startEngine = async (
    url: string,
    httpMethod: 'GET' | 'POST' = 'GET',
    options: Partial<EngineOptions> = {},
  ): Promise<void> => {
    const requestHandlers = [{ method: '*', url, httpMethod }];
    engine = await startWireEngine({ requestHandlers, ...options });
    peer = await TextPeer.open(engine.udpPort);
  };
  /** The final response to a new INVITE. */
  const answered = async (): Promise<string> => {
    const invite = peer.request();
    const response = await peer.next();
    peer.acknowledge(invite, response);
    return response;
  };

  test('reject: its status and reason', async () => {
    await start({ action: 'reject', data: { status: 486, reason: 'Not Now' } });
    assert.match(await answered(), /^SIP\/2\.0 486 Not Now\r\n/);
  });

  test('redirect: 302 with its Contacts', async () => {
    await start({ action: 'redirect', data: { contact: ['<sip:a@h1>', '<sip:b@h2>;q=0.5'] } });
    const response = await answered();
    assert.equal(statusOf(response), 302);
    assert.deepEqual(response.match(/^Contact: .*$/gm), ['Contact: <sip:a@h1>', 'Contact: <sip:b@h2>;q=0.5']);
  });

  test('route to a tag: the applications that have it and asked for the method, in turn; 480 without one', async () => {
    await start({ action: 'route', data: { tag: 'green' } });
    const { target } = engine!;
    const connected = async (tags: string, ...verbs: string[]): Promise<FrameClient> => {
      const client = await FrameClient.open(target.port);
      await client.ask(`authenticate|${target.secret}|${tags}`);
      for (const verb of verbs) await client.ask(`route|${verb}`);
      return client;
    };
    const red = await connected('red', 'invite');
    const wrongMethod = await connected('green', 'options');
    assert.equal(statusOf(await answered()), 480);
    const greens = [await connected('blue,green', 'invite'), await connected('green', 'invite')];
    for (let i = 0; i < 4; i++) peer.request();
    await waitFor('four calls', () => greens.every((client) => client.events.size === 2));
    assert.equal(red.events.size + wrongMethod.events.size, 0);
  });

  test('route to an application: the engine connects to it; 480 when nobody is there', async () => {
    const port = await freeTcpPort();
    await start({ action: 'route', data: { uri: `127.0.0.1:${port};transport=tcp` } });
    assert.equal(statusOf(await answered()), 480);
    const { createServer: listen } = await import('node:net');
    const opened = new Inbox<FrameClient>();
    const application = listen((socket) => opened.push(FrameClient.over(socket)));
    application.listen(port, '127.0.0.1');
    await once(application, 'listening');
    peer.request();
    const client = await opened.next();
    await client.ask(`authenticate|${engine!.target.secret}|`);
    const { fields, sip } = await client.events.next();
    await client.ask(`sip|${fields[8]}|`, appResponse(sip, 404));
    assert.equal(statusOf(await peer.next()), 404);
    application.close();
  });

  test('proxy: the request goes on as told, nobody else being asked', async () => {
    const callee = await TextPeer.open(0);
    await start({ action: 'proxy', data: { recordRoute: true, destination: callee.uri } });
    const sent = peer.request({ headers: ['Content-Type: application/sdp'], body: SDP });
    const invite = await callee.next();
    // By another way it comes again: a proxy sends that on as well, 482 is for user agents (RFC 3261 §8.2.2.2).
    peer.send(sent.replace(/branch=\S+/, 'branch=z9hG4bKother'));
    const via = (text: string): string => /branch=([^;\s]+)/.exec(text)![1]!;
    let again = await callee.next();
    while (via(again) === via(invite)) again = await callee.next();
    assert.equal(headerOf(again, 'Call-ID'), headerOf(invite, 'Call-ID'));
    assert.match(headerOf(invite, 'Record-Route')!, new RegExp(`127\\.0\\.0\\.1:${engine!.udpPort}.*;lr`));
    const reply = Object.assign(Object.create(callee), { enginePort: engine!.udpPort }) as TextPeer;
    reply.respond(invite, 200, { body: SDP });
    assert.equal(statusOf(await peer.next()), 200);
  });

  test('it is asked with the facts of the request, those of the Request-URI included', async () => {
    await start({ action: 'reject', data: { status: 404 } }, { path: '/route/me?key=1' });
    peer.request({
      uri: 'sip:b%20ob;n=1:pw@example.com;group=s%20ales;x',
      headers: ['Content-Type: application/sdp;charset=utf-8'],
      body: SDP,
    });
    const { method, url } = await questions.next();
    assert.equal(method, 'GET');
    assert.equal(url.pathname, '/route/me/');
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      key: '1',
      method: 'INVITE',
      domain: 'example.com',
      protocol: 'udp',
      source_address: '127.0.0.1',
      fromUser: 'alice',
      toUser: 'bob',
      uriUser: 'b%20ob;n=1',
      contentType: 'application/sdp',
      uri: 'sip:b%20ob;n=1:pw@example.com;group=s%20ales;x',
      group: 's%20ales',
      x: '',
    });
    assert.equal(statusOf(await peer.next()), 404);
  });

  test('POST carries the request', async () => {
    await start({ action: 'reject', data: { status: 404 } }, { httpMethod: 'POST' });
    const text = peer.request({ method: 'MESSAGE', headers: ['Content-Type: text/plain'], body: 'hello' });
    const { method, body, headers } = await questions.next();
    assert.equal(method, 'POST');
    assert.match(headers['content-type']!, /^text\/plain/);
    assert.equal(body, text);
  });

  for (const [what, answer] of [
    ['no JSON', '<html>'],
    ['no action', { data: {} }],
    ['no data', { action: 'reject' }],
    ['an unknown action', { action: 'dance', data: {} }],
    ['an action that is a method of objects', { action: 'constructor', data: {} }],
    ['a status that is none', { action: 'reject', data: { status: 200 } }],
    ['a Contact that would be two lines', { action: 'redirect', data: { contact: '<sip:a@h>\r\nX: y' } }],
    ['a Contact that is none', { action: 'redirect', data: { contact: ['<sip:a@h>', 7] } }],
    ['no destination', { action: 'proxy', data: { destination: [] } }],
    ['a port that is none', { action: 'route', data: { uri: '127.0.0.1:70000' } }],
    ['far too much', `{"action":"reject","data":{"status":486},"more":"${'x'.repeat(70_000)}"}`],
  ] as const)
    test(`500 for an answer with ${what}`, async () => {
      await start(answer);
      assert.equal(statusOf(await answered()), 500);
    });

  test('500 when the handler is away; requests that no handler is for go to applications', async () => {
    const url = `http://127.0.0.1:${await freeTcpPort()}`;
    engine = await startWireEngine({ requestHandlers: [{ method: 'INVITE', url }] });
    peer = await TextPeer.open(engine.udpPort);
    const client = await FrameClient.start(engine.target, ['invite', 'options']);
    assert.equal(statusOf(await answered()), 500);
    peer.request({ method: 'OPTIONS' });
    assert.match((await client.events.next()).sip, /^OPTIONS/);
    assert.equal(client.events.size, 0);
  });

  test('500 when the handler does not answer within 3 s; a CANCEL meanwhile gets 487', {
    timeout: 10_000,
  }, async () => {
    await start(undefined, { engine: { timers: { ...FAST_TIMERS, t1Ms: 500 } } });
    const cancelled = peer.request();
    await questions.next();
    peer.send(cancelled.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL'));
    assert.deepEqual([statusOf(await peer.next()), statusOf(await peer.next())], [200, 487]);
    const startMs = performance.now();
    peer.request({ method: 'MESSAGE' });
    assert.equal(statusOf(await peer.until(/ 500 /, 5000)), 500);
    assert.ok(performance.now() - startMs > 2900);
  });

  test('a kept connection that the handler closes is no failure', async () => {
    await start({ action: 'reject', data: { status: 486 } });
    for (let i = 0; i < 5; i++) {
      assert.equal(statusOf(await answered()), 486);
      server!.closeIdleConnections();
    }
  });

  test('a hundred questions at once are all answered, over few connections', {
    timeout: 20_000,
  }, async () => {
    let connections = 0;
    await start({ action: 'reject', data: { status: 486 } });
    server!.on('connection', () => connections++);
    for (let lot = 0; lot < 3; lot++) {
      for (let i = 0; i < 100; i++) peer.request({ method: 'MESSAGE' });
      for (let i = 0; i < 100; i++) assert.equal(statusOf(await peer.next()), 486);
    }
    assert.ok(connections <= 64, String(connections));
  });

  test('the engine closes while a question is open', async () => {
    await start(undefined);
    peer.request();
    await questions.next();
    await engine!.close();
  });

  test('a handler URL that is none is an error at the start', async () => {
    for (const url of ['ftp://h', 'h:80', 'tcp://h:0', ''])
      await assert.rejects(startEngine(url), { code: 'ENGINE_HANDLER' }, url);
  });
});
