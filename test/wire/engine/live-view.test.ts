import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type EngineWorker, startEngineWorker } from '../../../src/engine/host.js';
import { FrameClient } from '../../support/frame-client.js';
import { RawTcp } from '../../support/raw-sockets.js';
import { headerOf, requestText, statusOf } from '../../support/sip-text.js';
import { appResponse, SDP, TextPeer } from '../../support/text-peer.js';

const LISTEN = [
  { protocol: 'udp', address: '127.0.0.1', port: 0 },
  { protocol: 'tcp', address: '127.0.0.1', port: 0 },
] as const;

describe('what the engine lets people see', () => {
  let engine: EngineWorker;
  let app: FrameClient;
  let peer: TextPeer;

  beforeEach(async () => {
    engine = await startEngineWorker({ sipListen: LISTEN });
    app = await FrameClient.start({ port: engine.adminPort, secret: engine.secret }, ['invite', 'options']);
    peer = await TextPeer.open(engine.listeners[0]!.port);
  });
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine.close();
  });

  async function call(callId: string, headers: readonly string[] = []): Promise<void> {
    const invite = peer.request({ callId, headers });
    const { fields, sip } = await app.events.next();
    await app.ask(`sip|${fields[8]}|`, appResponse(sip, 200, [], SDP));
    const ok = await peer.next();
    peer.inDialog(invite, ok, 'ACK', 1);
    await app.events.next();
    peer.inDialog(invite, ok, 'BYE', 2);
    const bye = await app.events.next();
    await app.ask(`sip|${bye.fields[8]}|`, appResponse(bye.sip, 200));
    await peer.next();
  }

  test('messages are counted by transport, direction, method and status class, invented methods as one', async () => {
    await call('counted');
    for (let i = 0; i < 3; i++) {
      peer.request({ method: `ODD${i}` });
      assert.equal(statusOf(await peer.next()), 405);
    }
    const tcp = await RawTcp.connect(engine.listeners[1]!.port);
    tcp.send(requestText({ method: 'REGISTER', via: 'SIP/2.0/TCP 127.0.0.1:5060' }));
    assert.equal(statusOf(await tcp.inbox.next()), 503);
    const { traffic, connections, transactions, dialogs } = await engine.stats();
    assert.deepEqual(traffic, {
      udp: { received: { INVITE: 1, ACK: 1, BYE: 1, other: 3 }, sent: { '1xx': 1, '2xx': 2, '4xx': 3 } },
      tcp: { received: { REGISTER: 1 }, sent: { '5xx': 1 } },
    });
    assert.deepEqual(connections, { tcp: 1 });
    assert.equal(transactions.inviteServer['accepted'], 1);
    assert.equal(dialogs, 0);
    await tcp.close();
  });

  test('requests of ours are counted too', async () => {
    app.send('sip||', `OPTIONS ${peer.uri} SIP/2.0\r\n\r\n`);
    peer.respond(await peer.next(), 486);
    await app.events.next();
    assert.deepEqual((await engine.stats()).traffic['udp'], { received: { '4xx': 1 }, sent: { OPTIONS: 1 } });
  });

  test('nothing is kept until somebody asks; then a call is there as it was on the wire, without its credentials', async () => {
    await call('before');
    assert.deepEqual(await engine.readCapture(), {
      state: { active: false, filter: {}, kept: 0, lost: 0 },
      messages: [],
    });
    await engine.startCapture({ callIds: ['wanted'] });
    await call('other');
    await call('wanted', ['Proxy-Authorization: Digest username="a", response="5ecre7"']);
    assert.equal((await engine.stopCapture()).active, false);
    peer.request({ method: 'OPTIONS', callId: 'wanted' });
    await app.events.next();
    const { messages, state } = await engine.readCapture();
    assert.deepEqual(
      messages.map(({ sent, text }) => (sent ? text.slice(8, 11) : text.split(' ')[0])),
      ['INVITE', '100', '200', 'ACK', 'BYE', '200'],
    );
    assert.equal(state.kept, 6);
    for (const { callId, peer: end, local, protocol } of messages) {
      assert.deepEqual([callId, protocol], ['wanted', 'udp']);
      assert.equal(end, `127.0.0.1:${peer.port}`);
      assert.equal(local, `127.0.0.1:${engine.listeners[0]!.port}`);
    }
    const [invite] = messages;
    assert.equal(headerOf(invite!.text, 'Proxy-Authorization'), 'Digest ***');
    assert.doesNotMatch(invite!.text, /rport=/, 'as it came, not as it was changed');
    assert.ok(messages.every(({ mono }, i) => i === 0 || mono >= messages[i - 1]!.mono));
  });
});
