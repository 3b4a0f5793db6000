import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { after, afterEach, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { ManualClock } from '../../support/manual-clock.js';
import { startTestConsole, type TestConsole, terminalAnswer, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';

const IAC = 255;
const AYT = 246;
const SB = 250;
const SE = 240;

describe('console and clients that send much, slowly, or in other ways than expected', {
  timeout: 60_000,
}, () => {
  const services = mmlTestServices();
  const logged: string[] = [];
  const log = pino(
    { level: 'info' },
    new Writable({
      write: (chunk, _, done) => {
        logged.push(String(chunk));
        done();
      },
    }),
  );
  const clock = new ManualClock();
  let server: TestConsole;
  let versions = 0;
  /** Runs of DSP VERSION by the time that LST USER ran. */
  let versionsAtList = -1;
  const clients: WireClient[] = [];
  before(async () => {
    const system = () => {
      versions++;
      return services.system();
    };
    const list: typeof services.users.list = (...query) => {
      versionsAtList = versions;
      return services.users.list(...query);
    };
    server = await startTestConsole(
      { ...services, system, users: { ...services.users, list } },
      { clock, log },
    );
  });
  after(() => server.close());
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    logged.length = 0;
    versions = 0;
  });

  const open = async (localAddress?: string) => {
    const client = await WireClient.open(server.port, localAddress);
    clients.push(client);
    return client;
  };
  const loggedIn = async (localAddress?: string) => {
    const client = await open(localAddress);
    await client.login();
    await client.run('SET SESSION: PAGE=0');
    return client;
  };
  const atTerminal = async () => {
    const client = await open();
    await client.loginAtTerminal();
    return client;
  };
  const isServed = async (client: WireClient) =>
    assert.match(await client.run('DSP VERSION'), /%%DSP VERSION;%%\r\nRETCODE = 0 /);

  it('RFC 854: takes a session cut in two at every place', async () => {
    const bytes = Buffer.concat([
      terminalAnswer(),
      Buffer.from([IAC, 241]),
      Buffer.from('admin\r\nsecret\r\0DSP '),
      Buffer.from([IAC, SB, 24, 0, 120, IAC, IAC, IAC, SE]),
      Buffer.from('VERSION\r\n'),
    ]);
    for (let at = 1; at < bytes.length; at++) {
      const client = await open();
      client.send(bytes.subarray(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(bytes.subarray(at));
      assert.match(await client.until('END\r\n'), /%%DSP VERSION;%%\r\nRETCODE = 0 /, `cut at ${at}`);
      client.close();
    }
  });

  it('runs commands that were pasted by the thousand in their order, and others between them', async () => {
    const other = await loggedIn();
    const client = await loggedIn();
    client.send(`${'DSP VERSION\n'.repeat(1000)}LGO\n`);
    other.send('LST USER\n');
    await other.until('END\r\n');
    assert.ok(versionsAtList < 200, `${versionsAtList} of 1000 came first`);
    const all = await client.untilClosed();
    assert.equal(all.match(/%%DSP VERSION;%%/g)?.length, 1000);
    const numbers = [...all.matchAll(/O&M {4}#(\d+)/g)].map(([, number]) => Number(number));
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
  });

  it('runs a line of thousands of commands, and others between them', async () => {
    const other = await loggedIn();
    const client = await loggedIn();
    client.send(`${'X;'.repeat(2000)}\nLGO\n`);
    other.send('DSP VERSION\n');
    await other.until('END\r\n');
    const shown = client.bytes.toString('latin1').match(/%%X;%%/g)?.length ?? 0;
    assert.ok(shown < 1000, `${shown} of 2000 came first`);
    const all = await client.untilClosed();
    assert.equal(all.match(/RETCODE = 1002/g)?.length, 2000);
  });

  it('helps as often as it is asked in a pasted text, and keeps the connection', async () => {
    const client = await atTerminal();
    client.send('?'.repeat(500));
    client.send('\x15DSP VERSION\r');
    await client.until('%%DSP VERSION;%%');
    assert.ok(client.bytes.length > 100_000);
    assert.deepEqual(logged, []);
  });

  it('RFC 854: answers Are You There, but a flood of them few times', async () => {
    const client = await open();
    await client.until('login: ');
    client.send(Buffer.alloc(200_000, Buffer.from([IAC, AYT])));
    await client.until('[Yes]');
    client.send('admin\nsecret\n');
    await isServed(client);
    const answers = client.bytes.toString('latin1').match(/\[Yes\]/g)!.length;
    assert.ok(answers < 100, `${answers} answers`);
  });

  it('RFC 855: waits for the end of a subnegotiation that goes on for a megabyte, and goes on after it', async () => {
    const client = await loggedIn();
    client.send(Buffer.from([IAC, SB, 31]));
    client.send(Buffer.alloc(1024 * 1024, 'x'));
    client.send(Buffer.from([IAC, SE]));
    await isServed(client);
  });

  it('lets an operator type as slowly as it likes, but not the login', async () => {
    const client = await atTerminal();
    for (const char of 'DSP VERSION') {
      client.send(char);
      await client.until(char);
      clock.advance(25 * 60_000);
    }
    client.send('\r\0');
    await client.until('%%DSP VERSION;%%');
    const slow = await open();
    await slow.until('login: ');
    slow.send(terminalAnswer());
    for (let i = 0; i < 7; i++) {
      slow.send('a');
      await slow.until('a');
      clock.advance(9_000);
    }
    assert.match(await slow.untilClosed(), /timed out/);
  });

  it('refuses what is no UTF-8 and goes on: GBK, Latin-1, overlong forms, surrogates', async () => {
    const client = await loggedIn();
    const texts = [
      [0xc0, 0xee, 0xcb, 0xc4],
      [0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72],
      [0xc0, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
    ];
    for (const text of texts) {
      client.send(
        Buffer.from([...Buffer.from('ADD USER: USERNAME=1, PASSWORD=secret1, NAME="'), ...text, 34, 10]),
      );
      assert.match(await client.until('END\r\n'), /RETCODE = 1011 /, `${text}`);
    }
    assert.equal((await services.users.list()).length, 0);
    await isServed(client);
  });

  it('takes UTF-8 with a byte order mark, and UTF-16 of ASCII as the ASCII in it', async () => {
    const client = await loggedIn();
    client.send(Buffer.from('\ufeffDSP VERSION\n', 'utf8'));
    assert.match(await client.until('END\r\n'), /%%DSP VERSION;%%\r\nRETCODE = 0 /);
    client.send(Buffer.from('DSP VERSION\r\n', 'utf16le'));
    assert.match(await client.until('END\r\n'), /%%DSP VERSION;%%\r\nRETCODE = 0 /);
    await isServed(client);
  });

  it('lets the system probe quiet connections, so that half-open ones go away', async () => {
    const client = await loggedIn();
    const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
    // Linux: a connection of ours that is up (01), with the keepalive timer (02) running.
    const pattern = `0100007F:${hex(server.port)} 0100007F:${hex(client.socket.localPort!)} 01 \\S+ 02:`;
    for (let i = 0; i < 100 && !new RegExp(pattern).test(readFileSync('/proc/net/tcp', 'utf8')); i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(readFileSync('/proc/net/tcp', 'utf8'), new RegExp(pattern));
  });

  it('closes the connection of a client that has ended its side and does not read', async () => {
    const client = await loggedIn();
    client.socket.pause();
    client.socket.end('DSP VERSION\nLGO\n');
    const admin = await loggedIn('127.0.0.9');
    const sessions = async () => (await admin.run('LST SESSION')).match(/ADMIN/g)?.length;
    for (let i = 0; i < 200 && (await sessions()) !== 1; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    clock.advance(3000);
    client.socket.resume();
    await client.untilClosed();
  });

  it('lets operators in while a few addresses hold all places before login and speak', async () => {
    const crowd: WireClient[] = [];
    for (let i = 0; i < 80; i++) {
      const client = await open(`127.0.1.${1 + (i % 5)}`);
      client.send('adm');
      crowd.push(client);
    }
    const session = await loggedIn('127.0.0.9');
    await isServed(session);
    assert.ok(crowd.some(({ closed }) => closed));
    assert.equal(logged.filter((line) => line.includes('too many console connections')).length, 1);
  });
});
