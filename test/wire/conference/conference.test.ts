import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { CallRecord } from '../../../src/cdr/types.js';
import type { SipRequest, SipResponse } from '../../../src/sip/message.js';
import type { DialogState } from '../../../src/testkit/dialog.js';
import { audioSdp } from '../../../src/testkit/sdp-text.js';
import { AudioPhone } from '../../support/audio-phone.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { waitFor } from '../../support/wait-for.js';

const ROOM = 'conf_team';
/** What 1001, 1002 and 1003 say. */
const [TONE_A, TONE_B, TONE_C] = [440, 1000, 1500] as const;
const TONES = [TONE_A, TONE_B, TONE_C];
const JOIN = [620, 930];

interface Member {
  readonly phone: SipPeer;
  readonly ear: AudioPhone;
  readonly ok: SipResponse;
  readonly dialog: DialogState;
  readonly port: number;
}

describe('conference rooms', () => {
  let rig: CallRig;
  let phones: SipPeer[];
  let ears: AudioPhone[];
  let count = 0;
  before(async () => {
    const started = await startThreePhones();
    rig = started.rig;
    phones = [started.a, started.b, started.c];
  });
  after(() => rig.close());
  beforeEach(async () => {
    ears = await Promise.all([AudioPhone.open(), AudioPhone.open(), AudioPhone.open()]);
  });
  afterEach(() => {
    for (const ear of ears) ear.close();
  });

  /** Dials the room; resolves when the phone is in it. */
  async function join(at: number, room = ROOM): Promise<Member> {
    const [phone, ear] = [phones[at]!, ears[at]!];
    const invite = await phone.invite(room, audioSdp('127.0.0.1', ear.port, 'sendrecv', 1));
    const ok = await phone.response(invite, 200);
    return { phone, ear, ok, dialog: phone.ack(invite, ok), port: mediaPort(ok)! };
  }

  async function refused(at: number, status: number, room = ROOM): Promise<SipResponse> {
    const phone = phones[at]!;
    const invite = await phone.invite(room, audioSdp('127.0.0.1', ears[at]!.port, 'sendrecv', 1));
    const final = await phone.final(invite);
    assert.equal(final.statusCode, status);
    phone.ackRefusal(invite, final);
    return final;
  }

  const leave = async ({ phone, dialog }: Member): Promise<void> => {
    assert.equal((await phone.bye(dialog)).statusCode, 200);
  };

  /** The records of so many calls more, the newest at the end; all endpoints are closed. */
  async function records(more: number): Promise<CallRecord[]> {
    count += more;
    const all = await rig.records(count);
    await waitFor('no endpoint', async () => (await rig.audio.stats()).endpoints === 0);
    assert.deepEqual(rig.conferences.rooms(), []);
    return all.slice(-more);
  }

  const hears = (member: Member, tones: readonly number[]): Promise<void> =>
    waitFor(`${member.phone.username} to hear ${tones}`, () => {
      const { ear } = member;
      return ear.heard.length > 30 && `${ear.chord(TONES)}` === `${tones}`;
    });

  test('RFC 4579 §4: three members: each hears the two others and not itself, and is told isfocus', async () => {
    const a = await join(0);
    assert.match(a.ok.get('contact') ?? '', /^<sip:conf_team@127\.0\.0\.1:\d+>;isfocus$/);
    const [b, c] = [await join(1), await join(2)];
    a.ear.say(TONE_A, a.port);
    b.ear.say(TONE_B, b.port);
    c.ear.say(TONE_C, c.port);
    await hears(a, [TONE_B, TONE_C]);
    await hears(b, [TONE_A, TONE_C]);
    await hears(c, [TONE_A, TONE_B]);
    assert.deepEqual(
      rig.conferences.members(ROOM).map(({ member, isMuted }) => [member, isMuted]),
      [
        ['1001', false],
        ['1002', false],
        ['1003', false],
      ],
    );
    await leave(a);
    await hears(b, [TONE_C]);
    await leave(b);
    await leave(c);
    const ended = await records(3);
    for (const record of ended) {
      assert.deepEqual(
        [record.result, record.conferenceId, record.calleeNumber, record.releaseReason, record.releaseParty],
        ['ANSWERED', ROOM, ROOM, 'normal-clearing', 'CALLER'],
      );
      assert.ok((record.media[0]?.packetsFromB ?? 0) > 20);
    }
    assert.deepEqual(ended.map(({ callerNumber }) => callerNumber).sort(), ['1001', '1002', '1003']);
  });

  test('who comes and who goes is heard by a tone, and alone there is silence', async () => {
    const a = await join(0);
    await waitFor('the tone of joining', () => a.ear.chord([JOIN[1]!], 6).length === 1);
    await waitFor('silence', () =>
      a.ear.heard.slice(-10).every(({ payload }) => payload.every((byte) => byte === 0xff)),
    );
    const b = await join(1);
    a.ear.forget();
    await waitFor('the tone of joining again', () => a.ear.chord([JOIN[1]!], 6).length === 1);
    await waitFor('silence again', () => a.ear.chord([...JOIN], 6).length === 0);
    await leave(b);
    a.ear.forget();
    await waitFor('the tone of leaving', () => a.ear.chord([JOIN[0]!], 6).length === 1);
    await leave(a);
    await records(2);
  });

  test('a muted member hears and is not heard', async () => {
    const [a, b] = [await join(0), await join(1)];
    a.ear.say(TONE_A, a.port);
    b.ear.say(TONE_B, b.port);
    await hears(a, [TONE_B]);
    assert.equal(rig.conferences.mute(ROOM, '1002', true), 1);
    await hears(a, []);
    await hears(b, [TONE_A]);
    assert.deepEqual(
      rig.conferences.members(ROOM).map(({ isMuted }) => isMuted),
      [false, true],
    );
    rig.conferences.mute(ROOM, undefined, false);
    await hears(a, [TONE_B]);
    await leave(a);
    await leave(b);
    await records(2);
  });

  test('an operator puts one out, and ends the rest', async () => {
    const [a, b] = [await join(0), await join(1)];
    await waitFor('both ACKs', () => rig.control.count().connected === 2);
    assert.equal(rig.conferences.kick(ROOM, '1002'), 1);
    const bye = await b.phone.expectBye();
    assert.match(bye.get('reason') ?? '', /Q\.850;cause=16;text="conference-removed"/);
    assert.equal(rig.conferences.end(ROOM), 1);
    await a.phone.expectBye();
    const ended = await records(2);
    assert.deepEqual(
      ended.map(({ result, releaseReason, releaseParty, sipStatus }) => [
        result,
        releaseReason,
        releaseParty,
        sipStatus,
      ]),
      [
        ['ANSWERED', 'conference-removed', 'OPERATOR', 200],
        ['ANSWERED', 'conference-ended', 'OPERATOR', 200],
      ],
    );
  });

  test('RFC 3261 §21.4.18, RFC 3261 §21.4.24, RFC 3261 §21.5.4: a locked room is 480, a full one 486, one room too many 503', async () => {
    await rig.conferences.modify({ maxRooms: 1, maxMembers: 2 });
    const a = await join(0);
    rig.conferences.lock(ROOM, true);
    const locked = await refused(1, 480);
    assert.match(locked.get('reason') ?? '', /Q\.850;cause=21;text="conference-locked"/);
    rig.conferences.lock(ROOM, false);
    const b = await join(1);
    await refused(2, 486);
    const limited = await refused(2, 503, 'conf_other');
    assert.equal(limited.get('retry-after'), '10');
    await leave(a);
    await leave(b);
    const all = await records(5);
    await rig.conferences.modify({ maxRooms: 50, maxMembers: 20 });
    assert.deepEqual(
      all
        .filter(({ answerTime }) => answerTime === undefined)
        .map(({ result, sipStatus, releaseReason, conferenceId, q850Cause }) => [
          result,
          sipStatus,
          releaseReason,
          conferenceId,
          q850Cause,
        ]),
      [
        ['REJECTED', 480, 'conference-locked', ROOM, 21],
        ['BUSY', 486, 'conference-full', ROOM, 17],
        ['FAILED', 503, 'conference-limit', 'conf_other', 42],
      ],
    );
  });

  test('the last seat goes to one of two that come at once', async () => {
    await rig.conferences.modify({ maxMembers: 2 });
    const a = await join(0);
    const invites: SipRequest[] = [];
    for (const at of [1, 2])
      invites.push(await phones[at]!.invite(ROOM, audioSdp('127.0.0.1', ears[at]!.port, 'sendrecv', 1)));
    const finals = await Promise.all(invites.map((invite, i) => phones[i + 1]!.final(invite)));
    assert.deepEqual(finals.map(({ statusCode }) => statusCode).sort(), [200, 486]);
    for (const [i, final] of finals.entries()) {
      const phone = phones[i + 1]!;
      if (final.statusCode === 200) await phone.bye(phone.ack(invites[i]!, final));
      else phone.ackRefusal(invites[i]!, final);
    }
    await leave(a);
    const all = await records(3);
    assert.equal(all.filter(({ releaseReason }) => releaseReason === 'conference-full').length, 1);
    await rig.conferences.modify({ maxMembers: 20 });
  });
});
