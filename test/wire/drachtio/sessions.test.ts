import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { ManualClock } from '../../support/manual-clock.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer, tagOf } from '../../support/text-peer.js';

describe('session timers and addresses', () => {
  let engine: Engine | undefined;
  let clock: ManualClock;
  let client: FrameClient;
  let peer: TextPeer;
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
  });

  const start = async (advertised?: {
    address: string;
    localNetworks?: readonly string[];
  }): Promise<void> => {
    clock = new ManualClock();
    engine = await startEngine({
      sipListen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
      admin: { port: 0, secret: 's' },
      clock,
      ...(advertised ? { advertised } : {}),
    });
    client = await FrameClient.start({ port: engine.adminPort, secret: 's' }, ['invite']);
    peer = await TextPeer.open(engine.listeners[0]!.port);
  };
  const respond = (frame: Frame, status: number, headers: readonly string[] = []): Promise<Frame> =>
    client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, status, headers, SDP));
  const answeredCall = async (asked: string): Promise<{ invite: string; ok: string }> => {
    const invite = peer.request({ headers: [`Session-Expires: ${asked}`, 'Supported: timer'] });
    await respond(await client.events.next(), 200);
    const ok = await peer.next();
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    return { invite, ok };
  };

  test('67: RFC 4028 §9, §10: the peer refreshes; when it stops, the call ends and the application is told', async () => {
    await start();
    const { invite, ok } = await answeredCall('120;refresher=uac');
    assert.equal(headerOf(ok, 'Session-Expires'), '120;refresher=uac');
    assert.equal(headerOf(ok, 'Require'), 'timer');
    clock.advance(80_000);
    peer.inDialog(invite, ok, 'UPDATE', 2, ['Session-Expires: 120;refresher=uac', `Contact: <${peer.uri}>`]);
    const update = await client.events.next();
    await respond(update, 200);
    await peer.next();
    clock.advance(80_000);
    assert.equal(peer.udp.inbox.size, 0);
    clock.advance(10_000);
    const told = await client.events.next();
    assert.deepEqual([told.fields[2], told.fields[8]], ['application', 'unsolicited']);
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /Session timer expired/);
  });

  test('67: RFC 4028 §5: a re-INVITE with an interval below 90 s gets 422 with Min-SE, the application hears nothing', async () => {
    await start();
    const { invite, ok } = await answeredCall('120;refresher=uac');
    peer.inDialog(invite, ok, 'INVITE', 2, ['Session-Expires: 30', `Contact: <${peer.uri}>`]);
    const response = await peer.next();
    assert.equal(statusOf(response), 422);
    assert.equal(headerOf(response, 'Min-SE'), '90');
    assert.equal(client.events.size, 0);
  });

  test('68: RFC 4028 §7.2, §7.4: the engine refreshes by itself with the last SDP', async () => {
    await start();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const invite = await peer.next();
    peer.respond(invite, 200, { headers: ['Session-Expires: 100;refresher=uac'], body: SDP });
    const { fields } = await client.events.next();
    await client.ask(`sip||${fields[9]}`, appRequest('ACK', 'sip:placeholder'));
    await peer.until(/^ACK/);
    clock.advance(49_000);
    assert.equal(peer.udp.inbox.size, 0);
    clock.advance(1_000);
    const refresh = await peer.until(/^INVITE/);
    assert.equal(refresh.slice(refresh.indexOf('\r\n\r\n') + 4), SDP);
    assert.equal(tagOf(headerOf(refresh, 'To')!), 'b1');
    peer.respond(refresh, 200, { headers: ['Session-Expires: 100;refresher=uac'], body: SDP });
    assert.equal(
      headerOf(await peer.until(/^ACK/), 'CSeq'),
      headerOf(refresh, 'CSeq')!.replace('INVITE', 'ACK'),
    );
    assert.equal(client.events.size, 0);
    clock.advance(50_000);
    const second = await peer.until(/^INVITE/);
    peer.respond(second, 481);
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /Session timer expired/);
    assert.equal((await client.events.next()).fields[8], 'unsolicited');
  });

  test('3: an advertised address is told to applications and peers, the bound one in localHostports and receivedOn', async () => {
    await start({ address: '203.0.113.9', localNetworks: ['10.0.0.0/8'] });
    const { port } = engine!.listeners[0]!;
    const probe = await FrameClient.open(engine!.adminPort);
    const { fields } = await probe.ask('authenticate|s|');
    assert.deepEqual([fields[4], fields[6]], [`udp/203.0.113.9:${port}`, `udp/127.0.0.1:${port}`]);
    peer.request();
    const frame = await client.events.next();
    assert.equal(frame.fields[10], '127.0.0.1');
    const echo = await respond(frame, 200);
    assert.equal(headerOf(echo.sip, 'Contact'), `<sip:203.0.113.9:${port}>`);
    assert.equal(
      (await client.ask('sip||', appRequest('OPTIONS', `sip:203.0.113.9:${port}`))).fields[4],
      'can not send request to myself',
    );
  });

  test('3: peers of local networks are told the bound address', async () => {
    await start({ address: '203.0.113.9', localNetworks: ['127.0.0.0/8'] });
    peer.request();
    const echo = await respond(await client.events.next(), 200);
    assert.match(headerOf(echo.sip, 'Contact')!, /127\.0\.0\.1/);
  });
});
