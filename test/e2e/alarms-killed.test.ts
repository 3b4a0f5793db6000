import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { becomes, comesBack, listed } from '../support/alarm-steps.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { freeTcpPort, freeUdpPort } from '../support/free-port.js';
import { type PartProcess, startEngineProcess, startRelayProcess } from '../support/part-process.js';
import { startRedis, type TestRedis } from '../support/redis-server.js';

describe('alarms of a whole server whose parts are killed', { timeout: 180_000 }, () => {
  let calls: CallServer;
  let redis: TestRedis;
  let relays: PartProcess[];
  before(async () => {
    redis = await startRedis();
    relays = await Promise.all([startRelayProcess(), startRelayProcess()]);
    calls = await startCallServer({
      SIP_ENGINE: 'embedded',
      // Not the database 0: the support of tests would hold a connection of its own to it.
      STORE_URL: redis.url.replace(/0$/, '1'),
      MEDIA_RELAY: relays.map(({ url }) => url).join(','),
      ALARM_DISK_MB: '0',
    });
  });
  after(async () => {
    await calls?.close();
    await Promise.all([redis?.close(), ...(relays ?? []).map((relay) => relay.close())]);
  });

  test('there is none while nothing is wrong', async () => {
    assert.deepEqual(await listed(calls), []);
  });

  test('a server that was killed says so at its next start, until an operator has seen it', async () => {
    await calls.server.kill('SIGKILL');
    await calls.restart();
    await becomes(calls, 'SERVER_CRASHED');
    await calls.mml('CLR ALARM: NAME=SERVER_CRASHED');
    await becomes(calls);
    const history = await listed(calls, 'LST ALARM: HISTORY');
    assert.equal(history.at(-1)?.clearedBy, 'local');
  });

  test('media relays killed, and started again one by one', async () => {
    const [one, two] = relays as [PartProcess, PartProcess];
    await Promise.all([one.kill('SIGKILL'), two.kill('SIGKILL')]);
    await becomes(calls, 'NO_RELAY', 'RELAY_DOWN', 'RELAY_DOWN');
    relays[0] = await startRelayProcess(one.url.replace('rtpproxy+', '').replace('//', ''));
    await becomes(calls, 'RELAY_DOWN');
    assert.equal((await listed(calls))[0]?.subject, two.url);
    relays[1] = await startRelayProcess(two.url.replace('rtpproxy+', '').replace('//', ''));
    await becomes(calls);
  });

  test('a trunk that is not there, its alarm kept over a restart until the trunk is taken away', async () => {
    const nobody = await freeUdpPort();
    await calls.mml(`ADD TRUNK: NAME=dead, ADDRESS="127.0.0.1:${nobody}", OPTIONSSEC=1, DOWNAFTER=1`);
    await becomes(calls, 'TRUNK_DOWN');
    await comesBack(calls, 'TRUNK_DOWN');
    const [before] = await listed(calls);
    await calls.restart();
    const [kept] = await listed(calls);
    const history = await listed(calls, 'LST ALARM: HISTORY');
    assert.ok(history.length >= 4, 'the history of the run before is there');
    assert.deepEqual([kept?.id, kept?.firstAt, kept?.subject], [before?.id, before?.firstAt, 'dead']);
    await calls.mml('RMV TRUNK: NAME=dead, CONFIRM=YES');
    await becomes(calls);
  });

  test('the Store stopped and started again', async () => {
    await redis.stop();
    await becomes(calls, 'STORE_DOWN');
    assert.equal((await listed(calls))[0]?.severity, 'CRITICAL');
    await comesBack(calls, 'STORE_DOWN');
    await redis.start();
    await becomes(calls);
    const past = (await listed(calls, 'LST ALARM: HISTORY')).at(-1);
    assert.deepEqual([past?.name, past?.clearedBy], ['STORE_DOWN', 'server']);
  });
});

describe('alarms of a server whose engine is elsewhere', { timeout: 60_000 }, () => {
  test('the engine killed and started again', async () => {
    const admin = `127.0.0.1:${await freeTcpPort()}`;
    let engine = await startEngineProcess(admin);
    const calls = await startCallServer({
      SIP_ENGINE: engine.url,
      STORE_URL: 'embedded:',
      MEDIA_RELAY: 'embedded',
      ALARM_DISK_MB: '0',
    });
    try {
      await becomes(calls);
      await engine.kill('SIGKILL');
      await becomes(calls, 'ENGINE_DOWN');
      assert.doesNotMatch(await calls.mml('LST ALARM'), /engine-secret/);
      await comesBack(calls, 'ENGINE_DOWN');
      engine = await startEngineProcess(admin);
      await becomes(calls);
    } finally {
      await calls.close();
      await engine.close();
    }
  });
});
