import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Dialler } from '../../../src/dialler/dial-service.js';
import type { DialJobView, DialOrder } from '../../../src/dialler/types.js';
import { silentLogger } from '../../../src/platform/logger.js';
import type { SipRequest } from '../../../src/sip/message.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { toneSamples } from '../../../src/testkit/tone.js';
import { AudioPhone } from '../../support/audio-phone.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import { makeWav } from '../../support/make-wav.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { openTempStore } from '../../support/temp-store.js';
import { addTrunk, routeZero } from '../../support/trunk-steps.js';
import { waitFor } from '../../support/wait-for.js';

const TONES = [440, 660];

/** The server calls phones by itself; `a` is the subscriber that it calls as. */
describe('the dialler', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  let ear: AudioPhone;
  let dialler: Dialler;
  let closeStore: () => Promise<void>;
  let count = 0;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones());
    ear = await AudioPhone.open();
    const store = await openTempStore();
    closeStore = store.close;
    const { users, control: calls, audio, sounds } = rig;
    dialler = new Dialler({ store: store.store, users, calls, audio, sounds, log: silentLogger });
    const file = join(sounds.directory, 'hello.wav');
    writeFileSync(file, makeWav(toneSamples(440, 0, 4000), { tag: 7, bits: 8 }));
    await dialler.modify({ caller: '1001', sound: 'hello.wav' });
  });
  after(async () => {
    await dialler.close();
    await rig.close();
    await closeStore();
    ear.close();
  });

  const start = (order: Partial<DialOrder> & Pick<DialOrder, 'numbers'>): Promise<DialJobView> =>
    dialler.start({ by: 'oper', ...order });

  /** The ear's description, with telephone events. */
  const listening = (): string =>
    `${audioSdp('127.0.0.1', ear.port, 'sendrecv', 1).replace(/^(m=audio \d+ RTP\/AVP 0)/m, '$1 101')}a=rtpmap:101 telephone-event/8000\r\n`;

  /** The phone rings and answers with the ear's description. */
  async function answers(phone: SipPeer): Promise<SipRequest> {
    const invite = await phone.next('INVITE');
    phone.respond(invite, 180);
    phone.respond(invite, 200, { sdp: listening() });
    await phone.next('ACK');
    return invite;
  }

  async function over(job: DialJobView, calls: number): Promise<DialJobView> {
    count += calls;
    await rig.records(count);
    const find = () => dialler.jobs().find(({ id }) => id === job.id)!;
    await waitFor('the job to be over', () => find().state !== 'running' && find().running === 0);
    await waitFor('no endpoint', async () => (await rig.audio.stats()).endpoints === 0);
    return find();
  }

  test('RFC 4733 §3.2: one number: it rings, hears the file to its end, and BYE; the record says so', async () => {
    const job = await start({ numbers: ['1002'] });
    const invite = await answers(b);
    assert.match(invite.get('from') ?? '', /sip:1001@/);
    assert.match(invite.body.toString(), /^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    await waitFor('the callee to talk', () => dialler.targets(job.id)[0]?.state === 'talking');
    ear.say(660, mediaPort(invite)!);
    ear.send(mediaPort(invite)!, 101, Buffer.of(1, 0, 0, 160), 5000);
    const bye = await b.expectBye();
    assert.match(bye.get('reason') ?? '', /Q\.850;cause=16/);
    assert.equal(ear.heard.length, 25);
    assert.equal(ear.tone(TONES), 440);
    const view = await over(job, 1);
    assert.deepEqual([view.state, view.total, view.done, view.failed, view.calls], ['done', 1, 1, 0, 1]);
    const [target] = dialler.targets(job.id);
    assert.deepEqual(
      [target?.state, target?.result, target?.isPlayed, target?.digits],
      ['done', 'ANSWERED', true, '1'],
    );
    const record = (await rig.records(count)).at(-1)!;
    assert.deepEqual(
      [record.result, record.releaseReason, record.releaseParty, record.originatedBy, record.callerNumber],
      ['ANSWERED', 'normal-clearing', 'SERVER', 'oper', '1001'],
    );
    assert.deepEqual(record.extra, { dialJob: job.id, sound: 'hello.wav', played: 'whole', digits: '1' });
    assert.equal(record.billSec, 1 + Math.floor((record.durationMs - (record.setupMs ?? 0)) / 1000));
    assert.equal(record.id, target?.recordId);
    // Other relays count in their own ways.
    if (!process.env['MEDIA_RELAY']) assert.ok((record.media[0]?.packetsFromA ?? 0) >= 25);
  });

  test('many numbers: no more at once than allowed, each with its own result', async () => {
    const job = await start({ numbers: ['1002', '1003', '9999', '1002'], parallel: 1 });
    assert.equal(job.total, 3, 'a number stands once');
    const atB = await b.next('INVITE');
    assert.ok(!c.has('INVITE'));
    assert.equal(dialler.jobs()[0]?.running, 1);
    b.respond(atB, 486);
    await b.next('ACK');
    await answers(c);
    await c.expectBye();
    const view = await over(job, 3);
    assert.deepEqual([view.done, view.failed], [1, 2]);
    assert.deepEqual(
      dialler.targets(job.id).map(({ number, state, reason }) => [number, state, reason]),
      [
        ['1002', 'failed', 'callee-busy'],
        ['1003', 'done', 'normal-clearing'],
        ['9999', 'failed', 'callee-unknown'],
      ],
    );
  });

  test('a phone that hangs up in the middle has not heard it', async () => {
    const job = await start({ numbers: ['1002'], repeat: 5 });
    const invite = await answers(b);
    await waitFor('the sound', () => ear.heard.length > 3);
    await b.bye(b.dialogAsUas(invite));
    const view = await over(job, 1);
    assert.equal(view.failed, 1);
    const record = (await rig.records(count)).at(-1)!;
    assert.deepEqual([record.releaseParty, record.extra?.['played']], ['CALLEE', 'part']);
  });

  test('RFC 3264 §8.4: a callee that holds the call hears nothing until it resumes', async () => {
    const job = await start({ numbers: ['1002'], sound: 'tone:busy', repeat: 10 });
    ear.heard.length = 0;
    const invite = await answers(b);
    const dialog = b.dialogAsUas(invite);
    await waitFor('the sound', () => ear.heard.length > 3);
    await rig.stateIs('connected');
    const hold = b.inDialog(dialog, 'INVITE', { sdp: listening().replace('sendrecv', 'sendonly') });
    const held = await b.response(hold, 200);
    assert.match(held.body.toString(), /a=recvonly/);
    b.ackIn(dialog, hold.cseq?.seq ?? 0);
    await rig.stateIs('held');
    // The audio thread answers after it has done what it was told.
    const { sent } = await rig.audio.stats();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await rig.audio.stats()).sent, sent, 'nothing is sent to who holds');
    const { length } = ear.heard;
    const resume = b.inDialog(dialog, 'INVITE', { sdp: listening() });
    assert.match((await b.response(resume, 200)).body.toString(), /a=sendrecv/);
    b.ackIn(dialog, resume.cseq?.seq ?? 0);
    await waitFor('the sound again', () => ear.heard.length > length + 3);
    await b.bye(dialog);
    await over(job, 1);
    assert.equal((await rig.records(count)).at(-1)?.reinvites, 2);
  });

  test('stopped: who talks gets BYE, who rings CANCEL, who waits is not called', async () => {
    const job = await start({ numbers: ['1002', '1003', '1001'], parallel: 2, repeat: 10 });
    await answers(b);
    const atC = await c.next('INVITE');
    c.respond(atC, 180);
    assert.equal(await dialler.stop(job.id), 1);
    await b.expectBye();
    c.respond(await c.next('CANCEL'), 200);
    c.respond(atC, 487);
    const view = await over(job, 2);
    assert.deepEqual([view.state, view.stopped], ['stopped', 3]);
    assert.ok(!a.has('INVITE'));
    const reasons = (await rig.records(count)).slice(-2).map(({ releaseReason }) => releaseReason);
    assert.deepEqual(reasons, ['operator-ended', 'operator-ended']);
    assert.equal(await dialler.stop(), 0);
  });

  test('nobody answers in the time of the job; the next try succeeds', { timeout: 30_000 }, async () => {
    const job = await start({ numbers: ['1002'], noAnswerSec: 5, retries: 1, retrySec: 5 });
    const first = await b.next('INVITE');
    b.respond(first, 180);
    const cancel = await b.next('CANCEL', 8000);
    b.respond(cancel, 200);
    b.respond(first, 487);
    await waitFor('the number to wait', () => dialler.targets(job.id)[0]?.state === 'waiting');
    assert.equal(dialler.targets(job.id)[0]?.reason, 'callee-no-answer');
    const second = await b.next('INVITE', 8000);
    b.respond(second, 200, { sdp: listening() });
    await b.next('ACK');
    await b.expectBye();
    const view = await over(job, 2);
    assert.deepEqual([view.done, view.calls], [1, 2]);
  });

  test('more at once than the trunk carries: who found no line is called later', {
    timeout: 30_000,
  }, async () => {
    const gateway = await rig.peer('gw');
    await addTrunk(rig, 'GW', gateway, { maxCalls: 1 });
    await routeZero(rig, 'GW');
    const job = await start({ numbers: ['0111', '0222'], parallel: 2, retrySec: 5 });
    await answers(gateway);
    await waitFor('the other to wait', () => dialler.targets(job.id)[1]?.state === 'waiting');
    assert.equal(dialler.targets(job.id)[1]?.reason, 'trunks-full');
    await gateway.expectBye();
    const invite = await gateway.next('INVITE', 8000);
    assert.match(invite.requestUri, /^sip:0222@/);
    gateway.respond(invite, 200, { sdp: listening() });
    await gateway.next('ACK');
    await gateway.expectBye();
    const find = () => dialler.jobs().find(({ id }) => id === job.id)!;
    await waitFor('the job to be over', () => find().state === 'done');
    const { done, failed, calls } = await over(job, find().calls);
    assert.deepEqual([done, failed], [2, 0]);
    assert.ok(calls >= 3);
    assert.deepEqual(
      dialler.targets(job.id).map(({ tries }) => tries),
      [1, 1],
    );
  });

  test('what cannot be done is refused at once', async () => {
    const refused = (order: Partial<DialOrder>, code: string, message: RegExp) =>
      assert.rejects(start({ numbers: ['1002'], ...order }), { code, message });
    await refused({ numbers: [] }, 'FIELD_INVALID', /1 to 1000 numbers/);
    await refused({ parallel: 101 }, 'FIELD_INVALID', /parallel is 1 to 100/);
    await refused({ caller: '7777' }, 'FIELD_INVALID', /no subscriber/);
    await refused({ sound: 'none.wav' }, 'SOUND_UNUSABLE', /none\.wav cannot be read/);
    await refused({ sound: 'tone:polka' }, 'SOUND_UNUSABLE', /no tone polka/);
    await assert.rejects(dialler.stop('NOPE'), { code: 'DIALJOB_UNKNOWN' });
    await dialler.modify({ enabled: false });
    await refused({}, 'DIALSVC_OFF', /STR DIALSVC/);
    await dialler.modify({ enabled: true });
  });

  test('a server that goes down lets calls end and begins none', async () => {
    const job = await start({ numbers: ['1002', '1003'], parallel: 1 });
    await answers(b);
    dialler.setDraining();
    await b.expectBye();
    const view = await over(job, 1);
    assert.deepEqual([view.done, view.stopped, view.state], [1, 1, 'stopped']);
    assert.ok(!c.has('INVITE'));
    await assert.rejects(start({ numbers: ['1002'] }), { code: 'DIALSVC_OFF' });
  });
});
