import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectApp, disconnectApps } from '../../support/b2bua-app.js';
import { FrameClient, frameText } from '../../support/frame-client.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('applications connect to the engine', () => {
  let engine: WireEngine;
  before(async () => {
    engine = await startWireEngine();
  });
  after(() => engine.close());
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
  });

  test('1: the right secret is answered with listeners and version', async () => {
    await connectApp(engine.target);
    const client = await FrameClient.open(engine.target.port);
    const { fields } = await client.ask(`authenticate|${engine.target.secret}|`);
    assert.equal(fields[3], 'OK');
    assert.match(fields[4]!, new RegExp(`udp/127\\.0\\.0\\.1:${engine.udpPort}`));
    assert.match(fields[5]!, /^v\d+\.\d+\.\d+/);
    assert.match(fields[6]!, new RegExp(`tcp/127\\.0\\.0\\.1:${engine.tcpPort}`));
  });

  test('1: a wrong secret is answered NO and the connection closed', async () => {
    const client = await FrameClient.open(engine.target.port);
    const { fields } = await client.ask('authenticate|wrong|');
    assert.deepEqual(fields.slice(3), ['NO', 'incorrect secret']);
    await client.closed;
  });

  test('2: tags are optional', async () => {
    for (const tags of ['', '|a,b']) {
      const client = await FrameClient.open(engine.target.port);
      const { fields } = await client.ask(`authenticate|${engine.target.secret}${tags}`);
      assert.equal(fields[3], 'OK');
      await client.close();
    }
  });

  test('nothing but authenticate is taken before authentication', { skip: oursOnly }, async () => {
    for (const command of ['ping', 'route|invite', 'sip||']) {
      const client = await FrameClient.open(engine.target.port);
      const { fields } = await client.ask(command);
      assert.deepEqual(fields.slice(3), ['NO', 'not authenticated']);
      await client.closed;
    }
  });

  test('a connection that sends much without authenticating is closed', { skip: oursOnly }, async () => {
    const client = await FrameClient.open(engine.target.port);
    client.raw(`100000#${'x'.repeat(5000)}`);
    await client.closed;
  });

  test('4: ping is answered pong', async () => {
    const client = await FrameClient.start(engine.target);
    assert.deepEqual((await client.ask('ping')).fields.slice(3), ['OK', 'pong']);
  });

  test('5: an unknown verb and a leader of one field are refused and the connection closed', async () => {
    const first = await FrameClient.start(engine.target);
    assert.deepEqual((await first.ask('dance')).fields.slice(3), ['NO', 'Unknown message type']);
    await first.closed;
    const second = await FrameClient.start(engine.target);
    second.raw(frameText('lonely'));
    assert.deepEqual((await second.answersTo('lonely').next()).fields.slice(3), [
      'NO',
      'Invalid message format',
    ]);
    await second.closed;
  });

  test('a prefix that is no length closes the connection', { skip: oursOnly }, async () => {
    for (const bytes of ['abc', '#x', '0#', '12x#']) {
      const client = await FrameClient.start(engine.target);
      client.raw(bytes);
      await client.closed;
    }
  });

  test('6: two frames in one segment and one frame byte by byte', async () => {
    const client = await FrameClient.start(engine.target);
    client.raw(frameText('a|ping') + frameText('b|ping'));
    await client.answersTo('a').next();
    await client.answersTo('b').next();
    for (const byte of frameText('c|ping')) {
      client.raw(byte);
      await new Promise(setImmediate);
    }
    await client.answersTo('c').next();
  });

  test('7: a body of 60 kB and one in UTF-8 arrive whole, with their length in bytes', {
    skip: oursOnly,
  }, async () => {
    const client = await FrameClient.start(engine.target);
    const peer = await TextPeer.open(engine.udpPort);
    const utf8 = Buffer.from('žluťoučký 电话', 'utf8').toString('latin1');
    for (const body of ['x'.repeat(60_000), utf8]) {
      const text = appRequest('MESSAGE', peer.uri, ['Content-Type: text/plain'], body).replace(
        /Content-Length: .*/,
        'Content-Length: 3',
      );
      const echo = await client.ask('sip||', text);
      assert.equal(echo.fields[3], 'OK', echo.fields.join('|'));
      const arrived = await peer.next();
      assert.equal(headerOf(arrived, 'Content-Length'), String(body.length));
      assert.equal(arrived.slice(arrived.indexOf('\r\n\r\n') + 4), body);
      peer.respond(arrived, 200);
      await client.events.next();
    }
  });

  test('8: a route is counted once, remove_route removes one verb', { skip: oursOnly }, async () => {
    const [first, second] = [await FrameClient.start(engine.target), await FrameClient.start(engine.target)];
    for (const verb of ['message', 'MESSAGE', 'message', 'options']) await first!.ask(`route|${verb}`);
    await second!.ask('route|message');
    const peer = await TextPeer.open(engine.udpPort);
    for (let i = 0; i < 4; i++) peer.request({ method: 'MESSAGE' });
    await waitFor('four requests', () => first!.events.size + second!.events.size === 4);
    assert.equal(first!.events.size, 2);
    await first!.ask('remove_route|message');
    peer.request({ method: 'MESSAGE' });
    peer.request({ method: 'OPTIONS' });
    await waitFor('six requests', () => first!.events.size + second!.events.size === 6);
    assert.equal(second!.events.size, 3);
  });

  test('9: calls alternate between applications; after one has gone all go to the other', async () => {
    const [first, second] = [
      await FrameClient.start(engine.target, ['invite']),
      await FrameClient.start(engine.target, ['invite']),
    ];
    const peer = await TextPeer.open(engine.udpPort);
    for (let i = 0; i < 10; i++) peer.request();
    await waitFor('ten calls', () => first!.events.size + second!.events.size === 10);
    assert.equal(first!.events.size, 5);
    await first!.close();
    for (let i = 0; i < 4; i++) peer.request();
    await waitFor('four more', () => second!.events.size >= 9);
  });

  test('10: an application that reconnects gets calls again', { skip: oursOnly }, async () => {
    const srf = await connectApp(engine.target);
    const sockets: { destroy(): void }[] = [];
    srf.options((req: { socket: { destroy(): void } }, res: { send(status: number): void }) => {
      sockets.push(req.socket);
      res.send(200);
    });
    const peer = await TextPeer.open(engine.udpPort);
    await answered(peer, 'OPTIONS', 200);
    sockets[0]!.destroy();
    while (sockets.at(-1) === sockets[0]) await answered(peer, 'OPTIONS', 200);
  });

  test('75: a call of an application that is gone: INFO and BYE hear 481, a pending INVITE can be cancelled', async () => {
    const client = await FrameClient.start(engine.target, ['invite']);
    const peer = await TextPeer.open(engine.udpPort);
    const invite = peer.request({ body: SDP, headers: ['Content-Type: application/sdp'] });
    const { fields, sip } = await client.events.next();
    await client.ask(`sip|${fields[8]}|`, appResponse(sip, 200, [], SDP));
    const ok = await peer.next();
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    const waiting = peer.request();
    await client.events.next();
    await client.close();
    await answered(peer, 'INVITE', 503);
    peer.inDialog(invite, ok, 'INFO', 2);
    assert.equal(statusOf(await peer.next()), 481);
    peer.inDialog(invite, ok, 'BYE', 3);
    assert.equal(statusOf(await peer.next()), 481);
    peer.send(waiting.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL'));
    assert.deepEqual([statusOf(await peer.next()), statusOf(await peer.next())], [200, 487]);
  });

  test('79: 200 calls at once on one connection: every answer once, all names distinct', async () => {
    const client = await FrameClient.start(engine.target, ['options']);
    const peer = await TextPeer.open(engine.udpPort);
    // In lots that fit the sockets' buffers.
    for (let i = 1; i <= 200; i++) {
      peer.request({ method: 'OPTIONS' });
      if (i % 50 === 0) await waitFor('the requests so far', () => client.events.size === i);
    }
    const names = new Set<string>();
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 200; i++) {
      const { fields, sip } = await client.events.next();
      names.add(fields[8]!);
      answers.push(client.ask(`sip|${fields[8]}|`, appResponse(sip, 200)));
      if (i % 50 === 49) await Promise.all(answers);
    }
    assert.equal(names.size, 200);
    for (let i = 0; i < 200; i++) assert.equal(statusOf(await peer.next()), 200);
  });
});

/** Repeats a request until the engine answers it with `status`; what a connection that just ended swallowed is let go. */
async function answered(peer: TextPeer, method: string, status: number): Promise<void> {
  for (let seen: number | undefined; seen !== status; ) {
    const text = peer.request({ method });
    const response = await peer.next(300).catch(() => '');
    seen = statusOf(response);
    if (method === 'INVITE' && seen !== undefined) peer.acknowledge(text, response);
  }
}
