import assert from 'node:assert/strict';
import type { CallRecord } from '../../src/cdr/types.js';
import { PhoneError } from '../../src/testkit/errors.js';
import { Phone } from '../../src/testkit/phone.js';
import type { PhoneCall } from '../../src/testkit/phone-call.js';
import { callRecords } from './records.js';
import type { TestServer } from './server.js';
import { SipPeer } from './sip-peer.js';
import { waitFor } from './wait-for.js';

/** What `smoke` needs to exist in the server: `startServer({ users: SMOKE_USERS })`. */
export const SMOKE_USERS = { 1001: 'smoke-1', 1002: 'smoke-2', 1003: 'smoke-3', 1004: 'smoke-4' } as const;
type Username = '1001' | '1002' | '1003' | '1004';

const CALLER_HZ = 440;
const CALLEE_HZ = 1000;
const TONES = [CALLER_HZ, CALLEE_HZ];

/** A server under the smoke: phones of its users, and what became of their calls. */
class Smoke {
  readonly phones: (Phone | SipPeer)[] = [];
  private calls = 0;

  constructor(readonly server: TestServer) {}

  get address(): { address: string; port: number } {
    return { address: this.server.address, port: this.server.udpPort };
  }

  async phone(username: Username, toneHz: number, onInvite?: () => number): Promise<Phone> {
    const phone = await Phone.open({
      username,
      password: SMOKE_USERS[username],
      domain: '127.0.0.1',
      server: this.address,
      address: '127.0.0.1',
      toneHz,
      ...(onInvite && { onInvite }),
    });
    this.phones.push(phone);
    return phone;
  }

  async peer(username: Username): Promise<SipPeer> {
    const peer = await SipPeer.open({ username, password: SMOKE_USERS[username], server: this.address });
    this.phones.push(peer);
    return peer;
  }

  /** The one record that the last call added. */
  async record(): Promise<CallRecord> {
    return (await callRecords(this.server, ++this.calls))[0]!;
  }

  async outcome(): Promise<unknown[]> {
    const { result, sipStatus, releaseParty } = await this.record();
    return [result, sipStatus, releaseParty];
  }
}

/** Both phones hear the other's tone, afresh. */
async function bothHear(call: PhoneCall, answered: PhoneCall): Promise<void> {
  const [atA, atB] = [call.rtp.counters().received, answered.rtp.counters().received];
  // Two seconds are kept to be heard: what is older must have been pushed out.
  await waitFor(
    'tones both ways',
    () =>
      call.rtp.counters().received > atA + 25 &&
      answered.rtp.counters().received > atB + 25 &&
      call.rtp.counters(TONES).heardHz === CALLEE_HZ &&
      answered.rtp.counters(TONES).heardHz === CALLER_HZ,
  );
}

/**
 * What every composition of the server must do: register, call with a tone both ways, hold and resume, either side's end,
 * cancel, busy, unknown and absent users, records, and the console with an operator's release. Rejects at the first
 * difference.
 */
export async function smoke(server: TestServer): Promise<void> {
  const run = new Smoke(server);
  try {
    await wrongPassword(run);
    const [a, b] = [await run.phone('1001', CALLER_HZ), await run.phone('1002', CALLEE_HZ)];
    await Promise.all([a.register(300), b.register(300)]);
    const registrations = await server.mml('DSP REG');
    assert.match(registrations, /1001/);
    assert.match(registrations, /1002/);
    await talkAndHold(run, a, b);
    await calleeEnds(run, a, b);
    await operatorEnds(run, a, b);
    await refused(run, a);
    await cancelled(run);
    await Promise.all([a.register(0), b.register(0)]);
    await assert.rejects(b.call('1001'), isStatus(480));
    assert.deepEqual(await run.outcome(), ['FAILED', 480, 'SERVER']);
    assert.match(await server.mml('DSP SYSINFO'), /Engine connected += +Yes/i);
  } finally {
    await Promise.all(run.phones.map((phone) => phone.close()));
  }
}

async function wrongPassword(run: Smoke): Promise<void> {
  const stranger = await Phone.open({
    username: '1001',
    password: 'no-smoke',
    domain: '127.0.0.1',
    server: run.address,
    address: '127.0.0.1',
    toneHz: CALLER_HZ,
  });
  await assert.rejects(stranger.register(60), isStatus(401));
  await stranger.close();
}

async function talkAndHold(run: Smoke, a: Phone, b: Phone): Promise<void> {
  const incoming = b.nextIncoming();
  const ringing: number[] = [];
  const call = await a.call('1002', ({ statusCode }) => ringing.push(statusCode));
  const answered = await incoming;
  assert.ok(ringing.includes(180));
  await bothHear(call, answered);
  assert.match(await run.server.mml('DSP CALL'), /State += +connected/i);
  assert.match(await call.reinvite('sendonly'), /a=recvonly/);
  assert.match(await call.reinvite('sendrecv'), /a=sendrecv/);
  await bothHear(call, answered);
  assert.match(await answered.reinvite('sendonly'), /a=recvonly/);
  assert.match(await answered.reinvite('sendrecv'), /a=sendrecv/);
  await bothHear(call, answered);
  assert.equal(await call.hangUp(), 200);
  assert.equal(await answered.ended, 'there');
  const { result, callerNumber, calleeNumber, reinvites, media, billSec } = await run.record();
  assert.deepEqual(
    { result, callerNumber, calleeNumber, reinvites },
    { result: 'ANSWERED', callerNumber: '1001', calleeNumber: '1002', reinvites: 4 },
  );
  assert.ok(billSec >= 1);
  assert.equal(media.length, 1);
}

async function calleeEnds(run: Smoke, a: Phone, b: Phone): Promise<void> {
  const incoming = b.nextIncoming();
  const call = await a.call('1002');
  const answered = await incoming;
  assert.equal(await answered.hangUp(), 200);
  assert.equal(await call.ended, 'there');
  assert.deepEqual(await run.outcome(), ['ANSWERED', 200, 'CALLEE']);
}

async function operatorEnds(run: Smoke, a: Phone, b: Phone): Promise<void> {
  const incoming = b.nextIncoming();
  const call = await a.call('1002');
  const answered = await incoming;
  const id = /Call += +(\S+)/.exec(await run.server.mml('DSP CALL'))?.[1];
  assert.match(await run.server.mml(`RMV CALL: ID=${id}, CONFIRM=YES`), /RETCODE = 0/);
  assert.deepEqual(await Promise.all([call.ended, answered.ended]), ['there', 'there']);
  assert.deepEqual((await run.outcome())[2], 'OPERATOR');
}

async function refused(run: Smoke, a: Phone): Promise<void> {
  const busy = await run.phone('1003', CALLEE_HZ, () => 486);
  await busy.register(300);
  await assert.rejects(a.call('1003'), isStatus(486));
  assert.deepEqual(await run.outcome(), ['BUSY', 486, 'CALLEE']);
  await assert.rejects(a.call('9999'), isStatus(404));
  assert.deepEqual(await run.outcome(), ['FAILED', 404, 'SERVER']);
}

async function cancelled(run: Smoke): Promise<void> {
  const [a, b] = [await run.peer('1004'), await run.peer('1002')];
  assert.equal((await a.register()).statusCode, 200);
  // The phone of 1002 rings, too, and answers: only this one may be there.
  const others = (await b.register()).getAll('contact');
  assert.ok(others.length >= 1);
  await run.phones.find((phone) => phone instanceof Phone && phone.contact.includes('1002'))?.register(0);
  const invite = await a.invite('1002');
  const atB = await b.next('INVITE');
  b.respond(atB, 180);
  await a.response(invite, 180);
  const cancel = a.cancel(invite);
  assert.equal((await a.final(cancel)).statusCode, 200);
  b.respond(await b.next('CANCEL'), 200);
  b.respond(atB, 487);
  await b.next('ACK');
  a.ackRefusal(invite, await a.response(invite, 487));
  assert.deepEqual((await run.outcome())[0], 'CANCELLED');
  await b.register(0);
}

function isStatus(statusCode: number): (error: unknown) => boolean {
  return (error) => error instanceof PhoneError && error.sipStatus === statusCode;
}
