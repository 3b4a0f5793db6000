import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { StoredOperators } from '../../src/accounts/stored-operators.js';
import { StoredUsers } from '../../src/accounts/stored-users.js';
import { startTestConsole, type TestConsole } from '../support/mml-console.js';
import { mmlTestServices } from '../support/mml-services.js';
import { missing } from '../support/peers.js';
import { Pty } from '../support/pty.js';
import { openTempStore } from '../support/temp-store.js';

const UP = '\x1b[A';
const LEFT = '\x1b[D';

describe('MML console with real clients', { timeout: 60_000 }, () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let server: TestConsole;
  before(async () => {
    temp = await openTempStore();
    const operators = new StoredOperators({ store: temp.store });
    await operators.ensureAdmin('Sesame-1');
    const users = new StoredUsers({ store: temp.store, realm: 'ims' });
    server = await startTestConsole({ ...mmlTestServices(), users, operators });
  });
  after(async () => {
    await server.close();
    await temp.close();
  });

  const login = async (pty: Pty) => {
    await pty.until('login: ');
    pty.type('admin\r');
    await pty.until('password: ');
    pty.type('Sesame-1\r');
    await pty.until('MML> ');
  };

  it('telnet: login, commands, Tab, history, editing, ? and log-out', {
    skip: missing('telnet'),
  }, async () => {
    const pty = Pty.start(`telnet 127.0.0.1 ${server.port}`, { columns: 120, rows: 40 });
    try {
      await login(pty);
      assert.doesNotMatch(pty.text, /Sesame/);
      pty.type('ADD USER: USERNAME=1001, PASSWORD="secret words", NAME="李四"\r');
      const added = await pty.until('---    END');
      assert.match(added, /%%ADD USER: USERNAME=1001, PASSWORD=\*{6}, NAME=李四;%%/);
      assert.match(
        added,
        /RETCODE = 0 {2}Operation succeeded\r\n\r\nUser\r\n----\r\n {2}User name {2}= {2}1001\r\n/,
      );
      await pty.until('MML> ');
      pty.type('ls\tus\tUSERNAME=10\t\r');
      assert.match(await pty.until('---    END'), /%%LST USER: USERNAME=1001;%%\r\nRETCODE = 0/);
      await pty.until('MML> ');
      pty.type(`${UP}${LEFT}\x7f9\r`);
      assert.match(await pty.until('---    END'), /%%LST USER: USERNAME=1091;%%\r\nRETCODE = 4001/);
      await pty.until('MML> ');
      pty.type('DSP CALL ?');
      assert.match(await pty.until('MML> DSP CALL '), /STAT +Count the calls[\s\S]*STATE= /);
      pty.type('STAT\r');
      assert.match(await pty.until('---    END'), /Calls now/);
      await pty.until('MML> ');
      pty.type('junk\x03');
      await pty.until('^C');
      pty.type('LGO\r');
      await pty.untilExit();
      assert.match(pty.text, /Connection closed by foreign host/);
    } finally {
      pty.close();
    }
  });

  it('telnet: asks for required parameters that are missing, secrets unseen; Enter alone or Ctrl-C gives up', {
    skip: missing('telnet'),
  }, async () => {
    const pty = Pty.start(`telnet 127.0.0.1 ${server.port}`, { columns: 120, rows: 40 });
    try {
      await login(pty);
      pty.type('ADD USER: NAME="Asked"\r');
      await pty.until('USERNAME (User name: what others dial): ');
      pty.type('1077\r');
      await pty.until('PASSWORD (Password): ');
      pty.type('Hidden words, all\r');
      const added = await pty.until('---    END');
      assert.match(added, /%%ADD USER: NAME=Asked, USERNAME=1077, PASSWORD=\*{6};%%\r\nRETCODE = 0/);
      assert.doesNotMatch(pty.text, /Hidden/);
      for (const key of ['\r', '\x03']) {
        await pty.until('MML> ');
        pty.type('RMV USER\r');
        await pty.until('USERNAME (User name): ');
        pty.type(key);
        assert.match(await pty.until('---    END'), /RETCODE = 3004/);
      }
    } finally {
      pty.close();
    }
  });

  it('telnet: pages by the size of its window (RFC 1073)', {
    skip: missing('telnet'),
  }, async () => {
    const pty = Pty.start(`telnet 127.0.0.1 ${server.port}`, { columns: 120, rows: 12 });
    try {
      await login(pty);
      pty.type('DSP SYSINFO\r');
      const first = await pty.until('--More--');
      assert.equal(first.split('\r\n').length, 13);
      pty.type(' ');
      await pty.until('--More--');
      pty.type('q');
      await pty.until('MML> ');
      pty.type('\x04');
      await pty.untilExit();
    } finally {
      pty.close();
    }
  });

  it('telnet: WATCH draws the report again until Ctrl-C, which leaves the session', {
    skip: missing('telnet'),
  }, async () => {
    const pty = Pty.start(`telnet 127.0.0.1 ${server.port}`, { columns: 100, rows: 30 });
    try {
      await login(pty);
      pty.type('DSP CALL STAT: WATCH=1\r');
      for (let i = 0; i < 3; i++) {
        assert.match(await pty.until('Ctrl-C or q ends'), /\x1b\[H\+\+\+[\s\S]*Calls now += {2}0/);
      }
      pty.type('\x03');
      await pty.until('MML> ');
      pty.type('DSP LOG: FOLLOW=YES\r');
      await pty.until('Facts');
      pty.type('\x03');
      assert.match(await pty.until('---    END'), /Number of results = 0/);
      await pty.until('MML> ');
      pty.type('LGO\r');
      await pty.untilExit();
    } finally {
      pty.close();
    }
  });

  it('ims mml: WATCH prints report after report until Ctrl-C, which is no failure', async () => {
    const main = join(process.cwd(), '.build/src/main.js');
    const command = `${process.execPath} ${main} mml --data-dir ${server.directory} "DSP CALL STAT: WATCH=1"`;
    const pty = Pty.start(command, { columns: 100, rows: 30 });
    try {
      for (let i = 0; i < 3; i++) assert.match(await pty.until('---    END'), /%%DSP CALL STAT: WATCH=1;%%/);
      pty.type('\x03');
      assert.equal(await pty.untilExit(), 0);
    } finally {
      pty.close();
    }
  });

  it('ims mml: ends when nobody reads its report any more', async () => {
    const main = join(process.cwd(), '.build/src/main.js');
    const child = spawn(process.execPath, [
      main,
      'mml',
      '--data-dir',
      server.directory,
      'DSP CALL STAT: WATCH=1',
    ]);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const stderr = text(child.stderr);
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.equal(await stderr, '');
  });

  it('nc: plain lines, reports until END', { skip: missing('nc') }, async () => {
    const client = spawn('nc', ['127.0.0.1', String(server.port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    client.stdin.end('admin\nSesame-1\nLST USER: USERNAME=1001\nLGO\n');
    assert.match(await text(client.stdout), /RETCODE = 0 {2}Operation succeeded\r\n\r\nUser\r\n/);
  });

  it('ims mml: line editor on the terminal of the user, by the admin socket', async () => {
    const module = join(process.cwd(), '.build/src/mml/transport/run-mml.js');
    const script =
      `import('${module}').then(({ runMml }) => runMml({ socketPath: '${server.socketPath}', interactive: true, ` +
      'stdin: process.stdin, stdout: process.stdout, stderr: process.stderr })).then((code) => { process.exitCode = code; })';
    const pty = Pty.start(`${process.execPath} -e "${script}"`, { columns: 100, rows: 40 });
    try {
      await pty.until('MML> ');
      pty.type('DSP VERS\t\r');
      assert.match(await pty.until('---    END'), /%%DSP VERSION;%%/);
      await pty.until('MML> ');
      pty.type('LST SESSION\r');
      assert.match(await pty.until('---    END'), /local:/);
      await pty.until('MML> ');
      pty.type('\x04');
      assert.equal(await pty.untilExit(), 0);
    } finally {
      pty.close();
    }
  });
});
