import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startEngineWorker } from '../../../src/engine/host.js';
import { connectApp } from '../../support/b2bua-app.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { requestText, statusOf } from '../../support/sip-text.js';

const LOOPBACK = [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const;

describe('the engine in a worker thread', () => {
  test('takes applications and requests, tells its counts, ends without an error', async () => {
    const engine = await startEngineWorker({ sipListen: LOOPBACK });
    const peer = await RawUdp.open();
    const srf = await connectApp({ port: engine.adminPort, secret: engine.secret });
    srf.options((_req: unknown, res: { send(status: number): void }) => res.send(200));
    // The route command is on its way; what comes before it is answered 503.
    let status: number | undefined = 503;
    while (status === 503) {
      peer.send(
        requestText({ method: 'OPTIONS', via: `SIP/2.0/UDP 127.0.0.1:${peer.port}` }),
        engine.listeners[0]!.port,
      );
      status = statusOf(await peer.inbox.next());
    }
    assert.equal(status, 200);
    const stats = await engine.stats();
    assert.equal(stats.applications, 1);
    assert.equal(stats.core.responsesSent, 1);
    srf.disconnect();
    await peer.close();
    await engine.close();
    assert.equal(await engine.ended, undefined);
    await assert.rejects(engine.stats(), { code: 'CLOSED' });
  });

  test('says why it cannot start', async () => {
    const peer = await RawUdp.open();
    const taken = [{ protocol: 'udp', address: '127.0.0.1', port: peer.port }] as const;
    await assert.rejects(startEngineWorker({ sipListen: taken }), {
      code: 'ENGINE_WORKER',
      message: /cannot be bound/,
    });
    await peer.close();
  });
});
