// What the old server's documents tell operators to type (docs/old-server.md), through every way into the console.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { WireClient } from '../support/mml-console.js';
import { missing } from '../support/peers.js';
import { Pty } from '../support/pty.js';

/** In the order of a session. */
const OLD_COMMANDS = [
  'DSP SYSINFO',
  'DSP SYSCFG',
  'DSP SRVSTAT',
  'DSP PERF CPU',
  'DSP PERF MEM',
  'DSP PERF ALL',
  'DSP CFG',
  'SET CFG KEY=NO_ANSWER_SEC VALUE=50',
  'EXP CFG',
  'SAVE CFG',
  'DSP LOG CFG',
  'DSP LOG RECENT',
  'DSP LOG SEARCH KEYWORD=user',
  'SET LOG LEVEL=INFO',
  'SET LOGLEVEL LEVEL=INFO',
  'CLR LOG BEFORE=2020-01-01 CONFIRM=YES',
  'DSP USER ALL',
  'ADD USR USERNAME=6001 PASSWORD=secret-6001 NAME="Old Style" PHONE=13800138000 EMAIL=a@b.cn SERVICE=VIP STATUS=ACTIVE',
  'MOD USR USERNAME=6001 STATUS=SUSPENDED',
  'RMV USR USERNAME=6001',
  'DSP REG ALL',
  'DSP REG SPECIFIC URI=sip:1001@ims',
  'DSP REG STAT',
  'RMV REG SPECIFIC URI=sip:1001@ims CONFIRM=YES',
  'CLR REG ALL CONFIRM=YES',
  'DSP CALL ACTIVE',
  'DSP CALL STAT',
  'DSP CALL CALLID=abc@127.0.0.1',
  'RMV CALL CALLID=abc@127.0.0.1 CONFIRM=YES',
  'CLR CALL CONFIRM=YES',
  'DSP DIALSVC',
  'DSP DIALSVC CFG',
  'STR DIALSVC',
  'STP CALL',
  'STP DIALSVC CONFIRM=YES',
  'DSP CDR',
  'DSP CDR TODAY',
  'DSP CDR DATE=2026-11-20 TYPE=CALL LIMIT=5',
  'DSP CDR STAT',
  'CLR CDR BEFORE=2020-01-01 CONFIRM=YES',
  'ADD BLACKLIST IP=192.0.2.66',
  'DSP BLACKLIST',
  'RMV BLACKLIST IP=192.0.2.66',
  'DSP ATTACK STAT',
  'HELP ALL',
  'HELP CMD=DSP CALL',
  'HELP PARAM=USERNAME',
  'HELP HOTKEY',
];
/** Its file would be there already the second time within a second. */
const ONCE = 'EXP CDR FORMAT=CSV';

/** RETCODE 0, but for the call that they name: it is not here. */
const expected = (command: string): string => (command.includes('CALLID=abc@') ? '4001' : '0');

describe('a script of the old console', () => {
  let calls: CallServer;
  const directory = mkdtempSync(join(tmpdir(), 'ims-old-console-'));
  before(async () => {
    calls = await startCallServer();
  });
  after(async () => {
    await calls?.close();
    rmSync(directory, { recursive: true });
  });

  test('is understood in a session, line by line', async () => {
    const client = await WireClient.open(calls.server.mmlPort);
    await client.login('admin', 'admin-secret');
    for (const command of [...OLD_COMMANDS, ONCE]) {
      const retcode = /RETCODE = (\d+)/.exec(await client.run(command))?.[1] ?? '';
      assert.equal(retcode, expected(command), command);
    }
    client.close();
  });

  test('is understood by telnet at a terminal', { skip: missing('telnet') }, async () => {
    const pty = Pty.start(`telnet 127.0.0.1 ${calls.server.mmlPort}`, { columns: 200, rows: 50 });
    try {
      await pty.until('login: ');
      pty.type('admin\r');
      await pty.until('password: ');
      pty.type('admin-secret\r');
      await pty.until('MML> ');
      pty.type('SET SESSION: PAGE=0\r');
      await pty.until('---    END');
      for (const command of OLD_COMMANDS.filter((one) => !one.startsWith('EXP'))) {
        await pty.until('MML> ');
        pty.type(`${command}\r`);
        const retcode = /RETCODE = (\d+)/.exec(await pty.until('---    END'))?.[1] ?? '';
        assert.equal(retcode, expected(command), command);
      }
    } finally {
      pty.close();
    }
  });

  test('runs as a file by ims mml', async () => {
    const [file, output] = [join(directory, 'old.mml'), join(directory, 'result.txt')];
    const commands = OLD_COMMANDS.filter((one) => !one.startsWith('EXP'));
    writeFileSync(file, `// The old server's examples\n${commands.join('\n')}\n`);
    const { code, stderr } = await calls.server.ims('mml', '-f', file, '--keep-going', '-o', output);
    const retcodes = [...readFileSync(output, 'utf8').matchAll(/RETCODE = (\d+)/g)].map((match) => match[1]!);
    assert.deepEqual(retcodes, commands.map(expected), stderr);
    assert.equal(code, 1, 'one that failed');
  });
});
