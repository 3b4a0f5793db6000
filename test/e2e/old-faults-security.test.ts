// Faults that users of the old server knew, one block each (docs/old-server.md): what anybody could do or read.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serialize } from '../../src/sip/serialize.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { listeningTcpPorts } from '../support/listening-ports.js';
import { WireClient } from '../support/mml-console.js';
import { hasBuiltInEngine } from '../support/parts.js';
import { RawUdp } from '../support/raw-sockets.js';
import type { SipPeer } from '../support/sip-peer.js';

const ADMIN_PASSWORD = 'admin-secret';

describe('fault 3: only REGISTER was checked, and that badly; the rest was an open relay', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer();
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  const bindings = async (username: string) =>
    [...(await calls.server.mml(`DSP REG: USERNAME=${username}`)).matchAll(/sip:[^\s"<>,\\]+/g)].map(String);

  test('RFC 3261 §10.3 step 4: a user cannot register another one’s address', async () => {
    const before = await bindings('1002');
    const thief = await calls.phone('1003', { register: false });
    const register = thief.request('REGISTER', 'sip:127.0.0.1', 'sip:1002@127.0.0.1');
    register.append('Contact', thief.contact);
    assert.equal((await thief.withCredentials(register)).statusCode, 403);
    const leave = thief.request('REGISTER', 'sip:127.0.0.1', 'sip:1002@127.0.0.1');
    leave.append('Contact', '*').append('Expires', '0');
    assert.equal((await thief.withCredentials(leave)).statusCode, 403);
    assert.deepEqual(await bindings('1002'), before);
  });

  test('RFC 7616 §3.4: credentials that were seen on the wire are worth nothing', async () => {
    const victim = await calls.phone('1003', { register: false });
    const register = victim.request('REGISTER', 'sip:127.0.0.1', 'sip:1003@127.0.0.1');
    register.append('Contact', victim.contact);
    assert.equal((await victim.withCredentials(register)).statusCode, 200);
    const thief = await calls.phone('1003', { register: false });
    const replay = thief.request('REGISTER', 'sip:127.0.0.1', 'sip:1003@127.0.0.1');
    replay.append('Contact', thief.contact).append('Authorization', register.get('authorization') ?? '');
    thief.send(replay);
    assert.equal((await thief.final(replay)).statusCode, 401);
    assert.ok(!(await bindings('1003')).some((contact) => contact.includes(`:${thief.port}`)));
  });

  test('RFC 7616 §3.4: nor for another call', async () => {
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 486);
    a.ackRefusal(invite, await a.response(invite, 486));
    await b.next('ACK');
    const thief = await calls.phone('1001', { register: false });
    const replay = thief.invitation('1002');
    replay.append('Proxy-Authorization', invite.get('proxy-authorization') ?? '');
    thief.send(replay);
    const refusal = await thief.final(replay);
    thief.ackRefusal(replay, refusal);
    assert.equal(refusal.statusCode, 407);
    assert.equal(b.has('INVITE'), false);
  });

  test('RFC 3261 §22.1: a call without a password, or under another one’s name, rings nobody', async () => {
    const stranger = await calls.phone('4711', { register: false });
    const invite = stranger.invitation('1002');
    stranger.send(invite);
    const challenge = await stranger.final(invite);
    stranger.ackRefusal(invite, challenge);
    assert.equal(challenge.statusCode, 407);
    const liar = await calls.phone('1003', { register: false });
    const lie = await liar.invite('1002', liar.sdp(), (request) => {
      request.set('From', '"Boss" <sip:1001@127.0.0.1>;tag=lie');
    });
    const refusal = await liar.final(lie);
    liar.ackRefusal(lie, refusal);
    assert.equal(refusal.statusCode, 403);
    assert.equal(b.has('INVITE'), false);
  });

  test('guessing is stopped: after ten wrong passwords even the right one is refused for a while', async () => {
    const guesser = await calls.phone('1004', { register: false, password: 'wrong' });
    for (let guess = 0; guess < 10; guess++) await guesser.register();
    const owner = await calls.phone('1004', { register: false });
    assert.equal((await owner.register()).statusCode, 403);
    const neighbour = await calls.phone('1001');
    assert.equal((await neighbour.register(0)).statusCode, 200);
  });

  describe('RFC 3261 §12.2.2: a request of a stranger is refused and goes nowhere', () => {
    let third: RawUdp;
    let stranger: SipPeer;
    before(async () => {
      third = await RawUdp.open();
      stranger = await calls.phone('1003', { register: false });
    });
    after(() => third.close());

    /** The server has dealt with all that this phone sent before. */
    const serverIsThrough = async () => {
      const options = stranger.request('OPTIONS', 'sip:127.0.0.1');
      stranger.send(options);
      assert.equal((await stranger.final(options)).statusCode, 200);
    };

    for (const method of ['BYE', 'ACK', 'UPDATE', 'PRACK', 'CANCEL', 'INFO', 'NOTIFY', 'REFER'])
      for (const place of ['Request-URI', 'Route'])
        test(`${method} with a third party as ${place}`, async () => {
          const victim = `sip:victim@127.0.0.1:${third.port}`;
          const request = stranger.request(method, place === 'Route' ? 'sip:1002@127.0.0.1' : victim);
          request.set('To', `<${victim}>;tag=guessed`).append('Contact', stranger.contact);
          if (place === 'Route') request.append('Route', `<sip:127.0.0.1:${third.port};lr>`);
          stranger.send(request);
          if (method !== 'ACK') assert.equal((await stranger.final(request)).statusCode, 481);
          await serverIsThrough();
          assert.equal(third.inbox.size, 0);
          assert.equal(b.has(method), false);
        });

    test('and one that has overheard the Call-ID of a call', async () => {
      const call = await connect(a, b);
      for (const method of [
        'BYE',
        'UPDATE',
        'INFO',
        'PRACK',
        'CANCEL',
        'ACK',
        'INVITE',
        'MESSAGE',
        'REFER',
      ]) {
        const isInvite = method === 'INVITE';
        const forged = { ...call.a, localTag: 'guessed', localSeq: 100 };
        const request = stranger.inDialog(forged, method, { sdp: isInvite ? stranger.sdp() : null });
        if (method === 'ACK') continue;
        const refusal = await stranger.final(request);
        assert.equal(refusal.statusCode, 481, method);
        if (isInvite) stranger.ackRefusal(request, refusal);
      }
      await serverIsThrough();
      const reached = b.log.filter((m) => m.type === 'request' && m.callId === call.atB.callId);
      assert.deepEqual(
        reached.map((m) => m.type === 'request' && m.method),
        ['INVITE', 'ACK'],
      );
      await hangUp(a, b, call);
    });
  });
});

describe('fault 10: calls, logs and passwords could be read by anybody', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer({ LOG_LEVEL: 'trace' });
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  test('every TCP port tells nothing of a call before a login', {
    skip: process.platform !== 'linux',
  }, async () => {
    const call = await connect(a, b);
    const { pid } = calls.server.facts;
    const ports = listeningTcpPorts(pid);
    const ours = [calls.server.mmlPort, ...(hasBuiltInEngine ? [calls.server.tcpPort] : [])];
    assert.ok(
      ours.every((port) => ports.includes(port)),
      `${ports}`,
    );
    for (const port of ports) {
      const client = await WireClient.open(port, '127.0.0.9');
      client.send(
        'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\nDSP CALL;\r\nLST CDR;\r\nDSP REG;\r\nDSP LOG\r\n',
      );
      // A second client's exchange with the server: whatever the first was to hear is on its way.
      await calls.server.mml('DSP CALL STAT');
      const said = client.bytes.toString('latin1');
      for (const secret of [call.invite.callId ?? '', '1001', '1002', 'PCMU'])
        assert.ok(!said.includes(secret), `port ${port}: ${said}`);
      client.close();
    }
    await hangUp(a, b, call);
  });

  test('the console runs no command before a login, nor after a wrong password', async () => {
    const client = await WireClient.open(calls.server.mmlPort, '127.0.0.8');
    await client.login('LST USER', 'DSP REG');
    await client.until('login: ');
    client.send('admin\n');
    await client.until('password: ');
    client.send('guess\n');
    await client.until(/RETCODE = 3005|not right|wrong|login: /i);
    assert.doesNotMatch(client.bytes.toString('utf8'), /1001|sip:/);
    client.close();
  });

  test('neither logs at level trace nor any file holds a password, or credentials of a phone', async () => {
    const secrets = [
      ...Object.values(calls.users),
      ADMIN_PASSWORD,
      'fresh-secret',
      'wrong-secret',
      'operator-secret',
    ];
    await hangUp(a, b, await connect(a, b));
    const client = await WireClient.open(calls.server.mmlPort);
    await client.login('admin', ADMIN_PASSWORD);
    const added = await client.run('ADD USER: USERNAME=2001, PASSWORD="fresh-secret";');
    assert.match(added, /RETCODE = 0/);
    await client.run('MOD USER: USERNAME=2001, PASWORD="fresh-secret";');
    await client.run('ADD OPERATOR: NAME=zhang, PASSWORD="operator-secret";');
    await client.run('SET LOG: LEVEL=trace');
    const fresh = await calls.phone('2001', { password: 'fresh-secret' });
    const thief = await calls.phone('2001', { register: false, password: 'wrong-secret' });
    assert.equal((await thief.register()).statusCode, 401);
    await hangUp(fresh, b, await connect(fresh, b));
    const oplog = await client.run('LST OPLOG');
    client.close();

    const log = calls.server.output();
    assert.match(log, /"level":(10|20)/);
    const digests = [a, b, fresh, thief].flatMap((phone) => digestsOf(phone));
    assert.ok(digests.length > 0);
    for (const [what, text] of [
      ['log', log],
      ['operation log', oplog],
    ] as const) {
      for (const secret of [...secrets, ...digests]) assert.ok(!text.includes(secret), `${what}: ${secret}`);
      assert.doesNotMatch(text, /\b(response|nonce|cnonce)=\\*"/);
      assert.doesNotMatch(text, /Digest username/i);
    }
    const files = filesBelow(calls.server.dataDir);
    assert.ok(files.length >= 3, `${files}`);
    for (const file of files) {
      const bytes = readFileSync(file);
      for (const secret of secrets) assert.equal(bytes.indexOf(secret), -1, `${file}: ${secret}`);
      for (const digest of digests) assert.equal(bytes.indexOf(digest), -1, `${file}: ${digest}`);
    }
  });

  test('what the console shows of a call’s messages has no credentials in it', async () => {
    const call = await connect(a, b);
    const shown = await calls.server.mml(`DSP CALL: CALLID="${call.invite.callId}"`);
    assert.match(shown, /INVITE/);
    assert.doesNotMatch(shown, /authorization|nonce|response=/i);
    await hangUp(a, b, call);
  });
});

/** Response values of the Authorization headers that a phone has sent. */
function digestsOf(phone: SipPeer): string[] {
  return phone.sent
    .map((message) => serialize(message).toString('latin1'))
    .flatMap((text) => [...text.matchAll(/\bresponse="([0-9a-f]{32,64})"/g)].map((match) => match[1]!));
}

/** Plain files below a directory. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
