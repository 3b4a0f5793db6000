import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, describe, test } from 'node:test';
import { ORPHAN_LIFETIME_MS } from '../../../src/engine/core/ua-core.js';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { FrameClient } from '../../support/frame-client.js';
import { ManualClock } from '../../support/manual-clock.js';
import { startEngineCommand } from '../../support/part-process.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('80: nothing is left of applications and calls', { skip: oursOnly }, () => {
  let engine: WireEngine | undefined;
  let peer: TextPeer;
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
    engine = undefined;
  });

  /** A call from the peer, answered and acknowledged. */
  const answeredCall = async (
    client: FrameClient,
  ): Promise<{ invite: string; ok: string; dialogId: string }> => {
    const invite = peer.request({ body: SDP, headers: ['Content-Type: application/sdp'] });
    const { fields, sip } = await client.events.next();
    const echo = await client.ask(`sip|${fields[8]}|`, appResponse(sip, 200, [], SDP));
    const ok = await peer.until(/ 200 /);
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    return { invite, ok, dialogId: echo.fields[11]! };
  };

  test('disconnect with a call up, one waiting and a request open: all is freed when their time is over', async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
    peer = await TextPeer.open(engine.udpPort);
    const client = await FrameClient.start(engine.target, ['invite', 'message']);
    const { invite, ok } = await answeredCall(client);
    peer.request();
    await client.events.next();
    peer.request({ method: 'MESSAGE' });
    await client.events.next();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    await client.close();
    await waitFor('its end to be seen', () => engine!.stats().applications === 0);
    peer.inDialog(invite, ok, 'BYE', 2);
    await peer.until(/ 481 /);
    await waitFor(
      'everything to be freed',
      () => {
        const { dialogs, pendingRequests, transactions } = engine!.stats();
        const { refused: _refused, forgotten: _forgotten, ...kinds } = transactions;
        const open = Object.values(kinds).flatMap((byState) => Object.values(byState));
        return dialogs + pendingRequests + open.length === 0;
      },
      10_000,
    );
  });

  test('srf.disconnect(): the engine has no application, and new calls get 503', async () => {
    engine = await startWireEngine();
    peer = await TextPeer.open(engine.udpPort);
    const srf: Srf = await connectApp(engine.target);
    srf.invite(() => assert.fail('a call came'));
    await waitFor('the application', () => engine!.stats().applications === 1);
    srf.disconnect();
    await waitFor('its end', () => engine!.stats().applications === 0);
    peer.request();
    assert.equal(statusOf(await peer.next()), 503);
  });

  test('a call whose application never comes back is forgotten after hours; one that is taken up again is not', async () => {
    const clock = new ManualClock();
    engine = await startWireEngine({ clock });
    peer = await TextPeer.open(engine.udpPort);
    const client = await FrameClient.start(engine.target, ['invite']);
    await answeredCall(client);
    const { dialogId } = await answeredCall(client);
    await client.close();
    await waitFor('its end to be seen', () => engine!.stats().applications === 0);
    assert.equal(engine.stats().dialogs, 2);
    clock.advance(ORPHAN_LIFETIME_MS / 2);
    const again = await FrameClient.start(engine.target, ['invite']);
    assert.equal(
      (await again.ask(`sip||${dialogId}`, appRequest('INFO', 'sip:placeholder'))).fields[3],
      'OK',
    );
    clock.advance(ORPHAN_LIFETIME_MS / 2 + 2 * 60_000);
    assert.equal(engine.stats().dialogs, 1);
    assert.equal((await again.ask(`sip||${dialogId}`, appRequest('BYE', 'sip:placeholder'))).fields[3], 'OK');
  });

  test('a process with an engine ends by itself once the engine is closed, whatever was going on', {
    timeout: 30_000,
  }, async () => {
    const started = await startEngineCommand(['--sip-listen', 'udp:127.0.0.1:0', '--admin', '127.0.0.1:0']);
    const udpPort = Number(/udp:127\.0\.0\.1:(\d+)/.exec(started.output())![1]);
    const [, secret = '', port] = /drachtio:\/\/:([^@]+)@127\.0\.0\.1:(\d+)/.exec(started.output())!;
    peer = await TextPeer.open(udpPort);
    const client = await FrameClient.start({ port: Number(port), secret }, ['invite']);
    await answeredCall(client);
    peer.request();
    await client.events.next();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const startMs = performance.now();
    started.child.kill('SIGTERM');
    const [code] = await once(started.child, 'exit');
    assert.equal(code, 0);
    assert.ok(performance.now() - startMs < 10_000);
    await client.closed;
  });
});
