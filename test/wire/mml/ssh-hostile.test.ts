import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, afterEach, before, describe, it } from 'node:test';
import { pino } from 'pino';
import type { ClientChannel, ConnectConfig } from 'ssh2';
import {
  SSH_HANDSHAKE_BURST_PER_ADDRESS,
  SSH_MAX_CHANNELS,
  SSH_MAX_EMPTY_CHANNELS,
} from '../../../src/mml/limits.js';
import { ManualClock } from '../../support/manual-clock.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { callRecord, mmlTestServices } from '../../support/mml-services.js';
import { ScriptedSsh, Tampering, until } from '../../support/scripted-ssh.js';

const MINUTE = 60_000;

describe('SSH console and hostile clients', { timeout: 120_000 }, () => {
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
  const clock = new ManualClock();
  const services = mmlTestServices();
  let server: TestConsole;
  let queries = 0;
  const open: { close(): void }[] = [];
  before(async () => {
    const records = Array.from({ length: 1000 }, (_, i) =>
      callRecord({ id: `R${i}`, releaseReason: 'x'.repeat(500) }),
    );
    const query = async () => {
      queries++;
      return { records };
    };
    const count = () => new Promise<never>(() => {});
    server = await startTestConsole(
      {
        ...services,
        records: { ...services.records, query },
        registrations: { ...services.registrations, count },
      },
      { ssh: true, log, clock },
    );
  });
  after(() => server.close());
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
    logged.length = 0;
    // Buckets and throttles start anew.
    clock.advance(20 * MINUTE);
  });

  const raw = async (localAddress = '127.0.0.1') => {
    const client = await WireClient.open(server.sshPort, localAddress);
    open.push(client);
    return client;
  };
  const loggedIn = async (options: ConnectConfig = {}, port = server.sshPort) => {
    const client = await ScriptedSsh.login(port, options);
    open.push(client);
    return client;
  };
  /** Another operator is served as ever, and sees who else is in. */
  const othersAreServed = async () => {
    const other = await loggedIn({ localAddress: '127.0.0.9' });
    const { output } = await other.run('LST SESSION');
    assert.match(output, /RETCODE = 0 /);
    other.close();
    return Number(/Number of results = (\d+)/.exec(output)![1]);
  };
  const warned = (text: string) => logged.filter((line) => line.includes(text)).length;
  const soon = async (isTrue: () => boolean | Promise<boolean>) => {
    for (let i = 0; i < 500 && !(await isTrue()); i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it('ends connections that speak something else, or rubbish after the version', async () => {
    const http = await raw();
    http.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const silent = await raw();
    const rubbish = await raw();
    await rubbish.until('SSH-2.0-ims-server\r\n');
    rubbish.send('SSH-2.0-x\r\n');
    rubbish.send(Buffer.alloc(30_000, 0xff));
    await rubbish.untilClosed();
    clock.advance(20_000);
    await http.untilClosed();
    await silent.untilClosed();
    await othersAreServed();
  });

  it('disconnects who sends too much before login, and says so once', async () => {
    const flood = await raw();
    flood.send(Buffer.alloc(300_000, 'a line that is no version\r\n'));
    await flood.untilClosed();
    assert.equal(warned('too much before login'), 1);
    await othersAreServed();
  });

  it('closes a connection that does not log in within a minute', async () => {
    const late = ScriptedSsh.login(server.sshPort, { authHandler: () => undefined as never });
    late.catch(() => undefined);
    // The key exchange of another that came later is over: so is its own.
    await othersAreServed();
    clock.advance(20_000);
    await othersAreServed();
    clock.advance(MINUTE);
    await assert.rejects(late, /closed before login/);
  });

  it('RFC 4252 §8: asks for a password whatever else is tried, three times, then makes the address wait', async () => {
    const tried: string[] = [];
    await assert.rejects(
      loggedIn({
        localAddress: '127.0.0.66',
        authHandler: (left) => {
          tried.push(String(left));
          const password = `wrong${tried.length}`;
          return tried.length < 3
            ? ({ type: 'none', username: 'admin' } as never)
            : ({ type: 'password', username: 'admin', password } as never);
        },
      }),
    );
    const both = 'publickey,password';
    assert.deepEqual(tried, ['null', both, both, both, both, '']);
    assert.doesNotMatch(logged.join(''), /wrong\d/);
    const again = await raw('127.0.0.66');
    assert.match(await again.untilClosed(), /Try again in \d+ s\r\n$/, 'RFC 4253 §4.2');
    await othersAreServed();
  });

  it('ends a connection that asks for other ways to log in again and again', async () => {
    let tried = 0;
    await assert.rejects(
      loggedIn({
        authHandler: () => {
          tried++;
          return { type: 'none', username: 'admin' } as never;
        },
      }),
    );
    assert.ok(tried <= 22, `${tried} requests`);
  });

  it('takes a session whose bytes come one by one', async () => {
    const slow = await Tampering.start(server.sshPort, (piece, towards) => {
      for (const byte of piece) towards.write(Uint8Array.of(byte));
    });
    open.push(slow);
    const client = await loggedIn({}, slow.port);
    assert.match((await client.run('DSP VERSION')).output, /RETCODE = 0 /);
  });

  it('outlives connections that end at any byte, and forgets their sessions', async () => {
    const whole = await Tampering.start(server.sshPort, (piece, towards) => void towards.write(piece));
    const measure = await loggedIn({}, whole.port);
    await measure.run('DSP VERSION');
    const total = whole.sent;
    whole.close();
    measure.close();
    for (let at = 1; at < total; at += 97) {
      // A clock that stands still gives no new share of key exchanges.
      clock.advance(1000);
      const cut = await Tampering.start(server.sshPort, (piece, towards, before) => {
        if (before + piece.length < at) towards.write(piece);
        else towards.end(piece.subarray(0, at - before));
      });
      const client = await ScriptedSsh.login(cut.port).catch(() => undefined);
      await client?.run('DSP VERSION').catch(() => undefined);
      cut.close();
      client?.close();
    }
    await soon(async () => (await othersAreServed()) === 1);
    assert.equal(await othersAreServed(), 1);
  });

  it('outlives packets with flipped bits', async () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (let round = 0; round < 40; round++) {
      clock.advance(1000);
      const at = random(3000);
      const flip = 1 << random(8);
      const bad = await Tampering.start(server.sshPort, (piece, towards, before) => {
        const changed = Buffer.from(piece);
        if (at >= before && at < before + piece.length) changed[at - before]! ^= flip;
        towards.write(changed);
      });
      const login = ScriptedSsh.login(bad.port, { readyTimeout: 150 });
      const client = await login.catch(() => undefined);
      await Promise.race([
        client?.run('DSP VERSION').catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, 150)),
      ]);
      bad.close();
      client?.close();
    }
    await soon(async () => (await othersAreServed()) === 1);
    assert.equal(await othersAreServed(), 1);
  });

  it('serves others while 1,000 connections come, and does few key exchanges for one address', async () => {
    const session = await loggedIn({ localAddress: '127.0.0.9' });
    const crowd: WireClient[] = [];
    for (let i = 0; i < 1000; i++) {
      const client = await WireClient.open(server.sshPort, '127.0.0.77').catch(() => undefined);
      if (!client) continue;
      open.push(client);
      crowd.push(client);
    }
    assert.match((await session.run('DSP VERSION')).output, /RETCODE = 0 /);
    await othersAreServed();
    const greeted = crowd.filter((client) => client.bytes.includes('SSH-2.0-')).length;
    assert.ok(greeted <= SSH_HANDSHAKE_BURST_PER_ADDRESS, `${greeted} were greeted`);
    assert.equal(warned('too many console connections'), 1);
  });

  it('RFC 4254 §5.1: gives a connection so many sessions, and no more that come to nothing', async () => {
    const client = await loggedIn();
    const held: ClientChannel[] = [];
    for (let i = 0; i < SSH_MAX_CHANNELS; i++) held.push(await client.exec('DSP REG STAT'));
    await assert.rejects(client.exec('DSP VERSION'), /open failure/);
    held[0]!.close();
    await soon(async () => (await othersAreServed()) === SSH_MAX_CHANNELS);
    assert.match((await client.run('DSP VERSION')).output, /RETCODE = 0 /);
    client.close();
    const empty = await loggedIn();
    let refused = 0;
    for (let i = 0; i < 3 * SSH_MAX_EMPTY_CHANNELS; i++) {
      // A subsystem is refused, and its channel closed.
      const asked = new Promise<Error | undefined>((resolve) => {
        empty.client.subsys('nothing', (error) => resolve(error));
      });
      if (/open failure/i.test(String(await asked))) refused++;
    }
    assert.ok(refused >= SSH_MAX_EMPTY_CHANNELS, `${refused} were refused`);
  });

  it('RFC 4254 §5.2: cuts off a client that sends more than its window', async () => {
    const client = await loggedIn();
    const shell = await client.shell();
    await until(shell, 'MML> ');
    shell.write('DSP REG STAT\r');
    (shell as unknown as { outgoing: { window: number } }).outgoing.window = Number.MAX_SAFE_INTEGER;
    for (let i = 0; i < 256 && !client.isClosed; i++) {
      shell.write(Buffer.alloc(32 * 1024, 'x'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.untilClosed();
    assert.equal(warned('more than its window'), 1);
    await othersAreServed();
  });

  it('runs nothing more for a client that does not read, and disconnects it in time', async () => {
    const client = await loggedIn();
    const shell = await client.shell(false);
    queries = 0;
    client.socket.pause();
    shell.write('LST CDR: LIMIT=1000\n'.repeat(200));
    let before = -1;
    while (queries !== before || queries === 0) {
      before = queries;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(queries < 100, `${queries} of 200 were run`);
    assert.equal(await othersAreServed(), 2);
    clock.advance(61_000);
    client.socket.resume();
    await client.untilClosed();
    assert.equal(warned('does not read its output'), 1);
    assert.equal(await othersAreServed(), 1);
  });

  it('RFC 4253 §9: ends a storm of key exchanges', async () => {
    const client = await loggedIn();
    for (let i = 0; i < 12 && !client.isClosed; i++) {
      await Promise.race([client.rekey(), client.closed]);
    }
    await client.untilClosed();
    await othersAreServed();
  });

  it('takes a megabyte pasted at a terminal without sending as much back', async () => {
    const client = await loggedIn();
    const shell = await client.shell();
    await until(shell, 'MML> ');
    let echoed = 0;
    shell.on('data', (chunk: Buffer) => {
      echoed += chunk.length;
    });
    shell.write(Buffer.alloc(1024 * 1024, 'x'));
    shell.write('\x15DSP VERSION\r');
    await until(shell, '%%DSP VERSION;%%');
    assert.ok(echoed < 300_000, `echoed ${echoed} bytes`);
  });

  it('starts no session for an operator whose password was changed or who was removed', async () => {
    await services.operators.add('temp', 'secret', 'GUEST');
    const client = await loggedIn({ username: 'temp' });
    assert.equal((await client.run('DSP VERSION')).code, 0);
    await services.operators.remove('temp');
    const refused = await client.run('DSP VERSION');
    assert.equal(refused.code, 1);
    assert.match(refused.output, /^RETCODE = 3005 /);
    assert.doesNotMatch(refused.output, /Version/);
  });

  it('ends sessions by RMV SESSION, in 30 idle minutes, and when the server stops', async () => {
    const admin = await loggedIn({ localAddress: '127.0.0.9' });
    const kicked = await loggedIn({ username: 'guest' });
    const shell = await kicked.shell();
    await until(shell, 'MML> ');
    const list = (await admin.run('LST SESSION')).output;
    const id = /(\d+) +guest +GUEST/.exec(list)![1]!;
    const gone = until(shell, 'ended by an operator');
    assert.match((await admin.run(`RMV SESSION: ID=${id}`)).output, /RETCODE = 0 /);
    await gone;
    const idle = await loggedIn({ localAddress: '127.0.0.10' });
    const quiet = await loggedIn({ localAddress: '127.0.0.11' });
    const sleeping = await quiet.shell();
    await until(sleeping, 'MML> ');
    const timedOut = until(sleeping, 'timed out');
    clock.advance(31 * MINUTE);
    await timedOut;
    clock.advance(3000);
    await idle.untilClosed();
  });

  it('ends a connection that stands idle after a shell that outlived the limit, an empty channel or not', async () => {
    const client = await loggedIn({ localAddress: '127.0.0.12' });
    await client.emptyChannel();
    const shell = await client.shell();
    await until(shell, 'MML> ');
    for (let i = 0; i < 2; i++) {
      clock.advance(20 * MINUTE);
      shell.write('DSP VERSION\r');
      await until(shell, 'MML> ');
    }
    const left = new Promise((resolve) => shell.once('close', resolve));
    shell.write('LGO\r');
    await left;
    // By its answer the server has the end of the shell too.
    await client.emptyChannel();
    clock.advance(29 * MINUTE);
    assert.equal(client.isClosed, false);
    clock.advance(2 * MINUTE);
    clock.advance(3000);
    await client.untilClosed();
  });
});

describe('SSH console at its end', { timeout: 60_000 }, () => {
  it('closes with clients connected, telling them', async () => {
    const server = await startTestConsole(mmlTestServices(), { ssh: true });
    const client = await ScriptedSsh.login(server.sshPort);
    const shell = await client.shell();
    await until(shell, 'MML> ');
    const told = until(shell, 'Server is stopping');
    const bare = await WireClient.open(server.sshPort);
    await bare.until('SSH-2.0-');
    await server.close();
    await told;
    await client.untilClosed();
    await bare.untilClosed();
  });
});
