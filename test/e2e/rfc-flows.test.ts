import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../src/cdr/types.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { freeUdpPort } from '../support/free-port.js';
import { boundUdpPorts } from '../support/listening-ports.js';
import { missing } from '../support/peers.js';
import { type SippOptions, sippThrough, subscriberLine } from '../support/sipp.js';
import { waitFor } from '../support/wait-for.js';

type Username = '1001' | '1002' | '1003' | '1004';

/** The call flows of RFC 3665 and RFC 5359, each by SIPp through a whole server: docs/rfc-flows.md. */
describe('flows of RFC 3665 and RFC 5359', { skip: missing('sipp') }, () => {
  let calls: CallServer;
  const ports = new Map<Username, number>();
  let seen = 0;

  before(async () => {
    calls = await startCallServer({ NO_ANSWER_SEC: '3', RING_TOTAL_SEC: '10' });
    for (const username of ['1001', '1002', '1003', '1004'] as const) {
      const localPort = await freeUdpPort();
      ports.set(username, localPort);
      await run({ scenario: 'uac-register-and-stay-expect-200', lines: [lineOf(username)], localPort });
    }
  });
  after(() => calls?.close());

  function lineOf(username: Username, ...more: string[]): string {
    return subscriberLine(username, `${username}-secret`, ...more);
  }

  const run = (options: Omit<SippOptions, 'port'>): Promise<void> => sippThrough(calls.server, options);

  /** A phone that waits for one call at its registered port; resolves once it is there, `done` when the scenario is over. */
  async function phone(
    username: Username,
    scenario: string,
    args: readonly string[] = [],
  ): Promise<{ done: Promise<void> }> {
    const localPort = ports.get(username)!;
    const done = run({ scenario, localPort, args });
    done.catch(() => undefined);
    await waitFor(`${scenario} at its port`, () => boundUdpPorts().has(localPort));
    return { done };
  }

  /** A call of a phone, with field 2 of its line when given. */
  function caller(
    scenario: string,
    number: string,
    { from = '1001', args = [], more = [] }: { from?: Username; args?: string[]; more?: string[] } = {},
  ): Promise<void> {
    return run({ scenario, lines: [lineOf(from, ...more)], args: ['-s', number, '-d', '300', ...args] });
  }

  /** The records of this flow: all that are new, and no more of them than `count`. */
  async function newRecords(count = 1): Promise<CallRecord[]> {
    seen += count;
    return (await calls.records(seen)).slice(-count);
  }

  async function onlyRecord(): Promise<CallRecord> {
    const [record] = await newRecords();
    return record!;
  }

  const facts = (record: CallRecord): unknown[] => [record.result, record.sipStatus, record.releaseReason];

  test('RFC 3665 §2.2: a second Contact', async () => {
    await run({ scenario: 'uac-register-another-contact-expect-both', lines: [lineOf('1004')] });
    await run({ scenario: 'uac-unregister-all-expect-200', lines: [lineOf('1004')] });
    const lines = [lineOf('1004')];
    await run({ scenario: 'uac-register-and-stay-expect-200', lines, localPort: ports.get('1004')! });
  });

  test('RFC 3665 §3.1: a session is established and ended by the caller, or by the callee', async () => {
    const first = await phone('1002', 'uas-answer');
    await caller('uac-call-expect-200', '1002');
    await first.done;
    assert.deepEqual(facts(await onlyRecord()), ['ANSWERED', 200, 'normal-clearing']);
    const second = await phone('1002', 'uas-answer-and-hang-up', ['-d', '300']);
    await caller('uac-call-expect-hang-up', '1002');
    await second.done;
    assert.equal((await onlyRecord()).releaseParty, 'CALLEE');
  });

  test('RFC 3665 §3.6: a redirection, and SDP in the ACK', async () => {
    await calls.mmlOk('MOD USER: USERNAME=1002, DEFLECT=YES');
    const redirecting = await phone('1002', 'uas-redirect', ['-s', '1003']);
    const answering = await phone('1003', 'uas-answer-with-offer');
    await caller('uac-late-offer-call-expect-200', '1002');
    await Promise.all([redirecting.done, answering.done]);
    await calls.mmlOk('MOD USER: USERNAME=1002, DEFLECT=NO');
    const record = await onlyRecord();
    assert.deepEqual([record.result, record.calleeNumber, record.forwardedBy], ['ANSWERED', '1003', '1002']);
  });

  test('RFC 3665 §3.7: a re-INVITE with a new address', async () => {
    const callee = await phone('1002', 'uas-answer-one-reinvite');
    await caller('uac-call-new-address-expect-200', '1002');
    await callee.done;
    const record = await onlyRecord();
    assert.deepEqual([record.result, record.reinvites], ['ANSWERED', 1]);
  });

  test('RFC 3665 §3.8: no answer, by the time of the server and by the caller’s CANCEL', async () => {
    const first = await phone('1002', 'uas-ring-until-cancelled');
    await caller('uac-unanswered-call-expect-480', '1002');
    await first.done;
    assert.deepEqual(facts(await onlyRecord()), ['NO_ANSWER', 480, 'callee-no-answer']);
    const second = await phone('1002', 'uas-ring-until-cancelled');
    await caller('uac-cancel-while-ringing-expect-487', '1002');
    await second.done;
    assert.equal((await onlyRecord()).result, 'CANCELLED');
  });

  test('RFC 3665 §3.9: busy', async () => {
    const callee = await phone('1002', 'uas-busy');
    await caller('uac-busy-call-expect-486', '1002');
    await callee.done;
    assert.deepEqual(facts(await onlyRecord()), ['BUSY', 486, 'callee-busy']);
  });

  test('RFC 3665 §3.10, §3.11: no response of the phone, and temporarily unavailable', async () => {
    // RFC 3261 §9.1: an INVITE that nobody said a word to cannot be cancelled, so it is repeated at this phone for a while.
    const silent = await phone('1004', 'uas-silent');
    await caller('uac-unanswered-call-expect-480', '1004');
    const record = await onlyRecord();
    assert.deepEqual(facts(record), ['NO_ANSWER', 480, 'callee-no-answer']);
    assert.equal(record.attempts.length, 1);
    await silent.done.catch(() => undefined);
    const unavailable = await phone('1002', 'uas-unavailable');
    await caller('uac-unanswered-call-expect-480', '1002');
    await unavailable.done;
    assert.deepEqual(facts(await onlyRecord()), ['NO_ANSWER', 480, 'callee-unavailable']);
  });

  test('RFC 5359 §2.1: hold and resume', async () => {
    const callee = await phone('1002', 'uas-answer-two-reinvites');
    await caller('uac-call-hold-resume-expect-200', '1002');
    await callee.done;
    const record = await onlyRecord();
    assert.deepEqual([record.result, record.reinvites], ['ANSWERED', 2]);
    assert.ok(record.holdMs > 0);
  });

  test('RFC 5359 §2.2: consultation while the first call is on hold', async () => {
    const held = await phone('1002', 'uas-answer-two-reinvites');
    const asked = await phone('1003', 'uas-answer');
    const first = caller('uac-call-hold-resume-expect-200', '1002', { args: ['-d', '3000'] });
    await waitFor('the hold', async () => /held/.test(await calls.server.mml('DSP CALL')));
    await caller('uac-call-expect-200', '1003');
    await Promise.all([first, held.done, asked.done]);
    for (const { result } of await newRecords(2)) assert.equal(result, 'ANSWERED');
  });

  test('RFC 5359 §2.4: an unattended transfer', async () => {
    const stays = await phone('1002', 'uas-be-transferred', ['-d', '300']);
    const comes = await phone('1003', 'uas-answer');
    await caller('uac-transfer-expect-notify-200', '1002', { more: ['<sip:1003@127.0.0.1>'] });
    await Promise.all([stays.done, comes.done]);
    const record = await onlyRecord();
    assert.deepEqual(
      [record.result, record.transferredBy, record.transferredTo],
      ['ANSWERED', '1001', '1003'],
    );
  });

  test('RFC 5359 §2.5: an attended transfer', async () => {
    const stays = await phone('1002', 'uas-be-transferred', ['-d', '300']);
    const comes = await phone('1003', 'uas-answer-one-reinvite');
    const [callId, fromTag] = ['consultation-of-the-flow', 'consulting'];
    const consultation = run({
      scenario: 'uac-consultation-expect-hang-up',
      lines: [lineOf('1001', fromTag)],
      args: ['-s', '1003', '-cid_str', callId],
    });
    consultation.catch(() => undefined);
    await waitFor('the consultation', async () => (await calls.server.mml('DSP CALL')).includes('connected'));
    const replaces = `${callId}%3Bto-tag%3D0%3Bfrom-tag%3D${fromTag}`;
    await caller('uac-transfer-expect-notify-200', '1002', {
      more: [`<sip:1003@127.0.0.1?Replaces=${replaces}>`],
    });
    await Promise.all([stays.done, comes.done, consultation]);
    const records = await newRecords(2);
    assert.deepEqual(records.map(({ releaseReason }) => releaseReason).sort(), [
      'call-transferred',
      'normal-clearing',
    ]);
  });

  for (const [section, feature, callee] of [
    ['RFC 5359 §2.7', 'FWDALL', undefined],
    ['RFC 5359 §2.8', 'FWDBUSY', 'uas-busy'],
    ['RFC 5359 §2.9', 'FWDNOANS', 'uas-ring-until-cancelled'],
  ] as const)
    test(`${section}: ${feature} sends the call on`, async () => {
      await calls.mmlOk(`MOD USER: USERNAME=1002, ${feature}=1003`);
      const first = callee && (await phone('1002', callee));
      const answering = await phone('1003', 'uas-answer-forwarded');
      await caller('uac-forwarded-call-expect-181-200', '1002');
      await Promise.all([first?.done, answering.done]);
      await calls.mmlOk(`MOD USER: USERNAME=1002, ${feature}=""`);
      const record = await onlyRecord();
      assert.deepEqual([record.calleeNumber, record.forwardedBy], ['1003', '1002']);
    });

  test('RFC 5359 §2.12: find-me, one number after the other', async () => {
    await calls.mmlOk('ADD GROUP: NUMBER=700, MEMBERS=1002&1003, STRATEGY=LINEAR, MEMBERSEC=5');
    const busy = await phone('1002', 'uas-busy');
    const answering = await phone('1003', 'uas-answer');
    await caller('uac-call-expect-200', '700');
    await Promise.all([busy.done, answering.done]);
    assert.deepEqual(
      (await onlyRecord()).attempts.map(({ sipStatus }) => sipStatus),
      [486, 200],
    );
  });

  test('RFC 5359 §2.14: a number that nobody may call', async () => {
    await calls.mmlOk('ADD ROUTE: NAME=no-premium, PREFIX=0900, TRUNKS=""');
    await caller('uac-forbidden-call-expect-403', '0900123456');
    assert.equal((await onlyRecord()).sipStatus, 403);
  });

  test('RFC 5359 §2.16: pick-up of a call that rings elsewhere', async () => {
    await calls.mmlOk('ADD GROUP: NUMBER=710, MEMBERS=1002&1003');
    const ringing = await phone('1002', 'uas-ring-until-cancelled');
    const waiting = caller('uac-call-expect-hang-up', '1002');
    await waitFor('ringing', async () => (await calls.server.mml('DSP CALL')).includes('ringing'));
    await run({
      scenario: 'uac-pick-up-expect-200',
      lines: [lineOf('1003')],
      args: ['-s', '**1002', '-d', '300'],
    });
    await Promise.all([waiting, ringing.done]);
    const records = await newRecords(2);
    assert.ok(records.some(({ pickedUpBy }) => pickedUpBy === '1003'));
  });

  test('RFC 5359 §2.18: click to dial', async () => {
    const own = await phone('1001', 'uas-be-connected', ['-d', '300']);
    const called = await phone('1003', 'uas-answer');
    await run({
      scenario: 'uac-refer-outside-a-call-expect-202',
      lines: [lineOf('1001', '<sip:1003@127.0.0.1>')],
    });
    await Promise.all([own.done, called.done]);
    assert.equal((await onlyRecord()).result, 'ANSWERED');
  });
});
