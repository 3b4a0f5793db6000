import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole } from '../support/mml-console.js';
import { callRecord, mmlTestServices } from '../support/mml-services.js';
import { missing, runToEnd } from '../support/peers.js';
import type { Pty } from '../support/pty.js';
import { SshClient } from '../support/ssh-client.js';

const UP = '\x1b[A';

describe('MML console by the openssh client', { timeout: 90_000, skip: missing('ssh', 'ssh-keygen') }, () => {
  const services = mmlTestServices();
  let server: TestConsole;
  let client: SshClient;
  /** Lets commands hang on purpose. */
  let reached = () => {};
  before(async () => {
    const query = async () => ({
      records: Array.from({ length: 1000 }, (_, i) => callRecord({ id: `R${i}` })),
    });
    const stat = () => {
      reached();
      return new Promise<never>(() => {});
    };
    const records = { ...services.records, query };
    const registrations = { ...services.registrations, count: stat };
    server = await startTestConsole({ ...services, records, registrations }, { ssh: true });
    client = new SshClient(server.sshPort);
    for (let i = 1001; i <= 1040; i++) await services.users.add(String(i), { password: 'secret1' });
  });
  after(async () => {
    client.close();
    await server.close();
  });

  const login = async (pty: Pty) => {
    await pty.until('password: ');
    pty.type('secret\r');
    await pty.until('MML> ');
  };

  it('RFC 4254 §6.5: a session at a terminal: Tab, history, ?, Ctrl-C, log-out', async () => {
    const pty = client.atTerminal('', {}, { columns: 120, rows: 40 });
    try {
      await login(pty);
      assert.doesNotMatch(pty.text, /secret/);
      pty.type('ls\tus\tUSERNAME=1001\r');
      assert.match(await pty.until('---    END'), /%%LST USER: USERNAME=1001;%%\r\nRETCODE = 0/);
      await pty.until('MML> ');
      pty.type(`${UP}\x7f2\r`);
      assert.match(await pty.until('---    END'), /%%LST USER: USERNAME=1002;%%/);
      await pty.until('MML> ');
      pty.type('DSP CALL ?');
      await pty.until('MML> DSP CALL ');
      pty.type('\x03');
      await pty.until('^C');
      await pty.until('MML> ');
      pty.type('LST SESSION\r');
      assert.match(await pty.until('---    END'), /admin +ADMIN +127\.0\.0\.1 +ssh |By += {2}ssh/);
      await pty.until('MML> ');
      pty.type('LGO\r');
      assert.equal(await pty.untilExit(), 0);
    } finally {
      pty.close();
    }
  });

  it('RFC 4254 §6.2, §6.7: pages by the size of the terminal, and by the new one after a change', async () => {
    const pty = client.atTerminal('', { tellTty: true }, { columns: 120, rows: 12 });
    try {
      const tty = /\/dev\/\S+/.exec(await pty.until('password: '))![0];
      pty.type('secret\r');
      await pty.until('MML> ');
      pty.type('LST USER\r');
      assert.equal((await pty.until('--More--')).split('\r\n').length, 13);
      pty.type('q');
      await pty.until('MML> ');
      spawnSync('stty', ['-F', tty, 'rows', '20']);
      // The answer to a keystroke comes after the new size: both go one way.
      pty.type('LST USER\r');
      assert.equal((await pty.until('--More--')).split('\r\n').length, 21);
      pty.type('q');
      await pty.until('MML> ');
      pty.type('\x04');
      assert.equal(await pty.untilExit(), 0);
    } finally {
      pty.close();
    }
  });

  it('RFC 4254 §6.10: commands give their reports and an exit status', async () => {
    const good = await client.run('DSP VERSION');
    assert.equal(good.code, 0, good.stderr);
    assert.match(
      good.stdout,
      /^\+\+\+ {4}ims-server[\s\S]*%%DSP VERSION;%%\nRETCODE = 0 [\s\S]*\n--- {4}END\n\n$/,
    );
    assert.doesNotMatch(good.stdout, /\r/);
    const bad = await client.run('LST USER: USERNAME=nobody; DSP VERSION');
    assert.equal(bad.code, 1);
    assert.deepEqual(bad.stdout.match(/RETCODE = \d+/g), ['RETCODE = 4001', 'RETCODE = 0']);
    const dangerous = await client.run('RMV CALL: ID=none');
    assert.equal(dangerous.code, 1);
    assert.match(dangerous.stdout, /RETCODE = 3003 /);
    assert.equal((await client.run('RMV USER: USERNAME=1040')).code, 0);
    const json = await client.run('SET SESSION: FORMAT=JSON; DSP VERSION');
    assert.equal(JSON.parse(json.stdout.trim().split('\n').at(-1)!).retcode, 0);
    assert.equal((await client.run('x'.repeat(20_000))).code, 1);
    assert.equal((await client.run('')).code, 0);
  });

  it('RFC 4254 §6.9: Ctrl-C and the signal INT end a command that hangs, not the session', async () => {
    const pty = client.atTerminal('', {}, { columns: 120, rows: 40 });
    try {
      await login(pty);
      const running = new Promise<void>((resolve) => {
        reached = resolve;
      });
      pty.type('DSP REG STAT\r');
      await running;
      pty.type('\x03');
      assert.match(await pty.until('---    END'), /RETCODE = 4006 /);
      await pty.until('MML> ');
    } finally {
      pty.close();
    }
    const once = client.atTerminal("'DSP REG STAT; DSP VERSION'", { options: ['-tt'] });
    try {
      const running = new Promise<void>((resolve) => {
        reached = resolve;
      });
      await once.until('password: ');
      once.type('secret\r');
      await running;
      once.type('\x03');
      assert.match(await once.until('---    END'), /RETCODE = 4006 /);
      assert.equal(await once.untilExit(), 1);
      assert.doesNotMatch(once.text, /DSP VERSION;%%/);
    } finally {
      once.close();
    }
  });

  it('watches: redrawn at a terminal until Ctrl-C or q, one report after another without one', async () => {
    for (const key of ['\x03', 'q']) {
      const pty = client.atTerminal("'DSP CALL STAT: WATCH=1; DSP VERSION'", { options: ['-tt'] });
      try {
        await pty.until('password: ');
        pty.type('secret\r');
        await pty.until('Calls now');
        pty.type(key);
        assert.equal(await pty.untilExit(), 0);
        assert.doesNotMatch(pty.text, /DSP VERSION;%%/);
      } finally {
        pty.close();
      }
    }
    const child = client.spawn('DSP CALL STAT: WATCH=1');
    let shown = '';
    for await (const chunk of child.stdout!) {
      shown += String(chunk);
      if (shown.split('---    END').length > 2) break;
    }
    assert.match(shown, /^\+\+\+ [\s\S]*--- {4}END\n\n\+\+\+ /);
    child.kill();
  });

  it('takes lines of a file as nc does: no prompt, no echo, LF', async () => {
    const { code, stdout } = await client.run(undefined, {
      input: 'DSP VERSION\nLST USER: USERNAME=1001\nLGO\n',
    });
    assert.equal(code, 0);
    assert.equal(stdout.match(/RETCODE = 0 /g)?.length, 3);
    assert.doesNotMatch(stdout, /MML>|\r|password/);
  });

  it('RFC 4253 §9: long reports come whole while keys are exchanged anew', async () => {
    const commands = Array.from({ length: 4 }, () => 'LST CDR: LIMIT=1000').join('; ');
    const { code, stdout } = await client.run(commands, { options: ['-o', 'RekeyLimit=128K'] });
    assert.equal(code, 0);
    assert.ok(stdout.length > 400_000, `${stdout.length} characters`);
    assert.equal(stdout.match(/\(Number of results = 1000\)/g)?.length, 4);
    assert.ok(stdout.endsWith('---    END\n\n'));
  });

  it('offers sound algorithms only, and works with each of them', async () => {
    const { stderr } = await client.run('DSP VERSION', { options: ['-vv'] });
    const offer = stderr.slice(stderr.indexOf('peer server KEXINIT proposal'));
    const offered = (what: string) => new RegExp(`debug2: ${what}: (.*)\r?\n`).exec(offer)?.[1];
    assert.equal(
      offered('KEX algorithms'),
      'curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,kex-strict-s-v00@openssh.com',
    );
    assert.equal(offered('host key algorithms'), 'ssh-ed25519');
    const ciphers = 'aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes128-ctr';
    assert.equal(offered('ciphers ctos'), ciphers);
    assert.equal(offered('ciphers stoc'), ciphers);
    assert.equal(offered('MACs ctos'), 'hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com');
    assert.equal(offered('compression ctos'), 'none');
    const old = ['-o', 'KexAlgorithms=diffie-hellman-group14-sha1'];
    assert.equal((await client.run('DSP VERSION', { options: old })).code, 255);
    const taken = [
      'KexAlgorithms=curve25519-sha256',
      'KexAlgorithms=ecdh-sha2-nistp256',
      'KexAlgorithms=ecdh-sha2-nistp521',
      'Ciphers=aes256-gcm@openssh.com',
      'Ciphers=aes128-gcm@openssh.com',
      'Ciphers=aes256-ctr',
      'MACs=hmac-sha2-512-etm@openssh.com',
    ];
    for (const one of taken) {
      const { code, stderr } = await client.run('DSP VERSION', { options: ['-o', one] });
      assert.equal(code, 0, `${one}: ${stderr}`);
    }
  });

  it('RFC 4254 §5.1: grants no forwarding, no agent, no subsystem', async () => {
    const through = await client.run(undefined, { options: ['-W', '127.0.0.1:22'] });
    assert.equal(through.code, 255);
    assert.match(through.stderr, /forwarding failed/);
    const backwards = await client.run('DSP VERSION', {
      options: ['-R', '0:127.0.0.1:9', '-o', 'ExitOnForwardFailure=yes'],
    });
    assert.equal(backwards.code, 255);
    assert.match(backwards.stderr, /forwarding failed/);
    const files = await client.run('sftp', { options: ['-s'] });
    assert.equal(files.code, 255);
    assert.match(files.stderr, /subsystem request failed/);
    const agent = await client.run('DSP VERSION', { options: ['-A', '-X'] });
    assert.equal(agent.code, 0);
  });

  it('host key: made once, mode 0600, and its fingerprint is the one that ssh-keygen finds', async () => {
    const path = join(server.directory, 'ssh_host_ed25519_key');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const { output } = runToEnd('ssh-keygen', ['-lf', path], 5000);
    assert.ok(output.includes(server.console.ssh!.fingerprint), output);
    assert.match(readFileSync(client.knownHosts, 'utf8'), /ssh-ed25519 /);
  });

  it('RFC 4252 §8: three wrong passwords end it, the address must wait, and the log has it', async () => {
    const wrong = await client.run('DSP VERSION', { password: 'wrong' });
    assert.equal(wrong.code, 255);
    assert.match(wrong.stderr, /Permission denied/);
    const log = await client.run('LST OPLOG: KEYWORD=LGI', { options: ['-b', '127.0.0.9'] });
    assert.equal(log.stdout.match(/ adm… +127\.0\.0\.1 +0 +3005 /g)?.length, 3, log.stdout);
    assert.doesNotMatch(log.stdout, /wrong/);
    const again = await client.run('DSP VERSION', { options: ['-v'] });
    assert.equal(again.code, 255);
    assert.match(again.stderr, /Try again in \d+ s/, 'RFC 4253 §4.2');
  });
});
