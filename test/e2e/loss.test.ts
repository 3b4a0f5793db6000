import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallRecord } from '../../src/cdr/types.js';
import type { SipMessage, SipRequest } from '../../src/sip/message.js';
import { callRecords } from '../support/records.js';
import { startServer, type TestServer } from '../support/server.js';
import { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const PASSWORD = 'rain-and-fog';
const CASES = 8;
/** RFC 3261 §17.1.1.1 */
const T1_MS = 500;
const GIVE_UP_MS = 64 * T1_MS;

/** RFC 3261 §17.1.2.2, §13.3.1.4: what is repeated waits T1, twice that each time, and T2 at most; ten times in 64*T1. */
const PAUSES_MS = [1, 2, 4, 8, 8, 8, 8, 8, 8, 8].map((times) => times * T1_MS);
const TICK_MS = 5;

/** When messages of that kind, `200 INVITE` or `BYE`, came in a call. */
function arrivals(phone: SipPeer, callId: string | undefined, kind: string): number[] {
  const name = (message: SipMessage): string =>
    message.type === 'request' ? message.method : `${message.statusCode} ${message.cseq?.method}`;
  const isWanted = (message: SipMessage): boolean => message.callId === callId && name(message) === kind;
  return phone.log.flatMap((message, i) => (isWanted(message) ? [phone.logAtMs[i]!] : []));
}

/** How often they came. */
const times = (...which: Parameters<typeof arrivals>): number => arrivals(...which).length;

/** A whole server with the RFC's own timers; all cases run at once, because the longest takes 64*T1. */
describe('messages lost on the way, UDP', { concurrency: true }, () => {
  let server: TestServer;
  const phones: SipPeer[] = [];
  let lastUser = 1000;
  /** When this process was awake: what comes while it is not is seen late, and the next seems early. */
  const ticks: number[] = [];
  const ticker = setInterval(() => ticks.push(performance.now()), TICK_MS);

  before(async () => {
    const users = Array.from({ length: 2 * CASES }, (_, i) => [String(1001 + i), PASSWORD]);
    server = await startServer({ users: Object.fromEntries(users) });
  });
  after(async () => {
    clearInterval(ticker);
    await Promise.all(phones.map((phone) => phone.close()));
    await server?.close();
  });

  const phone = async (): Promise<SipPeer> => {
    const made = await SipPeer.open({
      username: String(++lastUser),
      password: PASSWORD,
      server: { address: server.address, port: server.udpPort },
    });
    phones.push(made);
    assert.equal((await made.register()).statusCode, 200);
    return made;
  };
  const pair = async (): Promise<[SipPeer, SipPeer]> => [await phone(), await phone()];

  /** A call that rings at the callee. */
  const ring = async (a: SipPeer, b: SipPeer): Promise<{ invite: SipRequest; atB: SipRequest }> => {
    const invite = await a.invite(b.username);
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    return { invite, atB };
  };
  const connect = async (a: SipPeer, b: SipPeer) => {
    const { invite, atB } = await ring(a, b);
    b.respond(atB, 200, { sdp: b.sdp() });
    const dialog = a.ack(invite, await a.response(invite, 200));
    await b.next('ACK');
    return { invite, atB, dialog, atBDialog: b.dialogAsUas(atB) };
  };
  const recordOf = async (invite: SipRequest): Promise<CallRecord> => {
    let found: CallRecord[] = [];
    await waitFor('the record', async () => {
      found = (await callRecords(server)).filter(({ callId }) => callId === invite.callId);
      return found.length > 0;
    });
    assert.equal(found.length, 1);
    return found[0]!;
  };
  const outcome = async (invite: SipRequest) => {
    const { result, releaseParty, releaseReason } = await recordOf(invite);
    return [result, releaseParty, releaseReason];
  };

  /** The soonest that something can have come which was seen then: the tick before the last is of the loop's turn before. */
  const soonest = (seenMs: number): number => ticks.filter((tick) => tick < seenMs).at(-2) ?? seenMs;

  /** Fails unless a message and its ten repeats came, none early and none much too late. */
  function assertRepeats(seen: readonly number[]): void {
    assert.equal(seen.length, 1 + PAUSES_MS.length);
    for (const [i, pauseMs] of PAUSES_MS.entries()) {
      const [last, next] = [seen[i]!, seen[i + 1]!];
      const what = `repeat ${i + 1} after ${next - last} ms, not ${pauseMs}`;
      assert.ok(next - soonest(last) > pauseMs - 20, what);
      assert.ok(soonest(next) - last < pauseMs + T1_MS / 2, what);
    }
  }

  test('RFC 3261 §13.3.1.4: the 200 to the caller is lost three times', async () => {
    const [a, b] = await pair();
    const { invite, atB } = await ring(a, b);
    b.respond(atB, 200, { sdp: b.sdp() });
    await waitFor('the fourth 200', () => times(a, invite.callId, '200 INVITE') >= 4);
    const dialog = a.ack(invite, await a.response(invite, 200));
    await delay(100);
    const seen = times(a, invite.callId, '200 INVITE');
    await delay(4 * T1_MS);
    assert.equal(times(a, invite.callId, '200 INVITE'), seen, 'the ACK stops the 200');
    const bye = a.bye(dialog);
    await b.expectBye();
    assert.equal((await bye).statusCode, 200);
    assert.deepEqual(await outcome(invite), ['ANSWERED', 'CALLER', 'normal-clearing']);
  });

  test('RFC 3261 §13.2.2.4: the 200 of the callee is lost, it comes again; the ACK is lost, it comes again', async () => {
    const [a, b] = await pair();
    const { invite, atB } = await ring(a, b);
    // The first 200 never arrives: the server goes on waiting, the caller hears nothing.
    await delay(T1_MS);
    assert.equal(times(a, invite.callId, '200 INVITE'), 0);
    for (let sent = 0; sent < 3; sent++) {
      b.respond(atB, 200, { sdp: b.sdp() });
      await waitFor('an ACK for each', () => times(b, atB.callId, 'ACK') >= sent + 1);
    }
    const dialog = a.ack(invite, await a.response(invite, 200));
    await a.final(a.inDialog(dialog, 'BYE'));
    await b.expectBye();
    assert.deepEqual(await outcome(invite), ['ANSWERED', 'CALLER', 'normal-clearing']);
  });

  test('RFC 3261 §13.3.1.4: no ACK ever comes: BYE to both after 64*T1', async () => {
    const [a, b] = await pair();
    const { invite, atB } = await ring(a, b);
    const startedAt = performance.now();
    b.respond(atB, 200, { sdp: b.sdp() });
    await a.response(invite, 200);
    await b.next('ACK');
    const [byeToA, byeToB] = await Promise.all([
      a.next('BYE', GIVE_UP_MS + 5000),
      b.next('BYE', GIVE_UP_MS + 5000),
    ]);
    assert.ok(performance.now() - startedAt > GIVE_UP_MS - T1_MS, 'not before 64*T1');
    assertRepeats(arrivals(a, invite.callId, '200 INVITE'));
    a.respond(byeToA, 200);
    b.respond(byeToB, 200);
    assert.deepEqual(await outcome(invite), ['ABNORMAL', 'CALLER', 'ack-timeout']);
  });

  test('RFC 3261 §17.1.2.2: BYE to the callee is lost and comes again; the caller does not wait for it', async () => {
    const [a, b] = await pair();
    const { invite, atB, dialog } = await connect(a, b);
    assert.equal((await a.bye(dialog)).statusCode, 200);
    await waitFor('the third BYE', () => times(b, atB.callId, 'BYE') >= 3);
    await b.expectBye();
    await delay(100);
    const seen = times(b, atB.callId, 'BYE');
    await delay(9 * T1_MS);
    assert.equal(times(b, atB.callId, 'BYE'), seen, 'the 200 stops the BYE');
    assert.deepEqual(await outcome(invite), ['ANSWERED', 'CALLER', 'normal-clearing']);
  });

  test('RFC 3261 §17.1.2.2: BYE is never answered: given up after 64*T1, the record is there long before', async () => {
    const [a, b] = await pair();
    const { invite, atB, atBDialog } = await connect(a, b);
    assert.equal((await b.bye(atBDialog)).statusCode, 200);
    assert.deepEqual(await outcome(invite), ['ANSWERED', 'CALLEE', 'normal-clearing']);
    // A twelfth would come at 71*T1.
    await delay(GIVE_UP_MS + 9 * T1_MS);
    assertRepeats(arrivals(a, invite.callId, 'BYE'));
    assert.equal(times(b, atB.callId, 'BYE'), 0);
    assert.doesNotMatch(await server.mml('DSP CALL'), new RegExp(`= +${a.username}$`, 'm'));
  });

  test('RFC 3261 §17.2.2: the 200 to BYE is lost: the repeated BYE gets it again, and no 481', async () => {
    const [a, b] = await pair();
    const { invite, dialog } = await connect(a, b);
    const bye = a.inDialog(dialog, 'BYE');
    await a.response(bye, 200);
    await b.expectBye();
    for (let sent = 2; sent <= 4; sent++) {
      a.send(bye);
      await waitFor('a 200 for each', () => times(a, invite.callId, '200 BYE') >= sent);
    }
    assert.equal(times(a, invite.callId, '481 BYE'), 0);
    assert.deepEqual(await outcome(invite), ['ANSWERED', 'CALLER', 'normal-clearing']);
  });

  test('RFC 3261 §13.2.2.4: the 180 is lost: the call is answered all the same', async () => {
    const [a, b] = await pair();
    const invite = await a.invite(b.username);
    const atB = await b.next('INVITE');
    b.respond(atB, 200, { sdp: b.sdp() });
    const dialog = a.ack(invite, await a.response(invite, 200));
    await b.next('ACK');
    const bye = a.bye(dialog);
    await b.expectBye();
    await bye;
    const record = await recordOf(invite);
    assert.equal(record.result, 'ANSWERED');
    assert.equal(record.ringTime, undefined);
    assert.equal(times(a, invite.callId, '180 INVITE'), 0);
  });

  test('RFC 3261 §17.2.1: the answer to the INVITE is lost: the repeated INVITE gets it again and rings nobody twice', async () => {
    const [a, b] = await pair();
    const { invite, atB } = await ring(a, b);
    a.send(invite);
    await waitFor('the 180 again', () => times(a, invite.callId, '180 INVITE') >= 2);
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.response(invite, 486));
    await b.next('ACK');
    assert.equal(times(b, atB.callId, 'INVITE'), 1);
    assert.equal((await outcome(invite))[0], 'BUSY');
  });
});
