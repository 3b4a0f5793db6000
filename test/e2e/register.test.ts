import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing } from '../support/peers.js';
import { RawTcp, RawUdp } from '../support/raw-sockets.js';
import { RegisterClient } from '../support/register-client.js';
import { startServer, type TestServer } from '../support/server.js';
import { type SippOptions, sippThrough, subscriberLine } from '../support/sipp.js';

const passwordOf = (username: string): string => `secret-${username}`;
const USERS = Object.fromEntries(['1001', '1002', '1003'].map((name) => [name, passwordOf(name)]));
const line = (username: string, ...more: string[]): string =>
  subscriberLine(username, passwordOf(username), ...more);

let server: TestServer;

before(async () => {
  server = await startServer({ users: USERS });
});

after(() => server.close());

const sipp = (options: Omit<SippOptions, 'port'>): Promise<void> => sippThrough(server, options);

/** Contacts that the server has for a user, by its own console. */
async function contactsOf(username: string): Promise<string[]> {
  const report = await server.mml(`DSP REG: URI=${username}`);
  return [...report.matchAll(/sip:[^\s"<>,\\]+@[^\s"<>,\\]+/g)].map((match) => match[0]);
}

describe('REGISTER by sipp', { skip: missing('sipp') }, () => {
  for (const transport of ['udp', 'tcp'] as const)
    test(`RFC 3261 §10: register and take back over ${transport}, many times`, () =>
      sipp({
        scenario: 'uac-register-expect-200',
        transport,
        lines: ['1001', '1002', '1003'].map((name) => line(name)),
        calls: 60,
        rate: 60,
      }));

  test('RFC 3261 §22.4: a wrong password', () =>
    sipp({
      scenario: 'uac-register-wrong-password-expect-401',
      lines: [subscriberLine('1001', 'wrong'), subscriberLine('4711', 'wrong')],
    }));

  test('RFC 3261 §10.3 step 4: another’s address', () =>
    sipp({ scenario: 'uac-register-other-address-expect-403', lines: [line('1001', '1002')] }));

  test('RFC 3261 §10.3 step 7: an interval too brief', () =>
    sipp({ scenario: 'uac-register-too-brief-expect-423', lines: [line('1001')] }));

  test('RFC 3261 §10.2.2, §10.2.3: query, and the end of all bindings', async () => {
    const phone = await udpPhone('1003');
    assert.equal((await phone.client.register()).status, 200);
    await phone.socket.close();
    await sipp({ scenario: 'uac-register-query-expect-contacts', lines: [line('1003')] });
    await sipp({ scenario: 'uac-unregister-all-expect-200', lines: [line('1003')] });
    assert.deepEqual(await contactsOf('1003'), []);
  });
});

async function udpPhone(username: string): Promise<{ client: RegisterClient; socket: RawUdp }> {
  const socket = await RawUdp.open();
  const wire = {
    protocol: 'UDP' as const,
    port: socket.port,
    inbox: socket.inbox,
    send: (text: string) => socket.send(text, server.udpPort),
  };
  return { client: new RegisterClient(wire, { username, password: passwordOf(username) }), socket };
}

test('RFC 8760: SHA-256 through the whole server, and a replay of it refused', async () => {
  const { client, socket } = await udpPhone('1001');
  try {
    assert.equal((await client.register({ algorithm: 'SHA-256' })).status, 200);
    const replay = await client.send({ authorization: client.lastAuthorization });
    assert.equal(replay.status, 401);
    assert.match(replay.text, /stale=true/);
    assert.equal((await client.register({ contact: '*', expires: 0 })).status, 200);
  } finally {
    await socket.close();
  }
});

test('two phones of one user, UDP and TCP, are bound side by side and survive a restart', async () => {
  const { client, socket } = await udpPhone('1002');
  const stream = await RawTcp.connect(server.tcpPort);
  const wire = {
    protocol: 'TCP' as const,
    port: stream.localPort,
    inbox: stream.inbox,
    send: (text: string) => stream.send(text),
  };
  const second = new RegisterClient(wire, { username: '1002', password: passwordOf('1002') });
  try {
    assert.equal((await client.register()).status, 200);
    const both = await second.register();
    assert.equal(both.all('Contact').length, 2);
  } finally {
    await stream.close();
  }
  try {
    await server.kill('SIGKILL');
    server = await server.restart();
    const query = await client.register({ contact: '' });
    assert.equal(query.status, 200);
    assert.equal(query.all('Contact').length, 2);
    assert.equal((await contactsOf('1002')).length >= 2, true);
  } finally {
    await socket.close();
  }
});
