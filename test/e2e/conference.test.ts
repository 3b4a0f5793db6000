import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { audioSdp } from '../../src/testkit/sdp-text.js';
import { AudioPhone } from '../support/audio-phone.js';
import { Baresip } from '../support/baresip.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { mediaPort } from '../support/call-steps.js';
import { missing } from '../support/peers.js';
import { waitFor } from '../support/wait-for.js';

const [TONE_A, TONE_B, TONE_C] = [440, 1000, 1500] as const;
const TONES = [TONE_A, TONE_B, TONE_C];

/** Two phones of the test and a baresip in one room of a whole server, run from its console. */
describe('a conference on a whole server', { skip: missing('baresip') }, () => {
  let calls: CallServer;
  let phone: Baresip;
  const ears: AudioPhone[] = [];
  before(async () => {
    calls = await startCallServer();
    const { server, users } = calls;
    const where = { address: server.address, port: server.udpPort };
    phone = await Baresip.start({
      username: '1003',
      password: (users as Record<string, string>)['1003']!,
      toneHz: TONE_C,
      server: where,
    });
    await phone.registered();
    for (let i = 0; i < 2; i++) ears.push(await AudioPhone.open());
  });
  after(async () => {
    for (const ear of ears) ear.close();
    await phone?.close();
    await calls?.close();
  });

  test('everybody hears the others; the console lists, mutes, locks, removes and ends', async () => {
    const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
    const [earA, earB] = ears as [AudioPhone, AudioPhone];
    await calls.mmlOk('SET CONF: NUMBERS=8000-8099, TONES=NO');
    const inviteA = await a.invite('8000', audioSdp('127.0.0.1', earA.port));
    const okA = await a.response(inviteA, 200);
    a.ack(inviteA, okA);
    const inviteB = await b.invite('8000', audioSdp('127.0.0.1', earB.port));
    const okB = await b.response(inviteB, 200);
    const dialogB = b.ack(inviteB, okB);
    phone.command('dial', '8000');
    await phone.event('CALL_ESTABLISHED');
    earA.say(TONE_A, mediaPort(okA)!);
    const hear = (ear: AudioPhone, tones: readonly number[]): Promise<void> =>
      waitFor(`to hear ${tones}`, () => ear.heard.length > 30 && `${ear.chord(TONES)}` === `${tones}`);
    await hear(earA, [TONE_C]);
    await hear(earB, [TONE_A, TONE_C]);
    await waitFor('baresip to hear 1001', async () => (await phone.hears(TONES)) === TONE_A);
    earB.say(TONE_B, mediaPort(okB)!);
    await hear(earA, [TONE_B, TONE_C]);

    const text = await calls.mmlOk('DSP CONF: ROOM=8000');
    for (const member of ['1001', '1002', '1003']) assert.match(text, new RegExp(`8000 +${member} `));
    await calls.mmlOk('ACT CONFMUTE: ROOM=8000, MEMBER=1002');
    await hear(earA, [TONE_C]);
    await calls.mmlOk('DEA CONFMUTE: ROOM=8000, ALL');
    await hear(earA, [TONE_B, TONE_C]);

    await calls.mmlOk('ACT CONFLOCK: ROOM=8000');
    assert.match(await calls.mmlOk('TST ROUTE: FROM=1004, TO=8000'), /conference-locked/);
    await calls.mmlOk('RMV CONFMEMBER: ROOM=8000, MEMBER=1003');
    await phone.event('CALL_CLOSED');
    await hear(earA, [TONE_B]);
    assert.match(await calls.mml('RMV CONFMEMBER: ROOM=8000, MEMBER=1003'), /RETCODE = 4001 /);
    assert.equal((await b.bye(dialogB)).statusCode, 200);
    await calls.mmlOk('STP CONF: ROOM=8000, CONFIRM=YES');
    await a.expectBye();

    const records = await calls.records(3);
    assert.deepEqual(
      records
        .map(({ callerNumber, result, releaseReason, conferenceId }) => [
          callerNumber,
          result,
          releaseReason,
          conferenceId,
        ])
        .sort(),
      [
        ['1001', 'ANSWERED', 'conference-ended', '8000'],
        ['1002', 'ANSWERED', 'normal-clearing', '8000'],
        ['1003', 'ANSWERED', 'conference-removed', '8000'],
      ],
    );
    assert.match(await calls.mml('DSP CONF: ROOM=8000'), /RETCODE = 4001 /);
  });

  test('a room is not there after a restart, and its members have heard BYE', async () => {
    const a = await calls.phone('1001', { transport: 'tcp' });
    const invite = await a.invite('conf_team');
    const ok = await a.response(invite, 200);
    assert.match(ok.get('contact') ?? '', /^<sip:conf_team@127\.0\.0\.1:\d+;transport=tcp>;isfocus$/);
    a.ack(invite, ok);
    const restarted = calls.restart();
    await a.expectBye();
    await restarted;
    const record = (await calls.records(4)).at(-1);
    assert.deepEqual([record?.releaseReason, record?.conferenceId], ['server-shutdown', 'conf_team']);
    assert.doesNotMatch(await calls.mmlOk('DSP CONF'), /conf_team/);
  });
});
