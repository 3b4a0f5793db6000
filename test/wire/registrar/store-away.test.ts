import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import { openStore } from '../../../src/store/open-store.js';
import { missing } from '../../support/peers.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { startRedis } from '../../support/redis-server.js';
import { RegisterClient } from '../../support/register-client.js';
import { passwordOf, startRegistrarRig } from '../../support/registrar-rig.js';

test('Store away: REGISTER hears 503 with Retry-After, calls find the last known bindings, all is well when it is back', {
  skip: missing('redis-server'),
}, async () => {
  const redis = await startRedis();
  const store = await openStore(redis.url, { dataDir: '/nonexistent', log: silentLogger });
  const rig = await startRegistrarRig({ store });
  const socket = await RawUdp.open();
  const wire = {
    protocol: 'UDP' as const,
    port: socket.port,
    inbox: socket.inbox,
    send: (text: string) => socket.send(text, rig.udpPort),
  };
  const phone = new RegisterClient(wire, { username: '1001', password: passwordOf('1001') });
  try {
    assert.equal((await phone.register()).status, 200);
    redis.freeze();
    const refused = await phone.register();
    assert.equal(refused.status, 503);
    assert.match(refused.all('Retry-After')[0] ?? '', /^\d+$/);
    assert.equal((await rig.registrar.bindings('1001')).length, 1);
    await assert.rejects(rig.registrar.bindings('1002'), { sipStatus: 503 });
    redis.thaw();
    let status = 0;
    for (let i = 0; i < 50 && status !== 200; i++) status = (await phone.register()).status;
    assert.equal(status, 200);
  } finally {
    redis.thaw();
    await socket.close();
    await rig.close();
    await store.close();
    await redis.close();
  }
});
