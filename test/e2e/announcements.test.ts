import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { audioSdp } from '../../src/testkit/sdp-text.js';
import { AudioPhone } from '../support/audio-phone.js';
import { Baresip } from '../support/baresip.js';
import { startCallServer } from '../support/call-server.js';
import { missing } from '../support/peers.js';
import { callRecords } from '../support/records.js';
import { Rtpengine } from '../support/rtpengine.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';
import { writeToneWav } from '../support/wav.js';

const [PHONE_HZ, SOUND_HZ] = [440, 880];
const TONES = [PHONE_HZ, SOUND_HZ];
const PASSWORD = 'correct-horse';

for (const [relay, ...peers] of [
  ['built-in relay', 'baresip'],
  ['rtpengine', 'baresip', 'rtpengine'],
] as const)
  describe(`announcements and the dialler through the ${relay}`, { skip: missing(...peers) }, () => {
    let engine: Rtpengine | undefined;
    let server: TestServer;
    let phone: Baresip;
    let seen = 0;

    before(async () => {
      if (relay === 'rtpengine') engine = await Rtpengine.start();
      server = await startServer({
        users: { 1000: PASSWORD, 1001: PASSWORD },
        env: { MEDIA_RELAY: engine?.url ?? 'embedded' },
      });
      phone = await Baresip.start({
        username: '1001',
        password: PASSWORD,
        toneHz: PHONE_HZ,
        server: { address: server.address, port: server.udpPort },
      });
      await phone.registered();
      writeToneWav(join(server.dataDir, 'sounds', 'sound.wav'), SOUND_HZ, 4);
    });
    beforeEach(() => engine?.restart());
    after(async () => {
      await phone?.close();
      await server?.close();
      await engine?.close();
    });

    const record = async () => (await callRecords(server, ++seen))[0]!;

    test('a caller hears why its call fails', async () => {
      await server.mmlOk('MOD ANNOUNCE: NAME=UNKNOWN, SOUND=sound.wav, SEC=3, ENABLED=YES');
      phone.command('dial', '9999');
      await phone.event('CALL_PROGRESS');
      assert.equal(await phone.hears(TONES), SOUND_HZ);
      await phone.event('CALL_CLOSED');
      const { result, releaseReason, announcement, billSec } = await record();
      assert.deepEqual(
        [result, releaseReason, announcement, billSec],
        ['FAILED', 'callee-unknown', 'UNKNOWN', 0],
      );
    });

    test('a phone is called and hears the sound', async () => {
      await server.mmlOk('SET DIALSVC: CALLER=1000, SOUND=sound.wav');
      await server.mmlOk('STR CALL SINGLE: NUMBER=1001');
      await phone.event('CALL_INCOMING');
      phone.command('accept');
      await phone.event('CALL_ESTABLISHED');
      assert.equal(await phone.hears(TONES), SOUND_HZ);
      await phone.event('CALL_CLOSED');
      const { result, releaseReason, callerNumber, originatedBy, extra } = await record();
      assert.deepEqual([result, releaseReason, callerNumber], ['ANSWERED', 'normal-clearing', '1000']);
      assert.ok(originatedBy);
      assert.deepEqual([extra?.['sound'], extra?.['played']], ['sound.wav', 'whole']);
      const jobs = await server.mml('DSP DIALJOB', 'JSON');
      assert.match(jobs, /"state":"done".*"done":1/);
      assert.match(jobs, new RegExp(`"id":"${extra?.['dialJob']}"`));
    });

    test('a job is stopped: the phone that rings is cancelled', async () => {
      await server.mmlOk('STR CALL BATCH: NUMBERS=1001&9999, PARALLEL=1');
      await phone.event('CALL_INCOMING');
      await server.mmlOk('STP CALL ALL');
      await phone.event('CALL_CLOSED');
      assert.equal((await record()).releaseReason, 'operator-ended');
      assert.match(await server.mml('DSP DIALJOB', 'JSON'), /"state":"stopped".*"stopped":2/);
    });
  });

describe('announcements of a server behind a NAT', () => {
  test('the caller is told EXTERNAL_IP, and hears the sound that comes from loopback', async (t) => {
    const calls = await startCallServer({ MEDIA_RELAY: 'embedded', EXTERNAL_IP: '203.0.113.9' });
    t.after(() => calls.close());
    const ear = await AudioPhone.open();
    t.after(() => ear.close());
    await calls.mmlOk('MOD ANNOUNCE: NAME=UNKNOWN, SOUND="tone:sit", SEC=2, ENABLED=YES');
    const a = await calls.phone('1001');
    const invite = await a.invite('9999', audioSdp('127.0.0.1', ear.port, 'sendrecv', 1));
    const progress = await a.response(invite, 183);
    assert.match(progress.body.toString(), /^c=IN IP4 203\.0\.113\.9\r$/m);
    await waitFor('the first tone', () => ear.heard.length > 12);
    assert.equal(ear.tone([950, 1400], 12), 950);
    const refusal = await a.final(invite);
    assert.equal(refusal.statusCode, 404);
    a.ackRefusal(invite, refusal);
    const [record] = await calls.records(1);
    assert.equal(record?.announcement, 'UNKNOWN');
  });
});

describe('announcements over IPv6', () => {
  test('a caller on IPv6 hears the sound', async (t) => {
    const calls = await startCallServer({
      MEDIA_RELAY: 'embedded',
      SIP_LISTEN: 'udp:127.0.0.1:0,udp:[::1]:0',
    });
    t.after(() => calls.close());
    const ear = await AudioPhone.open('::1');
    t.after(() => ear.close());
    await calls.mmlOk('MOD ANNOUNCE: NAME=UNKNOWN, SOUND="tone:sit", SEC=2, ENABLED=YES');
    const port = Number(
      calls.server.facts.sip
        .find((one) => one.includes('[::1]'))
        ?.split(':')
        .at(-1),
    );
    const a = await calls.phone('1001', { server: { address: '::1', port } });
    const invite = await a.invite('9999', audioSdp('::1', ear.port, 'sendrecv', 1));
    assert.match((await a.response(invite, 183)).body.toString(), /^c=IN IP6 ::1\r$/m);
    await waitFor('the first tone', () => ear.heard.length > 12);
    assert.equal(ear.tone([950, 1400], 12), 950);
    a.ackRefusal(invite, await a.response(invite, 404));
    assert.equal((await calls.records(1))[0]?.announcement, 'UNKNOWN');
  });
});
