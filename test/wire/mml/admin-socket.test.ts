import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { startConsole } from '../../../src/mml/console.js';
import { type RunMmlOptions, runMml } from '../../../src/mml/transport/run-mml.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { startTestConsole, type TestConsole } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';
import { waitFor } from '../../support/wait-for.js';

const product = { name: 'ims-server', version: '0.1.0' };

describe('admin socket and ims mml', { timeout: 60_000 }, () => {
  let server: TestConsole;
  const services = mmlTestServices();
  before(async () => {
    server = await startTestConsole(services);
  });
  after(() => server.close());

  const run = async (options: Partial<RunMmlOptions>, stdinText = '') => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const streams = { stdin: Readable.from([stdinText]), stdout, stderr };
    const texts = Promise.all([readAll(stdout), readAll(stderr)]);
    const exitCode = await runMml({ socketPath: server.socketPath, ...streams, ...options });
    stdout.end();
    stderr.end();
    const [out, err] = await texts;
    return { exitCode, out, err };
  };

  it('is open to its owner alone', async () => {
    assert.equal((await stat(server.socketPath)).mode & 0o777, 0o600);
  });

  it('runs one command: exit code 0 when RETCODE is 0, LF line ends', async () => {
    const { exitCode, out } = await run({
      command: 'ADD USER: USERNAME=1001, PASSWORD=secret1, NAME="李四"',
    });
    assert.equal(exitCode, 0);
    assert.match(
      out,
      /^\+\+\+ .*\nO&M {4}#\d+\n%%ADD USER: USERNAME=1001, PASSWORD=\*{6}, NAME=李四;%%\nRETCODE = 0 /,
    );
    assert.ok(out.endsWith('\n---    END\n'));
    assert.doesNotMatch(out, /\r/);
  });

  it('exits with 1 when a RETCODE is not 0; all commands of the line are run', async () => {
    const { exitCode, out } = await run({ command: 'LST USER: USERNAME=9; DSP VERSION' });
    assert.equal(exitCode, 1);
    assert.match(out, /RETCODE = 4001[\s\S]*%%DSP VERSION;%%\nRETCODE = 0 /);
  });

  it('exits with 3 and says what to do when there is no server', async () => {
    const { exitCode, err } = await run({
      command: 'DSP VERSION',
      socketPath: join(server.directory, 'none.sock'),
    });
    assert.equal(exitCode, 3);
    assert.match(err, /no server answers .*ims start/);
  });

  it('prints a report that goes on part by part; Ctrl-C ends it, and the next command is run', async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    let stop: (() => void) | undefined;
    let seen = '';
    const done = new Promise<number>((resolve) => {
      stdout.on('data', (chunk) => {
        seen += String(chunk);
        if (seen.match(/END/g)?.length === 2 && stop) {
          stop();
          stop = undefined;
        }
      });
      const command = 'DSP CALL STAT: WATCH=1; DSP VERSION';
      const onInterrupt = (fn: () => void) => {
        stop = fn;
        return () => undefined;
      };
      const streams = { stdin: Readable.from([]), stdout, stderr };
      resolve(runMml({ socketPath: server.socketPath, ...streams, command, onInterrupt }));
    });
    assert.equal(await done, 0);
    assert.equal(seen.match(/%%DSP CALL STAT: WATCH=1;%%\n/g)?.length, 2);
    assert.match(seen, /END\n\n\+\+\+.*\n.*\n%%DSP VERSION;%%\nRETCODE = 0 [\s\S]*END\n$/);
  });

  it('prints each part of a report as JSON; the last says that no more follow', async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const parts: { part: number; more: boolean; retcode: number }[] = [];
    let stop = (): void => undefined;
    const lines = createInterface(stdout);
    lines.on('line', (line) => {
      parts.push(JSON.parse(line));
      if (parts.length === 2) stop();
    });
    const exitCode = await runMml({
      socketPath: server.socketPath,
      stdin: Readable.from([]),
      stdout,
      stderr,
      format: 'JSON',
      command: 'DSP CALL STAT: WATCH=1',
      onInterrupt: (fn) => {
        stop = fn;
        return () => undefined;
      },
    });
    stdout.end();
    await once(lines, 'close');
    assert.equal(exitCode, 0);
    assert.deepEqual(
      parts.map(({ part, more, retcode }) => [part, more, retcode]),
      [
        [1, true, 0],
        [2, true, 0],
        [2, false, 0],
      ],
    );
  });

  it('ends a report that goes on when its client is gone, and when its next request comes', async () => {
    const sessions = async () => (await run({ command: 'LST SESSION' })).out;
    const socket = connect(server.socketPath);
    await once(socket, 'connect');
    const replies = createInterface(socket)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await replies.next()).value as string);
    const send = (what: object) => socket.write(`${JSON.stringify(what)}\n`);
    send({ mode: 'run' });
    send({ run: 'DSP LOG: FOLLOW=YES' });
    assert.equal((await next()).more, true);
    send({ run: 'DSP VERSION' });
    assert.match((await next()).text, /Number of results = 0\)\n\n--- {4}END/);
    assert.match((await next()).text, /%%DSP VERSION;%%/);
    send({ run: 'DSP LOG: FOLLOW=YES' });
    assert.equal((await next()).more, true);
    assert.match(await sessions(), /DSP LOG: FOLLOW=YES/);
    socket.destroy();
    await waitFor('the end of its session', async () => !/DSP LOG: FOLLOW=YES/.test(await sessions()));
  });

  it('prints JSON and Chinese when asked', async () => {
    const { out } = await run({ command: 'LST USER', format: 'JSON', language: 'ZH' });
    const report = JSON.parse(out);
    assert.equal(report.message, '操作成功');
    assert.equal(report.reports[0].rows[0].displayName, '李四');
  });

  it('runs a script over lines, stops at the first failure and names the line', async () => {
    const file = join(server.directory, 'script.mml');
    await writeFile(
      file,
      '// two users\nADD USER:\n  USERNAME=2001,\n  PASSWORD=secret1;\n\nADD USR USERNAME=2001 PASSWORD=secret1;\nLST USER;\n',
    );
    const { exitCode, out, err } = await run({ file });
    assert.equal(exitCode, 1);
    assert.match(err, /stopped at line 6, RETCODE 4002/);
    assert.equal(out.match(/--- {4}END/g)?.length, 2);
  });

  it('checks a script as a whole before it runs anything, and names every line with an error', async () => {
    const file = join(server.directory, 'broken.mml');
    await writeFile(
      file,
      'ADD USER: USERNAME=2100, PASSWORD=secret1; // fine\nADD USR: NAME=x;\nLST USR: USERNAME="2\n;LST USERS;\nRMV CALL: ID=1;\n',
    );
    const { exitCode, out, err } = await run({ file });
    assert.equal(exitCode, 2);
    assert.equal(out, '');
    for (const fault of [
      /line 2: RETCODE 2002 /,
      /line 3: RETCODE 1\d{3} /,
      /line 4: RETCODE 1002 /,
      /line 5: RETCODE 3003 /,
    ])
      assert.match(err, fault);
    assert.match(err, /nothing was run: 4 of 5 commands/);
    assert.equal(services.userMap.has('2100'), false);
  });

  it('goes on after a failure when asked, writes reports to a file and tells its progress', async () => {
    const [file, output] = [join(server.directory, 'going.mml'), join(server.directory, 'result.txt')];
    await writeFile(file, '// three\nLST USER: USERNAME=none;\nDSP VERSION;\n\nDSP REG STAT;\n');
    const { exitCode, out, err } = await run({ file, output, keepGoing: true });
    assert.equal(exitCode, 1);
    assert.equal(out, '');
    assert.equal(
      err,
      '1/3  line 2  RETCODE 4001\nims mml: failed at line 2, RETCODE 4001\n' +
        '2/3  line 3  RETCODE 0\n3/3  line 5  RETCODE 0\nims mml: 3 commands, 1 failed\n',
    );
    assert.equal((await readFile(output, 'utf8')).match(/--- {4}END/g)?.length, 3);
    assert.equal((await stat(output)).mode & 0o777, 0o600);
    const stopped = await run({ file, output });
    assert.equal(stopped.exitCode, 1);
    assert.match(stopped.err, /stopped at line 2/);
    assert.match((await run({ file, output: join(server.directory, 'no/where') })).err, /ENOENT/);
  });

  it('reads a script from standard input when that is no terminal', async () => {
    const { exitCode, out } = await run({}, 'DSP VERSION\nDSP REG STAT\n');
    assert.equal(exitCode, 0);
    assert.equal(out.match(/RETCODE = 0/g)?.length, 2);
  });

  it('asks nothing: a dangerous command needs CONFIRM=YES', async () => {
    assert.equal((await run({ command: 'RMV OPERATOR: NAME=guest' })).exitCode, 1);
    assert.equal((await run({ command: 'RMV OPERATOR: NAME=guest, CONFIRM=YES' })).exitCode, 0);
    assert.equal(services.operatorMap.has('guest'), false);
  });

  it('shows in LST SESSION as local and is gone afterwards', async () => {
    const { out } = await run({ command: 'LST SESSION' });
    assert.match(out, /Operator += {2}local\n/);
    assert.match(out, /Role += {2}ADMIN\n/);
  });

  it('drops clients that do not speak the protocol', async () => {
    for (const line of [
      'GET / HTTP/1.1\r\n',
      '{"mode":"root"}\n',
      '{"mode":"run"}\n{"run":1}\n',
      `${'x'.repeat(70_000)}`,
    ]) {
      const socket = connect(server.socketPath);
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      socket.write(line);
      await once(socket.resume(), 'close');
    }
    assert.equal((await run({ command: 'DSP VERSION' })).exitCode, 0);
  });

  it('gives the line editor to a terminal, window size in telnet form (RFC 1073)', async () => {
    const socket = connect(server.socketPath);
    let seen = '';
    socket.on('data', (chunk) => {
      seen += String(chunk);
    });
    const until = async (wanted: string) => {
      while (!seen.includes(wanted)) await once(socket, 'data');
      seen = seen.slice(seen.indexOf(wanted) + wanted.length);
    };
    socket.write('{"mode":"terminal","columns":200,"rows":50,"user":"me"}\n');
    await until('MML> ');
    socket.write('DSP VERS\t');
    await until('VERSION ');
    socket.write('\r');
    await until('---    END');
    socket.write(Buffer.from([255, 250, 31, 0, 200, 0, 8, 255, 240]));
    socket.write('DSP SYSINFO\r');
    await until('--More--');
    socket.write('q\x04');
    await once(socket, 'close');
  });
});

describe('admin socket file', { timeout: 60_000 }, () => {
  let directory: string;
  const parts = () => ({
    services: mmlTestServices(),
    listen: [],
    log: silentLogger,
    clock: systemClock,
    product,
  });
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ims-admin-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('replaces the socket of a server that died', async () => {
    const adminSocketPath = join(directory, 'stale.sock');
    // A socket file whose server is gone: made aside, so that closing does not remove it.
    const dead = createServer().listen(join(directory, 'dead.sock'));
    await once(dead, 'listening');
    const { rename } = await import('node:fs/promises');
    await rename(join(directory, 'dead.sock'), adminSocketPath);
    await new Promise((resolve) => dead.close(resolve));
    const console = await startConsole({ ...parts(), adminSocketPath });
    assert.equal((await stat(adminSocketPath)).mode & 0o777, 0o600);
    await console.close();
    await assert.rejects(stat(adminSocketPath), { code: 'ENOENT' });
  });

  it('leaves a living server alone', async () => {
    const adminSocketPath = join(directory, 'live.sock');
    const first = await startConsole({ ...parts(), adminSocketPath });
    await assert.rejects(startConsole({ ...parts(), adminSocketPath }), {
      code: 'CONSOLE_START',
      message: /Another server is running/,
    });
    const stderr = new PassThrough();
    const stdout = new PassThrough();
    assert.equal(
      await runMml({
        socketPath: adminSocketPath,
        command: 'DSP VERSION',
        stdin: Readable.from([]),
        stdout,
        stderr,
      }),
      0,
    );
    await first.close();
  });

  it('never removes what is no socket', async () => {
    const adminSocketPath = join(directory, 'file');
    await writeFile(adminSocketPath, 'precious');
    await assert.rejects(startConsole({ ...parts(), adminSocketPath }), {
      code: 'CONSOLE_START',
      message: /no socket/,
    });
    assert.equal((await stat(adminSocketPath)).size, 8);
  });

  it('refuses a path that is too long for a socket, and a taken telnet port, leaving nothing open', async () => {
    await assert.rejects(startConsole({ ...parts(), adminSocketPath: join(directory, 'x'.repeat(120)) }), {
      message: /too long/,
    });
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = (taken.address() as { port: number }).port;
    const adminSocketPath = join(directory, 'a.sock');
    const listen = [{ host: '127.0.0.1', port }];
    await assert.rejects(startConsole({ ...parts(), listen, adminSocketPath }), { message: /EADDRINUSE/ });
    await assert.rejects(stat(adminSocketPath), { code: 'ENOENT' });
    taken.close();
    await chmod(directory, 0o700);
  });
});
