import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Phone } from '../../src/testkit/phone.js';
import { connect } from '../support/call-steps.js';
import { callRecords } from '../support/records.js';
import { startServer, type TestServer } from '../support/server.js';
import { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const PASSWORD = 'kill-dash-nine';
const PAIRS = 5;
const RUN_FILE = 'ims.run.json';

const users = Object.fromEntries(
  Array.from({ length: 2 * PAIRS + 2 }, (_, i) => [String(1001 + i), PASSWORD]),
);

function openPeer(server: TestServer, username: string): Promise<SipPeer> {
  const at = { address: server.address, port: server.udpPort };
  return SipPeer.open({ username, password: PASSWORD, server: at });
}

function isInJournal({ dataDir }: TestServer, callId: string): boolean {
  const directory = join(dataDir, 'journal');
  return readdirSync(directory).some((name) => readFileSync(join(directory, name), 'utf8').includes(callId));
}

describe('kill -9 in each state of a call and of the server', () => {
  test('calls that were up leave one closed record each; phones are called without registering again', async (t) => {
    let server = await startServer({ users, env: { CALL_RESTORE_SEC: '0' } });
    const peers: SipPeer[] = [];
    const phones: Phone[] = [];
    t.after(async () => {
      await Promise.all([...peers, ...phones].map((phone) => phone.close()));
      await server.close();
    });
    for (let i = 0; i < 2 * PAIRS; i++) {
      const peer = await openPeer(server, String(1001 + i));
      peers.push(peer);
      assert.equal((await peer.register()).statusCode, 200);
    }
    const openPhone = async (username: string, toneHz: number): Promise<Phone> => {
      const phone = await Phone.open({
        username,
        password: PASSWORD,
        toneHz,
        domain: '127.0.0.1',
        address: '127.0.0.1',
        server: { address: server.address, port: server.udpPort },
      });
      phones.push(phone);
      await phone.register(300);
      return phone;
    };
    const [caller, callee] = [await openPhone('1011', 440), await openPhone('1012', 1000)];

    // One call is over before, four are up, one only rings.
    const [a, b] = peers as [SipPeer, SipPeer];
    const over = await connect(a, b);
    const bye = a.bye(over.a);
    await b.expectBye();
    assert.equal((await bye).statusCode, 200);
    await callRecords(server, 1);
    const up = [];
    for (let i = 1; i < PAIRS; i++) up.push(await connect(peers[2 * i]!, peers[2 * i + 1]!));
    const ringing = await a.invite(b.username);
    b.respond(await b.next('INVITE'), 180);
    await a.response(ringing, 180);

    // The journal is written in groups, 20 ms apart.
    await waitFor('the last call in the journal', () => isInJournal(server, ringing.callId ?? ''));
    await server.kill('SIGKILL');
    server = await server.restart();

    const records = await callRecords(server, 1 + up.length + 1);
    const byCallId = new Map(records.map((record) => [record.callId, record]));
    assert.equal(byCallId.size, records.length, 'one record a call');
    for (const { invite } of up) {
      const record = byCallId.get(invite.callId ?? '');
      assert.equal(record?.result, 'ABNORMAL');
      assert.ok(record.answerTime !== undefined && record.endTime >= record.answerTime);
    }
    const unanswered = byCallId.get(ringing.callId ?? '');
    assert.notEqual(unanswered?.result, 'ANSWERED');
    assert.equal(unanswered?.billSec, 0);

    // RFC 3261 §12.2.2: of what was lost the server knows nothing, and says so.
    assert.equal((await peers[2]!.bye(up[0]!.a)).statusCode, 481);

    const incoming = callee.nextIncoming();
    const call = await caller.call('1012');
    const answered = await incoming;
    await waitFor(
      'tones',
      () => call.rtp.counters([1000]).heardHz === 1000 && answered.rtp.counters([440]).heardHz === 440,
    );
    assert.equal(await call.hangUp(), 200);
    assert.equal((await callRecords(server, records.length + 1))[0]?.result, 'ANSWERED');

    // A second restart, an orderly one, adds nothing and loses nothing.
    server = await server.restart();
    await callRecords(server, records.length + 1);
  });

  test('a data directory is not busy after a crash, nor when its owner’s process id belongs to another', async (t) => {
    let server = await startServer({ users });
    t.after(() => server.close());
    await server.kill('SIGKILL');
    const path = join(server.dataDir, RUN_FILE);
    const facts = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    assert.equal(facts['pid'], server.facts.pid);
    // This process lives, but is not the one that wrote the file.
    writeFileSync(path, JSON.stringify({ ...facts, pid: process.pid }));
    server = await server.restart();
    assert.notEqual(server.facts.pid, process.pid);
    assert.match(await server.mml('DSP SYSINFO'), /State += +running/i);
  });

  test('killed again while it starts, it starts the third time', async (t) => {
    let server = await startServer({ users });
    t.after(() => server.close());
    const [a, b] = [await openPeer(server, '1001'), await openPeer(server, '1002')];
    t.after(() => Promise.all([a.close(), b.close()]));
    await Promise.all([a.register(), b.register()]);
    const { invite } = await connect(a, b);
    await waitFor('the call in the journal', () => isInJournal(server, invite.callId ?? ''));
    await server.kill('SIGKILL');
    for (let i = 0; i < 3; i++) {
      server = await server.restart();
      await server.kill('SIGKILL');
    }
    server = await server.restart();
    const [record] = await callRecords(server, 1);
    assert.deepEqual([record?.callId, record?.result], [invite.callId, 'ABNORMAL']);
  });
});
