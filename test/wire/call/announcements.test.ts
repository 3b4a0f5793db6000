import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { SipRequest, SipResponse } from '../../../src/sip/message.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { toneSamples } from '../../../src/testkit/tone.js';
import { AudioPhone } from '../../support/audio-phone.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import { makeWav } from '../../support/make-wav.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

const TONES = [425, 620, 880, 950];

describe('announcements for failed calls', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let ear: AudioPhone;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones({ limits: { noAnswerMs: 600 } }));
    writeFileSync(
      join(rig.sounds.directory, 'busy.wav'),
      makeWav(toneSamples(880, 0, 4000), { tag: 7, bits: 8 }),
    );
  });
  after(() => rig.close());
  beforeEach(async () => {
    ear = await AudioPhone.open();
  });
  afterEach(() => ear.close());

  const call = (number: string): Promise<SipRequest> =>
    a.invite(number, audioSdp('127.0.0.1', ear.port, 'sendrecv', 1));

  async function fails(invite: SipRequest, status: number): Promise<SipResponse> {
    const final = await a.final(invite);
    assert.equal(final.statusCode, status);
    a.ackRefusal(invite, final);
    return final;
  }

  async function lastRecord() {
    const record = (await rig.records(++count)).at(-1)!;
    await waitFor('no endpoint', async () => (await rig.audio.stats()).endpoints === 0);
    return record;
  }

  test('off by default: the caller hears the failure at once and nothing else', async () => {
    const invite = await call('9999');
    await fails(invite, 404);
    const record = await lastRecord();
    assert.equal(record.announcement, undefined);
    assert.deepEqual(record.media, []);
    assert.equal(ear.heard.length, 0);
  });

  test('RFC 3960 §3: an unknown number: 183 with SDP, the tone, then 404 with the record of a failed call', async () => {
    await rig.announcements.modify(['UNKNOWN'], { enabled: true, seconds: 1 });
    const invite = await call('9999');
    const progress = await a.response(invite, 183);
    assert.match(progress.body.toString(), /^m=audio \d+ RTP\/AVP 0\r$/m);
    await rig.stateIs('announcing');
    await fails(invite, 404);
    assert.equal(ear.tone(TONES, ear.heard.length), 0, 'three tones one after the other');
    assert.ok(ear.heard.length > 40 && ear.heard.length < 55, String(ear.heard.length));
    assert.equal(ear.heard[10]?.payloadType, 0);
    const record = await lastRecord();
    assert.equal(record.announcement, 'UNKNOWN');
    assert.deepEqual(
      [record.result, record.releaseReason, record.sipStatus, record.q850Cause, record.billSec],
      ['FAILED', 'callee-unknown', 404, 1, 0],
    );
    assert.equal(record.answerTime, undefined);
    assert.ok(record.durationMs >= 1000);
    // Other relays count in their own ways.
    if (!process.env['MEDIA_RELAY']) assert.ok((record.media[0]?.packetsFromB ?? 0) > 40);
    await rig.announcements.modify(['UNKNOWN'], { enabled: false });
  });

  test('busy: a file is played once, and Reason tells what the callee said', async () => {
    await rig.announcements.modify(['BUSY'], { enabled: true, sound: 'busy.wav' });
    const invite = await call('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 486, { phrase: 'Busy Here' });
    await b.next('ACK');
    assert.ok(mediaPort(await a.response(invite, 183)));
    const final = await fails(invite, 486);
    assert.match(final.get('reason') ?? '', /Q\.850;cause=17/);
    assert.equal(ear.heard.length, 25, 'half a second');
    assert.equal(ear.tone(TONES), 880);
    const record = await lastRecord();
    assert.deepEqual(
      [record.announcement, record.result, record.releaseReason, record.releaseParty],
      ['BUSY', 'BUSY', 'callee-busy', 'CALLEE'],
    );
  });

  test('a caller that hangs up while it is told hears 487; the record knows why the call had failed', async () => {
    await rig.announcements.modify(['BUSY'], { enabled: true, sound: 'tone:busy' });
    const invite = await call('1002');
    b.respond(await b.next('INVITE'), 486);
    await a.response(invite, 183);
    await waitFor('the tone', () => ear.tone(TONES) === 425);
    const cancel = a.cancel(invite);
    assert.equal((await a.response(cancel, 200)).statusCode, 200);
    await fails(invite, 487);
    const record = await lastRecord();
    assert.deepEqual(
      [record.result, record.releaseReason, record.sipStatus, record.announcement],
      ['BUSY', 'callee-busy', 487, 'BUSY'],
    );
  });

  test('phones that rang in vain are cancelled before the caller is told', async () => {
    await rig.announcements.modify(['NO_ANSWER'], { enabled: true, seconds: 1 });
    const invite = await call('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    const cancel = await b.next('CANCEL');
    b.respond(cancel, 200);
    b.respond(atB, 487);
    assert.ok(mediaPort(await a.response(invite, 183)));
    await fails(invite, 480);
    assert.equal((await lastRecord()).releaseReason, 'callee-no-answer');
  });

  test('a phone whose answer cannot be used is let go before the caller is told', async () => {
    await rig.announcements.modify(['FAILED'], { enabled: true, seconds: 3 });
    const invite = await call('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: 'v=0\r\nnonsense' });
    await b.next('ACK');
    await b.expectBye();
    assert.ok(mediaPort(await a.response(invite, 183)));
    await rig.stateIs('announcing');
    await a.response(a.cancel(invite), 200);
    await fails(invite, 487);
    assert.equal((await lastRecord()).releaseReason, 'callee-description-bad');
  });

  test('a caller without an offer, or without G.711, hears the failure at once', async () => {
    await rig.announcements.modify(['UNKNOWN'], { enabled: true, seconds: 5 });
    const late = await a.invite('9999', null);
    await fails(late, 404);
    assert.equal((await lastRecord()).announcement, undefined);
    const opus = audioSdp('127.0.0.1', ear.port, 'sendrecv', 1)
      .replace(/^m=audio (\d+) .*$/m, 'm=audio $1 RTP/AVP 111')
      .replace(/^a=rtpmap.*$/gm, 'a=rtpmap:111 opus/48000/2');
    await fails(await a.invite('9999', opus), 404);
    const record = await lastRecord();
    assert.equal(record.announcement, undefined);
    assert.equal(record.releaseReason, 'callee-unknown');
  });

  test('an operator ends a call that is being told', async () => {
    const invite = await call('9999');
    await a.response(invite, 183);
    const [view] = rig.control.list();
    await rig.control.end(view!.id);
    await fails(invite, 480);
    assert.equal((await lastRecord()).releaseReason, 'operator-ended');
  });

  test('a file that is gone does not keep the caller', async () => {
    await rig.announcements.modify(['UNKNOWN'], { enabled: true, sound: 'busy.wav' });
    await rig.audio.check({ tone: 'beep' });
    writeFileSync(join(rig.sounds.directory, 'busy.wav'), 'no sound any more');
    await fails(await call('9999'), 404);
    const record = await lastRecord();
    assert.equal(record.releaseReason, 'callee-unknown');
    await assert.rejects(rig.announcements.modify(['BUSY'], { sound: 'busy.wav' }), {
      code: 'SOUND_UNUSABLE',
    });
    await assert.rejects(rig.announcements.modify(['BUSY'], { sound: '../secret.wav' }), /is no sound/);
  });

  test('a feature code is heard', async () => {
    await rig.announcements.modify(['CODE_DONE'], { enabled: true, seconds: 1 });
    const invite = await call('*78');
    await a.response(invite, 183);
    const final = await fails(invite, 603);
    assert.match(final.reasonPhrase, /disturb/i);
    assert.equal((await lastRecord()).announcement, 'CODE_DONE');
  });
});
