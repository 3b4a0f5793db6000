// Secrets given to SET CFG: refused, and nowhere to be read afterwards.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { runMml } from '../../../src/mml/transport/run-mml.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';

const SECRET = /topsecret9/i;
const COMMANDS = [
  'SET CFG: KEY=ALARM_WEBHOOK_KEY, VALUE=topsecret9',
  'SET CFG KEY=alarm_webhook_key VALUE="topsecret9"',
  'SET CFG: KEY=STORE_URL, VALUE=redis://:topsecret9@store:6379/0',
  'SET CFG: KEY=SIP_ENGINE, VALUE=drachtio://:topsecret9@host:9022',
  'SET CFG: KEY=ADMIN_PASSWORD, VALUE=topsecret9',
  'SET CFG: KEY=ALARM_WEBHOK_KEY, VALUE=topsecret9',
  'SET CFG: KEY=ALARM_WEBHOOK_KEY=topsecret9, VALUE=1',
  'SET CFG: KEY=MEDIA_RELAY, VALUE=http://ims:topsecret9@host:1',
  'SET CFG: KEY=ALARM_WEBHOOK_KEY, VALUE="topsecret9',
];

describe('secrets among settings', { timeout: 60_000 }, () => {
  let server: TestConsole;
  let client: WireClient;
  before(async () => {
    server = await startTestConsole();
    mkdirSync(join(server.directory, 'exchange'));
    client = await WireClient.open(server.port);
    await client.login();
  });
  after(async () => {
    client.close();
    await server.close();
  });

  /** Nothing of it stands in the operation log, on disk or as it is told. */
  const assertUnlogged = async () => {
    assert.match(await client.run('LST OPLOG: KEYWORD=CFG, LIMIT=50'), /SET CFG/);
    const file = join(server.directory, 'oplog', 'oplog.jsonl');
    assert.doesNotMatch(readFileSync(file, 'utf8'), SECRET);
  };

  for (const format of ['TEXT', 'JSON'])
    it(`are refused without a trace, FORMAT=${format}`, async () => {
      const other = await WireClient.open(server.port);
      await other.login();
      const run = (command: string) => {
        other.send(`${command}\n`);
        return other.until(format === 'JSON' ? /"reports":\[.*\]\}\r\n/ : 'END\r\n');
      };
      await run(`SET SESSION: FORMAT=${format}`);
      for (const command of COMMANDS) {
        const report = await run(command);
        assert.match(report, /RETCODE = [1-4]\d{3}|"retcode":[1-4]\d{3}/, report);
        assert.doesNotMatch(report, SECRET, command);
        assert.doesNotMatch(await client.run('LST SESSION'), SECRET, command);
      }
      other.close();
      await assertUnlogged();
    });

  it('are not shown while they are typed, nor afterwards', async () => {
    const other = await WireClient.open(server.port);
    await other.loginAtTerminal();
    other.send('SET CFG: KEY=ALARM_WEBHOOK_KEY\r\0');
    await other.until('VALUE (');
    other.send('topsecret9\r\0');
    assert.match(await other.until('MML> '), /VALUE=\*{6};%%\r\nRETCODE = 3007/);
    assert.doesNotMatch(other.bytes.toString('latin1'), SECRET);
    other.close();
    await assertUnlogged();
  });

  it('are refused in tasks, which are kept as they are', async () => {
    const report = await client.run(
      'ADD TASK: NAME=t, COMMAND="SET CFG: KEY=ALARM_WEBHOOK_KEY, VALUE=topsecret9"',
    );
    assert.match(report, /COMMAND=\*{6};%%\r\nRETCODE = 2011 .*VALUE may be a secret/);
    assert.match(await client.run('LST TASK: NAME=t'), /RETCODE = 4001/);
    await assertUnlogged();
  });

  it('of a script are not told by ims mml, which checks it and runs it', async () => {
    const file = join(server.directory, 'script.mml');
    writeFileSync(file, `${COMMANDS.slice(0, -1).join(';\n')};\n`);
    const command = COMMANDS.join('; ');
    for (const options of [{ file }, { file, keepGoing: true }, { command }]) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const told = Promise.all([text(stdout), text(stderr)]);
      const streams = { stdin: Readable.from(['']), stdout, stderr };
      await runMml({ socketPath: server.socketPath, ...streams, ...options });
      stdout.end();
      stderr.end();
      assert.doesNotMatch((await told).join(''), SECRET);
    }
    await assertUnlogged();
  });

  it('of a settings file are not told when it is refused', async () => {
    for (const [i, content] of [
      'ALARM_WEBHOOK_KEY: topsecret9\n',
      'ALARM_WEBHOK_KEY: topsecret9\n',
      'ALARM_WEBHOOK_KEY: *topsecret9\n',
      'ALARM_WEBHOOK_KEY: "x" topsecret9\n',
      'STORE_URL: http://:topsecret9@host\n',
      'MEDIA_RELAY: http://ims:topsecret9@host\n',
    ].entries()) {
      writeFileSync(join(server.directory, 'exchange', `${i}.yaml`), content);
      const report = await client.run(`IMP CFG: FILE=${i}.yaml, CONFIRM=YES`);
      assert.match(report, /RETCODE = (?:2010|3007) /, report);
      assert.doesNotMatch(report, SECRET, content);
    }
  });

  it('in the URL of a setting that is not secret are masked where it is told', async () => {
    writeFileSync(
      join(server.directory, 'exchange', 'url.yaml'),
      'MEDIA_RELAY: rtpproxy+udp://ims:topsecret9@host:1\n',
    );
    const report = await client.run('IMP CFG: FILE=url.yaml, CONFIRM=YES');
    assert.match(report, /RETCODE = 0 /);
    for (const told of [report, await client.run('LST CFG: KEY=MEDIA_RELAY')]) {
      assert.match(told, /rtpproxy\+udp:\/\/\*+@host:1/);
      assert.doesNotMatch(told, SECRET);
    }
    await client.run('RMV CFG: KEY=MEDIA_RELAY');
  });
});
