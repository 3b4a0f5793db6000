import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { missing, runToEnd } from '../support/peers.js';
import { ScriptedSsh } from '../support/scripted-ssh.js';
import { startServer, type TestServer } from '../support/server.js';
import { SshClient } from '../support/ssh-client.js';

/** Makes the optional native parts of ssh2 impossible to load, and says so when one is asked for. */
const WITHOUT_NATIVES = `
  const Module = require('node:module');
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    if (/sshcrypto\\.node$|^cpu-features$/.test(request)) {
      process.stderr.write('kept away: ' + request + '\\n');
      throw Object.assign(new Error('kept away'), { code: 'MODULE_NOT_FOUND' });
    }
    return resolve.call(this, request, ...rest);
  };
`;

describe('SSH console of a running server', { timeout: 60_000, skip: missing('ssh', 'ssh-keygen') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'ims-natives-'));
  const blocker = join(directory, 'without-natives.cjs');
  let server: TestServer;
  before(async () => {
    writeFileSync(blocker, WITHOUT_NATIVES);
    server = await startServer({
      env: { MML_SSH_LISTEN: '127.0.0.1:0', NODE_OPTIONS: `--require=${blocker}` },
      users: { '1001': 'secret-1' },
    });
  });
  after(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });

  const clientOf = (one: TestServer) => new SshClient(Number(one.facts.ssh!.split(':').at(-1)));
  const fingerprint = (one: TestServer) => / host key (SHA256:\S+)/.exec(one.output())?.[1];

  it('works without the native parts of its library', async () => {
    assert.match(server.output(), /kept away: .*sshcrypto\.node/);
    const client = clientOf(server);
    const { code, stdout, stderr } = await client.run('LST USER: USERNAME=1001; LST SESSION', {
      password: 'admin-secret',
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /User name += {2}1001/);
    assert.match(stdout, /= {2}ssh\n/);
    client.close();
  });

  it('tells how to get in and the fingerprint of its key', async () => {
    const port = server.facts.ssh!.split(':').at(-1);
    assert.ok(server.output().includes(`ssh -p ${port} admin@127.0.0.1   host key SHA256:`), server.output());
    const path = join(server.dataDir, 'ssh_host_ed25519_key');
    const shown = fingerprint(server)!;
    assert.ok(runToEnd('ssh-keygen', ['-lf', path], 5000).output.includes(shown));
  });

  it('obeys roles and command groups', async () => {
    await server.mml('ADD CMDGROUP: NAME=desk, COMMANDS="ADD USER"');
    await server.mml('ADD OPERATOR: NAME=desk1, PASSWORD=desk-secret, ROLE=GUEST, GROUPS=desk');
    const client = clientOf(server);
    const as = { name: 'desk1', password: 'desk-secret' };
    assert.equal((await client.run('ADD USER: USERNAME=1002, PASSWORD=secret-2', as)).code, 0);
    const refused = await client.run('RMV USER: USERNAME=1002', as);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /RETCODE = 3002 /);
    client.close();
  });

  it('RFC 4252 §7: lets an operator in by its public key, and by no other', async () => {
    const client = clientOf(server);
    await server.mml('ADD OPERATOR: NAME=keys, PASSWORD=keys-secret, ROLE=GUEST');
    const made = (name: string, ...how: string[]) => {
      const file = join(directory, name);
      runToEnd('ssh-keygen', ['-q', '-N', '', '-C', `${name}@office`, ...how, '-f', file], 20_000);
      const fingerprint = /SHA256:\S+/.exec(runToEnd('ssh-keygen', ['-lf', file], 5000).output)![0];
      return { file, fingerprint, line: readFileSync(`${file}.pub`, 'utf8').trim() };
    };
    const by = (file: string) =>
      client.run('LST USER', { name: 'keys', options: ['-i', file, '-o', 'BatchMode=yes'] });
    const good = [
      made('ed', '-t', 'ed25519'),
      made('ec', '-t', 'ecdsa', '-b', '384'),
      made('rsa', '-t', 'rsa', '-b', '2048'),
    ];
    const other = made('other', '-t', 'ed25519');
    for (const { file, fingerprint, line } of good) {
      assert.equal((await by(file)).code, 255);
      assert.match(await server.mml(`ADD OPKEY: NAME=keys, KEY="${line}"`), /RETCODE = 0 /);
      const { code, stderr } = await by(file);
      assert.equal(code, 0, stderr);
      assert.ok((await server.mml('LST OPKEY: NAME=keys')).includes(fingerprint));
    }
    assert.match(await server.mml(`ADD OPKEY: NAME=keys, KEY="${good[0]!.line}"`), /RETCODE = 4002 /);
    assert.equal((await by(other.file)).code, 255);
    const asAdmin = { name: 'admin', options: ['-i', good[0]!.file, '-o', 'BatchMode=yes'] };
    assert.equal((await client.run('LST USER', asAdmin)).code, 255);
    const [ed, , rsa] = good as [(typeof good)[0], unknown, (typeof good)[0]];
    await server.mml(`RMV OPKEY: NAME=keys, KEY=${ed.fingerprint}`);
    assert.equal((await by(ed.file)).code, 255);
    await server.mml('MOD OPERATOR: NAME=keys, ADDRESSES=192.0.2.1');
    assert.equal((await by(rsa.file)).code, 255);
    assert.match(await server.mml('LST OPLOG: OPERATOR=keys, KEYWORD=LGI'), /keys +127\.0\.0\.1 .* LGI/);
    client.close();
  });

  it('starts no more sessions on a connection whose operator was changed since its login', async () => {
    await server.mml('ADD OPERATOR: NAME=temp, PASSWORD=temp-secret, ROLE=OPERATOR');
    const changes = [
      'SET PASSWORD: NAME=temp, PASSWORD=temp-secret',
      'MOD OPERATOR: NAME=temp, ADDRESSES=192.0.2.1&127.0.0.0/8',
      'MOD OPERATOR: NAME=temp, HOURS=00:00-00:00',
      'MOD OPERATOR: NAME=temp, ROLE=ADMIN',
      'RMV OPERATOR: NAME=temp, CONFIRM=YES',
    ];
    for (const change of changes) {
      const login = { username: 'temp', password: 'temp-secret' };
      const client = await ScriptedSsh.login(Number(server.facts.ssh!.split(':').at(-1)), login);
      assert.equal((await client.run('DSP VERSION')).code, 0);
      assert.match(await server.mml(change), /RETCODE = 0 /);
      const refused = await client.run('DSP VERSION');
      assert.equal(refused.code, 1, change);
      assert.match(refused.output, /^RETCODE = 3005 /);
      client.close();
    }
  });

  it('is off unless it is asked for', async () => {
    const plain = await startServer();
    try {
      assert.equal(plain.facts.ssh, undefined);
      assert.doesNotMatch(plain.output(), /ssh -p/);
      assert.equal(existsSync(join(plain.dataDir, 'ssh_host_ed25519_key')), false);
    } finally {
      await plain.close();
    }
  });
});
