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

const CALLER_HZ = 440;
const CALLEE_HZ = 1000;
const TONES = [CALLER_HZ, CALLEE_HZ];
const PASSWORD = 'correct-horse';

describe('baresip', { skip: missing('baresip') }, () => {
  let server: TestServer;
  let caller: Baresip;
  let callee: Baresip;
  let seen = 0;

  const phone = (
    username: string,
    toneHz: number,
    more: { password?: string; port?: number; transport?: 'tcp' } = {},
  ): Promise<Baresip> => {
    const { password = PASSWORD, port = server.udpPort, ...rest } = more;
    return Baresip.start({ username, password, toneHz, server: { address: server.address, port }, ...rest });
  };

  const startNat = (): Promise<Nat> => Nat.start({ address: server.address, port: server.udpPort });

  /** The record that this call added, and the only one. */
  const record = async (): Promise<CallRecord> => {
    const records = await callRecords(server, ++seen);
    return records[0]!;
  };

  before(async () => {
    server = await startServer({
      users: Object.fromEntries([1001, 1002, 1003, 1004, 1005, 1006].map((user) => [user, PASSWORD])),
    });
    [caller, callee] = await Promise.all([phone('1001', CALLER_HZ), phone('1002', CALLEE_HZ)]);
    await Promise.all([caller.registered(), callee.registered()]);
  });
  after(async () => {
    await Promise.all([caller?.close(), callee?.close()]);
    await server?.close();
  });

  const callUp = async (from: Baresip, to: Baresip, number: string): Promise<void> => {
    from.command('dial', number);
    await to.event('CALL_INCOMING');
    await from.event('CALL_RINGING');
    to.command('accept');
    await Promise.all([from.event('CALL_ESTABLISHED'), to.event('CALL_ESTABLISHED')]);
  };
  const bothHear = async (one: Baresip, other: Baresip): Promise<void> => {
    assert.deepEqual(await Promise.all([one.hears(TONES), other.hears(TONES)]), [CALLEE_HZ, CALLER_HZ]);
  };

  test('a tone each way through the relay, found in the far recording; either side hangs up', async () => {
    await callUp(caller, callee, '1002');
    await bothHear(caller, callee);
    caller.command('hangup');
    await callee.event('CALL_CLOSED');
    const { result, releaseParty, callerNumber, calleeNumber, billSec } = await record();
    assert.deepEqual(
      { result, releaseParty, callerNumber, calleeNumber },
      { result: 'ANSWERED', releaseParty: 'CALLER', callerNumber: '1001', calleeNumber: '1002' },
    );
    assert.ok(billSec >= 1);

    await callUp(caller, callee, '1002');
    callee.command('hangup');
    await caller.event('CALL_CLOSED');
    assert.equal((await record()).releaseParty, 'CALLEE');
  });

  test('RFC 3428 §4: it takes a message and shows it', async (t) => {
    const peer = await SipPeer.open({
      username: '1003',
      password: PASSWORD,
      server: { address: server.address, port: server.udpPort },
    });
    t.after(() => peer.close());
    const message = peer.request('MESSAGE', `sip:1002@${peer.domain}`).append('Content-Type', 'text/plain');
    message.body = Buffer.from('lunch at noon?');
    assert.equal((await peer.withCredentials(message)).statusCode, 200);
    await waitFor('the message', () => callee.log().includes('lunch at noon?'));
  });

  test('RFC 3264 §8.4: either side holds and resumes, seen from routers that both phones are behind', async (t) => {
    const nats = await Promise.all([startNat(), startNat()]);
    const phones = await Promise.all([
      phone('1005', CALLER_HZ, { port: nats[0]!.sipPort }),
      phone('1006', CALLEE_HZ, { port: nats[1]!.sipPort }),
    ]);
    t.after(() => Promise.all([...phones, ...nats].map((part) => part.close())));
    await Promise.all(phones.map((one) => one.registered()));
    const bothHearOnTheWire = async (): Promise<void> => {
      assert.deepEqual(await Promise.all(nats.map((nat) => nat.hears(TONES))), [CALLEE_HZ, CALLER_HZ]);
    };
    const [from, to] = phones as [Baresip, Baresip];
    await callUp(from, to, '1006');
    await bothHear(from, to);
    for (const holder of phones) {
      holder.command('hold');
      await Promise.all(nats.map((nat) => nat.silence()));
      holder.command('resume');
      await bothHearOnTheWire();
    }
    from.command('hangup');
    await to.event('CALL_CLOSED');
    const { result, reinvites } = await record();
    assert.deepEqual({ result, reinvites }, { result: 'ANSWERED', reinvites: 4 });
  });

  test('the called phone rejects; the caller gives up', async () => {
    caller.command('dial', '1002');
    await callee.event('CALL_INCOMING');
    callee.command('hangup');
    assert.match((await caller.event('CALL_CLOSED')).param ?? '', /486|603/);
    assert.match((await record()).result, /BUSY|REJECTED/);

    caller.command('dial', '1002');
    await callee.event('CALL_INCOMING');
    await caller.event('CALL_RINGING');
    caller.command('hangup');
    await callee.event('CALL_CLOSED');
    assert.equal((await record()).result, 'CANCELLED');
  });

  test('a wrong password does not register and does not call', async (t) => {
    const stranger = await phone('1003', CALLER_HZ, { password: 'wrong-horse' });
    t.after(() => stranger.close());
    await stranger.refused();
    assert.doesNotMatch(await server.mml('DSP REG'), /1003/);
    stranger.command('dial', '1002');
    await stranger.event('CALL_CLOSED');
    assert.ok(!callee.has('CALL_INCOMING'));
    const { result, sipStatus, billSec } = await record();
    assert.deepEqual({ result, sipStatus, billSec }, { result: 'REJECTED', sipStatus: 403, billSec: 0 });
  });

  test('a phone over TCP is called on its connection', async (t) => {
    const mobile = await phone('1005', CALLER_HZ, { port: server.tcpPort, transport: 'tcp' });
    t.after(() => mobile.close());
    await mobile.registered();
    await callUp(callee, mobile, '1005');
    await bothHear(mobile, callee);
    mobile.command('hangup');
    await callee.event('CALL_CLOSED');
    await record();
  });

  test('RFC 3581 §4: a phone whose packets come from other ports than it says calls and is called', async (t) => {
    const nat = await startNat();
    const hidden = await phone('1004', CALLER_HZ, { port: nat.sipPort });
    t.after(async () => {
      await hidden.close();
      await nat.close();
    });
    await hidden.registered();
    const outsidePort = nat.outsidePortOf(hidden.sipPort);
    assert.notEqual(outsidePort, hidden.sipPort);
    assert.match(await server.mml('DSP REG'), new RegExp(`:${outsidePort}\\b`));

    await callUp(callee, hidden, '1004');
    await bothHear(hidden, callee);
    assert.ok(nat.mediaPacketsIn > 25, 'audio comes back through the hole');
    callee.command('hangup');
    await hidden.event('CALL_CLOSED');
    assert.equal((await record()).releaseParty, 'CALLER');

    const before = nat.mediaPacketsIn;
    await callUp(hidden, callee, '1002');
    await bothHear(hidden, callee);
    assert.ok(nat.mediaPacketsIn > before + 25, 'audio comes back through the hole');
    callee.command('hangup');
    await hidden.event('CALL_CLOSED');
    assert.equal((await record()).releaseParty, 'CALLEE');
  });
});
