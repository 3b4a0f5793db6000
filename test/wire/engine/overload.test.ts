import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { FrameClient } from '../../support/frame-client.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appResponse, SDP, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('overload of a running engine', () => {
  let engine: WireEngine;
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine.close();
  });

  test('RFC 3261 §21.5.4: with an application that does not keep up new calls get 503, the call that is up goes on', async () => {
    engine = await startWireEngine({ overload: { waitingRequests: 4 } });
    const app = await FrameClient.start(engine.target, ['invite', 'options']);
    const peer = await TextPeer.open(engine.udpPort);
    const respond = (frame: { fields: readonly string[]; sip: string }, status: number) =>
      app.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, status, [], SDP));

    const invite = peer.request();
    await respond(await app.events.next(), 200);
    const ok = await peer.next();
    peer.inDialog(invite, ok, 'ACK', 1);
    await app.events.next();

    // A ringing call is no load.
    const ringing = peer.request();
    await respond(await app.events.next(), 180);
    await peer.next();
    for (let i = 0; i < 4; i++) peer.request({ method: 'OPTIONS' });
    await waitFor('overload', () => engine.stats().overload.active === 1);
    assert.equal(engine.stats().overload.waitingRequests, 4);

    peer.request();
    const refused = await peer.next();
    assert.equal(statusOf(refused), 503);
    assert.match(headerOf(refused, 'Retry-After') ?? '', /^([5-9]|1[0-5])$/);
    peer.inDialog(invite, ok, 'INFO', 2);
    for (let i = 0; i < 4; i++) await app.events.next();
    await respond(await app.events.next(), 200);
    assert.match(await peer.next(), /^SIP\/2\.0 200 .*\r\nCSeq: 2 INFO/s);
    peer.send(ringing.replace(/^INVITE/, 'CANCEL').replace(/1 INVITE/, '1 CANCEL'));
    assert.match(await peer.next(), /^SIP\/2\.0 200 .*\r\nCSeq: 1 CANCEL/s);
    assert.equal(statusOf(await peer.next()), 487);
    assert.ok(engine.stats().transactions.refused >= 1);
  });

  test('when the application has caught up new requests are taken again', async () => {
    engine = await startWireEngine({ overload: { waitingRequests: 2 } });
    const app = await FrameClient.start(engine.target, ['options']);
    const peer = await TextPeer.open(engine.udpPort);
    for (let i = 0; i < 2; i++) peer.request({ method: 'OPTIONS' });
    await waitFor('overload', () => engine.stats().overload.active === 1);
    for (let i = 0; i < 2; i++) {
      const { fields, sip } = await app.events.next();
      await app.ask(`sip|${fields[8]}|`, appResponse(sip, 200));
      assert.equal(statusOf(await peer.next()), 200);
    }
    await waitFor('calm', () => engine.stats().overload.active === 0);
    peer.request({ method: 'OPTIONS' });
    const { fields, sip } = await app.events.next();
    await app.ask(`sip|${fields[8]}|`, appResponse(sip, 200));
    assert.equal(statusOf(await peer.next()), 200);
    assert.equal(engine.stats().overload.entered, 1);
  });

  test('requests of an application that is gone are no load for the one that comes next', async () => {
    engine = await startWireEngine({ overload: { waitingRequests: 2 } });
    const app = await FrameClient.start(engine.target, ['invite']);
    const peer = await TextPeer.open(engine.udpPort);
    for (let i = 0; i < 3; i++) peer.request();
    await waitFor('overload', () => engine.stats().overload.active === 1);
    await app.close();
    await waitFor('calm', () => engine.stats().overload.active === 0);
  });
});
