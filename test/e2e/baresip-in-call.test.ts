import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../src/cdr/types.js';
import { Baresip } from '../support/baresip.js';
import { Nat } from '../support/nat.js';
import { missing } from '../support/peers.js';
import { callRecords } from '../support/records.js';
import { startServer, type TestServer } from '../support/server.js';
import { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const HZ = { 1001: 440, 1002: 1000, 1003: 700 };
const TONES = Object.values(HZ);
/** ITU-T E.180. */
const RINGING_HZ = 425;
const PASSWORD = 'correct-horse';

/** What a real softphone does inside calls, with two others. */
describe('baresip inside a call', { skip: missing('baresip') }, () => {
  let server: TestServer;
  let nat: Nat;
  let one: Baresip;
  let two: Baresip;
  let three: Baresip;
  let seen = 0;
  const peers: SipPeer[] = [];

  const phone = (username: keyof typeof HZ, port: number): Promise<Baresip> =>
    Baresip.start({
      username: String(username),
      password: PASSWORD,
      toneHz: HZ[username],
      server: { address: server.address, port },
    });
  /** The record that this call added. */
  const record = async (): Promise<CallRecord> => (await callRecords(server, ++seen))[0]!;

  before(async () => {
    server = await startServer({
      users: Object.fromEntries([1001, 1002, 1003, 1004].map((user) => [user, PASSWORD])),
    });
    nat = await Nat.start({ address: server.address, port: server.udpPort });
    [one, two, three] = await Promise.all([
      phone(1001, nat.sipPort),
      phone(1002, server.udpPort),
      phone(1003, server.udpPort),
    ]);
    await Promise.all([one.registered(), two.registered(), three.registered()]);
  });
  after(async () => {
    await Promise.all([one, two, three, ...peers].map((part) => part?.close()));
    await nat?.close();
    await server?.close();
  });

  /** A phone of 1004 that does what the test says. */
  async function openPeer(): Promise<SipPeer> {
    const at = { address: server.address, port: server.udpPort };
    const peer = await SipPeer.open({ username: '1004', password: PASSWORD, server: at });
    peers.push(peer);
    assert.equal((await peer.register()).statusCode, 200);
    return peer;
  }

  async function callUp(): Promise<void> {
    one.command('dial', '1002');
    await two.event('CALL_INCOMING');
    two.command('accept');
    await Promise.all([one.event('CALL_ESTABLISHED'), two.event('CALL_ESTABLISHED')]);
  }

  test('RFC 5589 §6.1: it transfers its call to a third one, and both hear each other', async () => {
    await callUp();
    two.command('transfer', `sip:1003@${server.address}:${server.udpPort}`);
    await three.event('CALL_INCOMING');
    three.command('accept');
    await Promise.all([three.event('CALL_ESTABLISHED'), two.event('CALL_CLOSED')]);
    // What the first one hears is looked at on the wire: its recording ends at a new offer.
    assert.deepEqual(await Promise.all([three.hears(TONES), nat.hears(TONES)]), [HZ[1001], HZ[1003]]);
    one.command('hangup');
    await three.event('CALL_CLOSED');
    const { result, transferredBy, transferredTo, releaseReason } = await record();
    assert.deepEqual(
      { result, transferredBy, transferredTo, releaseReason },
      { result: 'ANSWERED', transferredBy: '1002', transferredTo: '1003', releaseReason: 'normal-clearing' },
    );
  });

  test('RFC 3515 §2.4.5: while it is transferred it hears the ringing; the target declines, and it has its call again', async () => {
    const peer = await openPeer();
    one.command('dial', '1004');
    const invite = await peer.next('INVITE');
    peer.respond(invite, 200, { sdp: peer.sdp() });
    await peer.next('ACK');
    await one.event('CALL_ESTABLISHED');
    const dialog = peer.dialogAsUas(invite);
    const refer = peer.inDialog(dialog, 'REFER', {
      headers: { 'Refer-To': '<sip:1003@127.0.0.1>', Contact: peer.contact },
    });
    assert.equal((await peer.final(refer)).statusCode, 202);
    const notified = async (status: RegExp): Promise<void> => {
      const notify = await peer.next('NOTIFY');
      assert.match(notify.body.toString(), status);
      peer.respond(notify, 200);
    };
    await notified(/ 100 /);
    await three.event('CALL_INCOMING');
    await notified(/ 180 /);
    // A second of tone, four of silence.
    await waitFor('the ringing', async () => (await nat.hears([RINGING_HZ, ...TONES])) === RINGING_HZ);
    three.command('hangup');
    await notified(/ 486 /);
    await nat.silence();
    one.command('hangup');
    await peer.expectBye();
    const { result, transferredBy } = await record();
    assert.deepEqual({ result, transferredBy }, { result: 'ANSWERED', transferredBy: undefined });
  });

  test('RFC 3515 §2.4.5: its transfer to a number that nobody has fails, and it is told', async () => {
    await callUp();
    two.command('transfer', `sip:9999@${server.address}:${server.udpPort}`);
    assert.match((await two.event('TRANSFER_FAILED')).param ?? '', /404/);
    // It hangs up then, by a habit of its own.
    await one.event('CALL_CLOSED');
    const { releaseParty, transferredBy } = await record();
    assert.deepEqual({ releaseParty, transferredBy }, { releaseParty: 'CALLEE', transferredBy: undefined });
  });

  test('RFC 4733 §2: the digits that it sends come out at the other one', async () => {
    await callUp();
    for (const digit of ['1', '9', '*', '#']) {
      one.command('sndcode', digit);
      assert.equal((await two.event('CALL_DTMF_START')).param, digit);
      await two.event('CALL_DTMF_END');
    }
    one.command('hangup');
    await two.event('CALL_CLOSED');
    await record();
  });

  test('RFC 6086 §4: digits by INFO reach it', async () => {
    const peer = await openPeer();
    const invite = await peer.invite('1002');
    await two.event('CALL_INCOMING');
    two.command('accept');
    const dialog = peer.ack(invite, await peer.response(invite, 200));
    await two.event('CALL_ESTABLISHED');
    const headers = { 'Content-Type': 'application/dtmf-relay' };
    const info = peer.inDialog(dialog, 'INFO', { headers, body: 'Signal=7\r\nDuration=160\r\n' });
    assert.equal((await peer.final(info)).statusCode, 200);
    assert.equal((await two.event('CALL_DTMF_START')).param, '7');
    assert.equal((await peer.bye(dialog)).statusCode, 200);
    await two.event('CALL_CLOSED');
    assert.equal((await record()).dtmfCount, 1);
  });
});
