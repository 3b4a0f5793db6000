import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { AlarmBook } from '../../../src/alarms/alarm-book.js';
import { MAX_LIVE_REPORTS } from '../../../src/mml/limits.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';
import { waitFor } from '../../support/wait-for.js';

const INTERRUPT = '\x03';

describe('console reports that go on', { timeout: 60_000 }, () => {
  let server: TestConsole;
  const services = mmlTestServices();
  before(async () => {
    services.loggers.setLevel('info');
    server = await startTestConsole(services);
  });
  after(() => server.close());

  const plain = async () => {
    const client = await WireClient.open(server.port);
    await client.login();
    return client;
  };
  const atTerminal = async (columns?: number, rows?: number) => {
    const client = await WireClient.open(server.port);
    await client.loginAtTerminal(columns, rows);
    return client;
  };
  const logged = async (client: WireClient, command: string) =>
    client.run(`LST OPLOG: KEYWORD="${command}", LIMIT=1`);

  it('WATCH on a terminal draws the report again in its place; Ctrl-C ends the command, not the session', async () => {
    const client = await atTerminal(100, 40);
    client.send('DSP CALL STAT: WATCH=1\r\0');
    const first = await client.until('Ctrl-C or q ends');
    assert.match(first, /\x1b\[2J\x1b\[H\+\+\+/);
    assert.match(
      first,
      /%%DSP CALL STAT: WATCH=1;%%\x1b\[K\r\nRETCODE = 0 {2}Operation succeeded\x1b\[K\r\n/,
    );
    const second = await client.until('Ctrl-C or q ends');
    assert.match(second, /^\x1b\[J\x1b\[H\+\+\+/);
    assert.doesNotMatch(second, /\x1b\[2J/);
    // What is typed meanwhile is no command.
    client.send('LGO\r\0');
    await client.until('Ctrl-C or q ends');
    client.send(INTERRUPT);
    assert.match(await client.until('MML> '), /\r\x1b\[KMML> $|\r\x1b\[K\rMML> $/);
    assert.match(
      await logged(client, 'DSP CALL STAT: WATCH'),
      /\(Number of results = 1\)|DSP CALL STAT: WATCH=1/,
    );
    client.close();
  });

  it('DSP PERF: WATCH tells rates since the report before, its bars as wide as the window', async () => {
    // 150 messages a second, whoever asks and whenever.
    services.figures = async () => [
      { part: 'engine', name: 'traffic.udp.received.INVITE', value: performance.now() * 0.15 },
    ];
    const bars: string[] = [];
    for (const columns of [80, 120]) {
      const client = await atTerminal(columns, 40);
      client.send('DSP PERF: TYPE=LOAD, WATCH=1\r\0');
      for (let i = 0; i < 2; i++) await client.until('Ctrl-C or q ends');
      const drawn = await client.until('Ctrl-C or q ends');
      assert.match(drawn, /Over the last (?:0\.9|1\.\d) s/);
      const [, rate, bar] = /Messages in +([\d.]+) +200 {2}\/s +\[([#.]+)\] {2}\d\d/.exec(drawn) ?? [];
      assert.ok(Math.abs(Number(rate) - 150) < 10, drawn);
      bars.push(bar!);
      client.send(INTERRUPT);
      await client.until('MML> ');
      client.close();
    }
    assert.deepEqual(
      bars.map((bar) => bar.length),
      [22, 60],
    );
  });

  it('WATCH is cut to the window, and q ends it', async () => {
    const client = await atTerminal(40, 10);
    client.send('DSP SYSINFO: WATCH=1\r\0');
    const drawn = await client.until('Ctrl-C or q ends');
    const lines = drawn.slice(drawn.indexOf('+++')).split('\r\n');
    assert.equal(lines.length, 10);
    assert.match(lines[8]!, /^\.\.\. \d+ lines more/);
    for (const line of lines) assert.ok(line.replaceAll('\x1b[K', '').length < 40, line);
    client.send('q');
    await client.until('MML> ');
    client.close();
  });

  it('WATCH elsewhere prints one whole report after another; the next line ends it and is run', async () => {
    const client = await plain();
    client.send('DSP CALL STAT: WATCH=1\n');
    const first = await client.until('---    END\r\n');
    const second = await client.until('---    END\r\n');
    const serial = /O&M {4}#(\d+)/;
    assert.equal(serial.exec(first)![1], serial.exec(second)![1]);
    assert.match(second, /Calls now/);
    assert.match(await client.run('DSP VERSION'), /^\r\n\+\+\+.*\r\n.*\r\n%%DSP VERSION;%%\r\nRETCODE = 0/);
    client.close();
  });

  it('a script that sent its next line already gets one report', async () => {
    const client = await plain();
    client.send('DSP CALL STAT: WATCH=1\nDSP VERSION\nLGO\n');
    const all = await client.untilClosed();
    assert.equal(all.match(/%%DSP CALL STAT: WATCH=1;%%/g)?.length, 1);
    assert.match(all, /%%DSP VERSION;%%\r\nRETCODE = 0/);
  });

  it('Ctrl-C and the telnet command IP end it without a terminal as well', async () => {
    const client = await plain();
    for (const end of [INTERRUPT, Buffer.from([255, 244])]) {
      client.send('DSP CALL STAT: WATCH=1\n');
      await client.until('---    END\r\n');
      client.send(end);
      assert.match(await client.run('DSP VERSION'), /%%DSP VERSION;%%\r\nRETCODE = 0/);
    }
    client.close();
  });

  it('JSON: each part is an object, the last says that no more follow', async () => {
    const json = await plain();
    json.send('SET SESSION: FORMAT=JSON\nDSP CALL STAT: WATCH=1\n');
    const next = async () => JSON.parse((await json.until(/\{.*\}\r\n/)).replace(/^[^{]*/, ''));
    await next();
    const [first, second] = [await next(), await next()];
    assert.deepEqual([first.part, first.more, second.part, second.more], [1, true, 2, true]);
    assert.deepEqual(second.reports[0].rows, [{ ...services.calls.count() }]);
    json.send(INTERRUPT);
    const last = await next();
    assert.deepEqual([last.retcode, last.part, last.more, last.reports], [0, 2, false, []]);
    json.close();
  });

  it('ends with the RETCODE of what fails on the way', async () => {
    const client = await plain();
    await client.run('ADD USER: USERNAME=1001, PASSWORD=secret1');
    client.send('DSP USER: USERNAME=1001, WATCH=1\n');
    assert.match(await client.until('---    END\r\n'), /RETCODE = 0/);
    services.userMap.delete('1001');
    const failed = async (): Promise<string> => {
      const report = await client.until('---    END\r\n');
      return /RETCODE = 0/.test(report) ? failed() : report;
    };
    assert.match(await failed(), /RETCODE = 4001/);
    assert.match(await client.run('DSP VERSION'), /RETCODE = 0/);
    client.close();
  });

  it('DSP LOG: FOLLOW=YES goes on with the lines that come, with all filters, in one report', async () => {
    const log = services.loggers.for('follow');
    log.info('before');
    const client = await plain();
    client.send('DSP LOG: MODULE=follow, LEVEL=WARN, KEYWORD=wanted, FOLLOW=YES\n');
    await client.until('Facts\r\n');
    log.warn({ call: 'x1' }, 'first wanted');
    const row = await client.until('x1"}\r\n');
    assert.match(row, /^ {2}\S+ \S+ {2}warn +follow +first wanted +\{"call":"x1"\}\r\n$/);
    log.info('wanted, but not bad enough');
    services.loggers.for('other').error('wanted, but elsewhere');
    log.error('not asked for');
    log.error('second wanted');
    assert.match(await client.until('second wanted'), /^ {2}\S+ \S+ {2}error +follow +second wanted$/);
    client.send(INTERRUPT);
    assert.match(
      await client.until('END\r\n'),
      /^[\s-]*\r\n\(Number of results = 2\)\r\n\r\n--- {4}END\r\n$/,
    );
    client.close();
  });

  it('DSP LOG: FOLLOW=YES, CALLID= finds the legs that a call gets later', async () => {
    const call = {
      id: 'call-7',
      callId: 'a-leg@phone',
      state: 'connected',
      caller: '1',
      callee: '2',
      dialled: '2',
      startTime: Date.now(),
    } as const;
    const timeline: object[] = [];
    services.callMap.set('call-7', { ...call, timeline } as never);
    const client = await plain();
    client.send('DSP LOG: CALLID=call-7, FOLLOW=YES\n');
    await client.until('Facts\r\n');
    timeline.push({ at: 1, mono: 1, event: { kind: 'attempt', leg: 'b1', callId: 'b-leg@server' } });
    services.loggers.for('engine').info({ callId: 'other' }, 'no line of it');
    services.loggers.for('engine').info({ callId: 'b-leg@server' }, 'second leg');
    assert.doesNotMatch(await client.until('second leg'), /no line of it/);
    client.send(INTERRUPT);
    await client.until('END\r\n');
    client.close();
    services.callMap.clear();
  });

  it('goes into the operation log once, with how long it went on', async () => {
    const client = await plain();
    client.send('DSP REG STAT: WATCH=1\n');
    for (let i = 0; i < 3; i++) await client.until('---    END\r\n');
    client.send(INTERRUPT);
    const found = await client.run('LST OPLOG: KEYWORD="DSP REG STAT", LIMIT=9');
    assert.match(found, /Command +=|DSP REG STAT: WATCH=1/);
    const [entry] = found.match(/\d[\d.]* ms/g) ?? [];
    assert.ok(Number.parseFloat(entry!) >= 1900, found);
    assert.equal(found.match(/DSP REG STAT: WATCH=1/g)?.length, 1);
    client.close();
  });

  it('RMV SESSION ends it', async () => {
    const [admin, watcher] = [await plain(), await plain()];
    watcher.send('DSP CALL STAT: WATCH=1\n');
    await watcher.until('---    END\r\n');
    const sessions = await admin.run('LST SESSION');
    const id = /(\d+) .*DSP CALL STAT: WATCH=1/.exec(sessions)![1]!;
    await admin.run(`RMV SESSION: ID=${id}`);
    assert.match(await watcher.untilClosed(), /ended by an operator/);
    admin.close();
  });

  it('holds such reports to a number; who is gone gives its place back', async () => {
    const clients = await Promise.all(
      Array.from({ length: MAX_LIVE_REPORTS }, async () => {
        const client = await plain();
        client.send('DSP LOG: FOLLOW=YES, KEYWORD=nothing-like-it\n');
        await client.until('Facts\r\n');
        return client;
      }),
    );
    const late = await plain();
    assert.match(await late.run('DSP CALL STAT: WATCH=1'), /RETCODE = 4003 .*32/);
    assert.match(await late.run('DSP CALL STAT'), /RETCODE = 0/);
    for (const { socket } of clients) socket.resetAndDestroy();
    await waitFor('a place of those that are gone', async () => {
      const report = await late.run('DSP CALL STAT: WATCH=1');
      return /RETCODE = 0/.test(report);
    });
    late.close();
  });

  it('stops making what is not read, and calls are unharmed by it', async () => {
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.write('admin\nsecret\nDSP LOG: FOLLOW=YES, MODULE=flood\n');
    await new Promise<void>((resolve) => {
      let seen = '';
      socket.on('data', (chunk) => {
        seen += String(chunk);
        if (seen.includes('Facts')) resolve();
      });
    });
    socket.pause();
    const log = services.loggers.for('flood');
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k < 1000; k++) log.info({ filler: 'x'.repeat(1000) }, `line ${i}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
    const other = await plain();
    assert.match(await other.run('DSP VERSION'), /RETCODE = 0/);
    // Once it reads again it is told that lines were left out.
    const rest = new Promise<void>((resolve) => {
      let seen = '';
      socket.on('data', (chunk) => {
        seen += String(chunk);
        if (/\(\d+ lines left out: they came too fast\)/.test(seen)) resolve();
        seen = seen.slice(-200);
      });
    });
    socket.resume();
    await rest;
    socket.destroy();
    other.close();
  });

  it('outlives the time limit of commands and the idle time, which begins anew when it is ended', async () => {
    const clock = new ManualClock();
    const other = await startTestConsole(services, { clock });
    const client = await WireClient.open(other.port);
    await client.login();
    client.send('DSP CALL STAT: WATCH=60\n');
    for (let minutes = 0; minutes < 100; minutes++) {
      await client.until('---    END\r\n');
      // The console sets the next timer when the report is out.
      await waitFor('the next report to be due', () => clock.pendingTimers > 1);
      clock.advance(60_000);
    }
    await client.until('---    END\r\n');
    client.send(INTERRUPT);
    assert.match(await client.run('DSP VERSION'), /%%DSP VERSION;%%/);
    clock.advance(29 * 60_000);
    assert.match(await client.run('DSP VERSION'), /%%DSP VERSION;%%/);
    clock.advance(31 * 60_000);
    assert.match(await client.untilClosed(), /Session timed out/);
    await other.close();
  });

  it('WATCH takes the words for days as they are meant at each report', async () => {
    const clock = new ManualClock(new Date(2030, 0, 1, 23, 59).getTime());
    const alarms = new AlarmBook({ clock, log: silentLogger });
    const other = await startTestConsole({ ...services, alarms }, { clock });
    const client = await WireClient.open(other.port);
    await client.login();
    alarms.raise('CLOCK_JUMP', '', 'the day before');
    client.send('LST ALARM: DATE=TODAY, WATCH=120\n');
    assert.match(await client.until('---    END\r\n'), /the day before/);
    await waitFor('the next report to be due', () => clock.pendingTimers > 1);
    clock.advance(60_000);
    alarms.raise('STORE_DOWN', '', 'the day after');
    clock.advance(60_000);
    const report = await client.until('---    END\r\n');
    assert.match(report, /the day after/);
    assert.doesNotMatch(report, /the day before/);
    client.close();
    await other.close();
  });

  it('ends when the server stops', async () => {
    const other = await startTestConsole(services);
    const client = await WireClient.open(other.port);
    await client.login();
    client.send('DSP LOG: FOLLOW=YES\n');
    await client.until('Facts\r\n');
    await other.close();
    assert.match(await client.untilClosed(), /Server is stopping/);
  });
});
