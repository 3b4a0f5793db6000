import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { Certificates } from '../support/certificates.js';
import { freeTcpPort, freeUdpPort } from '../support/free-port.js';
import { type PartProcess, startEngineProcess, startRelayProcess } from '../support/part-process.js';
import { startRedis, type TestRedis } from '../support/redis-server.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

interface AlarmRow {
  readonly id: number;
  readonly name: string;
  readonly subject?: string;
  readonly severity: string;
  readonly detail: string;
  readonly firstAt: string;
  readonly clearedBy?: string;
}

/** What a console lists, oldest first. */
async function listed(calls: CallServer, command = 'LST ALARM'): Promise<AlarmRow[]> {
  const report = JSON.parse(await calls.mml(command, 'JSON')) as { reports: { rows: AlarmRow[] }[] };
  return report.reports[0]!.rows.sort((x, y) => x.id - y.id);
}

async function becomes(calls: CallServer, ...wanted: string[]): Promise<void> {
  let seen: string[] = [];
  await waitFor(
    `the alarms ${wanted}`,
    async () => {
      seen = (await listed(calls)).map(({ name }) => name).sort();
      return seen.join() === [...wanted].sort().join();
    },
    25_000,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; there are: ${seen.join()}`);
  });
}

describe('alarms of a whole server whose parts are broken', { timeout: 180_000 }, () => {
  let calls: CallServer;
  let redis: TestRedis;
  let relays: PartProcess[];
  let phone: SipPeer;
  let original: string;
  const certificates = new Certificates();
  const certificateFile = join(certificates.directory, 'in-use.pem');
  before(async () => {
    redis = await startRedis();
    relays = await Promise.all([startRelayProcess(), startRelayProcess()]);
    const { certificateFile: file, keyFile } = certificates.selfSigned('DNS:localhost');
    original = file;
    copyFileSync(original, certificateFile);
    calls = await startCallServer({
      SIP_ENGINE: 'embedded',
      SIP_LISTEN: 'udp:127.0.0.1:0,tcp:127.0.0.1:0,tls:127.0.0.1:0',
      SIP_TLS_CERT: certificateFile,
      SIP_TLS_KEY: keyFile,
      // Not the database 0: the support of tests would hold a connection of its own to it.
      STORE_URL: redis.url.replace(/0$/, '1'),
      MEDIA_RELAY: relays.map(({ url }) => url).join(','),
      ALARM_CERT_DAYS: '1',
      ALARM_DISK_MB: '0',
      OVERLOAD_WAITING: '2',
    });
    phone = await calls.phone('1001');
  });
  after(async () => {
    await calls?.close();
    await Promise.all([redis?.close(), ...(relays ?? []).map((relay) => relay.close())]);
    certificates.close();
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

  test('a certificate about to end, one that has ended, and one that is good', async () => {
    await calls.mml('SET CFG: KEY=ALARM_CERT_DAYS, VALUE=3, SAVE=NO');
    await becomes(calls, 'CERT_EXPIRING');
    copyFileSync(certificates.expired().certificateFile, certificateFile);
    await becomes(calls, 'CERT_EXPIRED');
    copyFileSync(original, certificateFile);
    await calls.mml('SET CFG: KEY=ALARM_CERT_DAYS, VALUE=1, SAVE=NO');
    await becomes(calls);
  });

  test('too little space on the disk, while ALARM_DISK_MB says so', async () => {
    await calls.mml('SET CFG: KEY=ALARM_DISK_MB, VALUE=100000000, SAVE=NO');
    await becomes(calls, 'DISK_LOW');
    await calls.mml('SET CFG: KEY=ALARM_DISK_MB, VALUE=0, SAVE=NO');
    await becomes(calls);
  });

  test('as many calls as MAX_CALLS', async () => {
    const other = await calls.phone('1002');
    await calls.mml('SET CFG: KEY=MAX_CALLS, VALUE=1, SAVE=NO');
    const invite = await phone.invite('1002');
    const ringing = await other.next('INVITE');
    await becomes(calls, 'CALLS_FULL');
    other.respond(ringing, 486);
    phone.ackRefusal(invite, await phone.final(invite));
    await calls.mml('SET CFG: KEY=MAX_CALLS, VALUE=100, SAVE=NO');
    await becomes(calls);
  });

  test('a Store that hangs: phones wait, and the engine takes no more', async () => {
    redis.freeze();
    const waiting = [1, 2, 3].map(() => phone.register().catch(() => undefined));
    try {
      await waitFor(
        'an overload',
        async () => (await listed(calls)).some(({ name }) => name === 'OVERLOAD'),
        20_000,
      );
    } finally {
      redis.thaw();
    }
    await Promise.all(waiting);
    await becomes(calls);
  });

  test('a trunk that is not there, its alarm kept over a restart until the trunk is taken away', async () => {
    const nobody = await freeUdpPort();
    await calls.mml(`ADD TRUNK: NAME=dead, ADDRESS="127.0.0.1:${nobody}", OPTIONSSEC=1, DOWNAFTER=1`);
    await becomes(calls, 'TRUNK_DOWN');
    const [before] = await listed(calls);
    await calls.restart();
    const [kept] = await listed(calls);
    const history = await listed(calls, 'LST ALARM: HISTORY');
    assert.ok(history.length >= 8, 'the history of the run before is there');
    assert.deepEqual([kept?.id, kept?.firstAt, kept?.subject], [before?.id, before?.firstAt, 'dead']);
    await calls.mml('RMV TRUNK: NAME=dead, CONFIRM=YES');
    await becomes(calls);
  });

  test('the Store stopped and started again', async () => {
    await redis.stop();
    await becomes(calls, 'STORE_DOWN');
    assert.equal((await listed(calls))[0]?.severity, 'CRITICAL');
    await redis.start();
    await becomes(calls);
    const past = (await listed(calls, 'LST ALARM: HISTORY')).at(-1);
    assert.deepEqual([past?.name, past?.clearedBy], ['STORE_DOWN', 'server']);
  });
});

describe('alarms of a server whose engine is elsewhere', { timeout: 60_000 }, () => {
  test('the engine killed and started again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ims-alarm-'));
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
      engine = await startEngineProcess(admin);
      await becomes(calls);
    } finally {
      await calls.close();
      await engine.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
