import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { becomes, listed } from '../support/alarm-steps.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { Certificates } from '../support/certificates.js';
import { missing } from '../support/peers.js';
import { Pty } from '../support/pty.js';
import { startRedis, type TestRedis } from '../support/redis-server.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';
import { WebReceiver } from '../support/web-receiver.js';

describe('alarms of a whole server', { timeout: 180_000 }, () => {
  let calls: CallServer;
  let redis: TestRedis;
  let phone: SipPeer;
  let receiver: WebReceiver;
  const certificates = new Certificates();
  const own = certificates.selfSigned('IP:127.0.0.1');
  const certificateFile = join(certificates.directory, 'in-use.pem');
  before(async () => {
    const key = readFileSync(own.keyFile, 'utf8');
    [redis, receiver] = await Promise.all([
      startRedis(),
      WebReceiver.start(0, { cert: own.certificate, key }),
    ]);
    copyFileSync(own.certificateFile, certificateFile);
    calls = await startCallServer({
      SIP_ENGINE: 'embedded',
      SIP_LISTEN: 'udp:127.0.0.1:0,tcp:127.0.0.1:0,tls:127.0.0.1:0',
      SIP_TLS_CERT: certificateFile,
      SIP_TLS_KEY: own.keyFile,
      // Not the database 0: the support of tests would hold a connection of its own to it.
      STORE_URL: redis.url.replace(/0$/, '1'),
      MEDIA_RELAY: 'embedded',
      ALARM_CERT_DAYS: '1',
      ALARM_DISK_MB: '0',
      ALARM_WEBHOOK: `${receiver.url}/hush-hush`,
      ALARM_WEBHOOK_KEY: 'hush-key',
      NODE_EXTRA_CA_CERTS: own.certificateFile,
      OVERLOAD_WAITING: '2',
    });
    phone = await calls.phone('1001');
  });
  after(async () => {
    await calls?.close();
    await Promise.all([redis?.close(), receiver?.close()]);
    certificates.close();
  });

  test('there is none while nothing is wrong', async () => {
    assert.deepEqual(await listed(calls), []);
  });

  test('a certificate about to end, one that has ended, and one that is good', async () => {
    await calls.mml('SET CFG: KEY=ALARM_CERT_DAYS, VALUE=3, SAVE=NO');
    await becomes(calls, 'CERT_EXPIRING');
    copyFileSync(certificates.expired().certificateFile, certificateFile);
    await becomes(calls, 'CERT_EXPIRED');
    copyFileSync(own.certificateFile, certificateFile);
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

  test('a session that asks is told of them at a telnet client, above the line that is typed', {
    skip: missing('telnet'),
  }, async () => {
    const pty = Pty.start(`telnet 127.0.0.1 ${calls.server.mmlPort}`, { columns: 120, rows: 40 });
    try {
      await pty.until('login: ');
      pty.type('admin\r');
      await pty.until('password: ');
      pty.type('admin-secret\r');
      assert.match(await pty.until('MML> '), /No alarm is active\./);
      pty.type('SET SESSION: ALARM=YES\r');
      await pty.until('MML> ');
      pty.type('DSP VER');
      await pty.until('DSP VER');
      await calls.mml('SET CFG: KEY=ALARM_DISK_MB, VALUE=100000000, SAVE=NO');
      const raised = await pty.until('MML> DSP VER');
      assert.match(raised, /ALARM {2}#\d+ {2}RAISED {2}MAJOR {2}DISK_LOW\r\n/);
      pty.type('SION\r');
      assert.match(await pty.until('---    END'), /%%DSP VERSION;%%\r\nRETCODE = 0/);
      await calls.mml('SET CFG: KEY=ALARM_DISK_MB, VALUE=0, SAVE=NO');
      assert.match(await pty.until('---    END'), /CLEARED {2}MAJOR {2}DISK_LOW/);
    } finally {
      pty.close();
    }
  });

  test('the webhook was told of each, by TLS, and nothing shows where it is', async () => {
    await becomes(calls);
    const past = (await listed(calls, 'LST ALARM: HISTORY')).map(({ name }) => name);
    assert.ok(past.length >= 6, past.join());
    const told = await receiver.events(2 * past.length);
    for (const kind of ['raised', 'cleared'])
      assert.deepEqual(
        told
          .filter((event) => event.startsWith(kind))
          .map((event) => event.split(' ')[1])
          .sort(),
        [...past].sort(),
      );
    assert.ok(receiver.posted.every(({ headers }) => headers['x-ims-signature']));
    const shown = (await calls.mml('LST CFG')) + (await calls.mml('EXP CFG')) + calls.server.output();
    assert.match(shown, /ALARM_WEBHOOK/);
    assert.doesNotMatch(shown, /hush-hush|hush-key/);
  });
});

test('a disk that takes no journal is an alarm until it does', { timeout: 90_000 }, async () => {
  const redis = await startRedis();
  const env = { STORE_URL: redis.url.replace(/0$/, '1'), ALARM_DISK_MB: '0', LOG_LEVEL: 'warn' };
  const calls = await startCallServer(env, { fileBlocks: 40 });
  const journal = join(calls.server.dataDir, 'journal');
  try {
    const phone = await calls.phone('1001');
    // What is open may grow a little yet; another file cannot be made.
    rmSync(journal, { recursive: true });
    await waitFor('an alarm', async () => {
      for (let i = 0; i < 5; i++) await phone.register();
      return (await listed(calls)).some(({ name }) => name === 'JOURNAL_FAILING');
    });
    mkdirSync(journal);
    await becomes(calls);
  } finally {
    await calls.close();
    await redis.close();
  }
});
