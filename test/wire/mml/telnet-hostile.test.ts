import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, afterEach, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { ManualClock } from '../../support/manual-clock.js';
import { startTestConsole, type TestConsole, terminalAnswer, WireClient } from '../../support/mml-console.js';
import { callRecord, mmlTestServices } from '../../support/mml-services.js';

const IAC = 255;

describe('console and hostile clients', { timeout: 60_000 }, () => {
  let server: TestConsole;
  const services = mmlTestServices();
  const logged: string[] = [];
  const log = pino(
    { level: 'debug' },
    new Writable({
      write: (chunk, _, done) => {
        logged.push(String(chunk));
        done();
      },
    }),
  );
  const clients: WireClient[] = [];
  before(async () => {
    server = await startTestConsole(services, { log });
  });
  after(() => server.close());
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    logged.length = 0;
  });

  const open = async (localAddress?: string) => {
    const client = await WireClient.open(server.port, localAddress);
    clients.push(client);
    return client;
  };
  const loggedIn = async (localAddress?: string) => {
    const client = await open(localAddress);
    await client.login();
    return client;
  };
  /** Another operator is served as ever. */
  const othersAreServed = async () => {
    const other = await loggedIn('127.0.0.9');
    assert.match(await other.run('DSP VERSION'), /RETCODE = 0 /);
    other.close();
  };

  it('RFC 854: takes a session cut into single bytes, options between', async () => {
    const client = await open();
    await client.until('login: ');
    const bytes = Buffer.concat([
      terminalAnswer(),
      Buffer.from('ad'),
      Buffer.from([IAC, 241]),
      Buffer.from('min\r\n'),
      Buffer.from('secret\r\0'),
      Buffer.from('DSP VER'),
      Buffer.from([IAC, 253, 99]),
      Buffer.from('SION\r\n'),
    ]);
    for (const byte of bytes) {
      client.send(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await client.until('END\r\n'), /%%DSP VERSION;%%/);
  });

  it('stops answering a negotiation storm, says so once and goes on', async () => {
    const client = await open();
    await client.until('login: ');
    const before = client.bytes.length;
    const storm = Buffer.alloc(300_000);
    for (let i = 0; i < storm.length; i += 3) storm.set([IAC, i % 2 === 0 ? 253 : 251, (i / 3) % 200], i);
    client.send(storm);
    client.send('\r\nadmin\r\nsecret\r\nDSP VERSION\r\n');
    await client.until('%%DSP VERSION;%%');
    assert.ok(client.bytes.length - before < 10_000, `answered ${client.bytes.length - before} bytes`);
    assert.equal(logged.filter((line) => line.includes('storm')).length, 1);
  });

  it('ignores NUL and other controls, wherever they are', async () => {
    const client = await loggedIn();
    assert.match(await client.run('DSP\0 VER\0SION\x1c\x00\x00'), /%%DSP VERSION;%%\r\nRETCODE = 0 /);
  });

  it('answers broken UTF-8 with 1011', async () => {
    const client = await loggedIn();
    client.send(Buffer.from([...Buffer.from('LST USER: USERNAME=a'), 0xc3, 0x28, 10]));
    assert.match(await client.until('END\r\n'), /RETCODE = 1011 {2}.*position 21/);
  });

  it('refuses a megabyte without a line end whole, and is ready for the next line', async () => {
    const client = await loggedIn();
    client.send(Buffer.alloc(1024 * 1024, 'x'));
    client.send('\nDSP VERSION\n');
    assert.match(await client.until('END\r\n'), /RETCODE = 1008 /);
    assert.match(await client.until('END\r\n'), /%%DSP VERSION;%%/);
    await othersAreServed();
  });

  it('disconnects who sends megabytes before login, and takes as much after it', async () => {
    const flood = await open();
    await flood.until('login: ');
    flood.send(Buffer.alloc(4 * 1024 * 1024 + 2, Buffer.from([IAC, 253, 1])));
    await flood.untilClosed();
    assert.equal(logged.filter((line) => line.includes('too much before login')).length, 1);
    const client = await loggedIn();
    client.send(Buffer.alloc(2 * 1024 * 1024, 'x'));
    client.send('\nDSP VERSION\n');
    await client.until('%%DSP VERSION;%%');
  });

  it('takes a megabyte pasted at a terminal without sending as much back', async () => {
    const client = await open();
    await client.loginAtTerminal();
    const before = client.bytes.length;
    client.send(Buffer.alloc(1024 * 1024, 'x'));
    client.send('\x15DSP VERSION\r');
    await client.until('%%DSP VERSION;%%');
    assert.ok(client.bytes.length - before < 200_000, `echoed ${client.bytes.length - before} bytes`);
  });

  it('closes a connection after three wrong passwords and makes the address wait', async () => {
    const client = await open('127.0.0.66');
    for (let i = 0; i < 3; i++) await client.login('admin', `wrong${i}`);
    const all = await client.untilClosed();
    assert.equal(all.match(/RETCODE = 3005/g)?.length, 3);
    assert.doesNotMatch(all, /wrong\d/);
    const again = await open('127.0.0.66');
    assert.match(await again.untilClosed(), /RETCODE = 3006 .*Try again in \d+ s/);
    const admin = await loggedIn('127.0.0.9');
    assert.match(await admin.run('LST OPLOG: KEYWORD=LGI'), /adm… +127\.0\.0\.66 +0 +3005 [\s\S]*LGI/);
    assert.doesNotMatch(logged.join(''), /wrong\d/);
  });

  it('serves others while 1,000 connections come and stay silent', async () => {
    const session = await loggedIn('127.0.0.9');
    const crowd: WireClient[] = [];
    for (let i = 0; i < 1000; i++)
      crowd.push(await WireClient.open(server.port, '127.0.0.77').catch(() => undefined as never));
    try {
      assert.match(await session.run('DSP VERSION'), /RETCODE = 0 /);
      await othersAreServed();
      // Even from the address of the crowd somebody who speaks gets in.
      const neighbour = await loggedIn('127.0.0.77');
      assert.match(await neighbour.run('DSP VERSION'), /RETCODE = 0 /);
      await crowd[0]!.untilClosed();
      assert.ok(crowd.filter((client) => !client.closed).length <= 80);
      assert.ok(logged.filter((line) => line.includes('too many console connections')).length <= 1);
    } finally {
      for (const client of crowd) client?.close();
    }
  });

  it('limits the sessions that are logged in', async () => {
    const sessions = [];
    for (let i = 0; i < 70; i++) {
      const client = await open('127.0.0.88');
      await client.login();
      client.send('DSP VERSION\n');
      sessions.push(await client.until(/RETCODE = (0|4005)/));
    }
    assert.ok(sessions[0]!.endsWith('RETCODE = 0'));
    assert.ok(sessions.at(-1)!.endsWith('RETCODE = 4005'));
  });
});

describe('console and clients that do nothing', { timeout: 60_000 }, () => {
  it('closes a connection without a login, and a session without a key, in time', async () => {
    const clock = new ManualClock();
    const server = await startTestConsole(mmlTestServices(), { clock });
    const idle = await WireClient.open(server.port);
    await idle.until('login: ');
    const user = await WireClient.open(server.port);
    await user.login();
    await user.run('DSP VERSION');
    clock.advance(61_000);
    assert.match(await idle.untilClosed(), /timed out/);
    assert.match(await user.run('DSP VERSION'), /RETCODE = 0 /);
    clock.advance(29 * 60_000);
    assert.match(await user.run('DSP VERSION'), /RETCODE = 0 /);
    clock.advance(31 * 60_000);
    assert.match(await user.untilClosed(), /timed out/);
    await server.close();
  });

  it('runs nothing more for a client that does not read its reports, and disconnects it in time', async () => {
    const clock = new ManualClock();
    const services = mmlTestServices();
    let queries = 0;
    const records = Array.from({ length: 1000 }, (_, i) =>
      callRecord({ id: `R${i}`, releaseReason: 'x'.repeat(500) }),
    );
    const query = async () => {
      queries++;
      return { records };
    };
    const server = await startTestConsole(
      { ...services, records: { ...services.records, query } },
      { clock },
    );
    const client = await WireClient.open(server.port);
    client.socket.pause();
    client.send(`admin\nsecret\n${'LST CDR: LIMIT=1000\n'.repeat(200)}`);
    // Kernel buffers take some megabytes; then it stands still.
    let before = -1;
    while (queries !== before || queries === 0) {
      before = queries;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(queries < 100, `${queries} of 200 were run`);
    const other = await WireClient.open(server.port);
    await other.login();
    assert.match(await other.run('LST SESSION'), /LST CDR: LIMIT=1000/);
    clock.advance(61_000);
    assert.equal(queries, before);
    client.socket.resume();
    await client.untilClosed();
    assert.doesNotMatch(await other.run('LST SESSION'), /LST CDR: LIMIT=1000/);
    other.close();
    await server.close();
  });

  it('closes with clients connected, telling them', async () => {
    const server = await startTestConsole();
    const client = await WireClient.open(server.port);
    await client.login();
    await client.run('DSP VERSION');
    await server.close();
    assert.match(await client.untilClosed(), /Server is stopping/);
  });

  it('gives a hung command up in time and answers 5003', async () => {
    const clock = new ManualClock();
    const services = mmlTestServices();
    let started = () => {};
    const reached = new Promise<void>((resolve) => {
      started = resolve;
    });
    const list = () => {
      started();
      return new Promise<never>(() => {});
    };
    const server = await startTestConsole({ ...services, users: { ...services.users, list } }, { clock });
    const client = await WireClient.open(server.port);
    await client.login();
    client.send('LST USER\n');
    await reached;
    clock.advance(30_001);
    assert.match(await client.until('END\r\n'), /RETCODE = 5003 /);
    client.close();
    await server.close();
  });
});
