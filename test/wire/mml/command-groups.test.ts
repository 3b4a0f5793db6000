import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { StoredCommandGroups } from '../../../src/accounts/stored-command-groups.js';
import { StoredOperators } from '../../../src/accounts/stored-operators.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';
import { openTempStore } from '../../support/temp-store.js';

const PASSWORD = 'Long enough';

describe('command groups', { timeout: 60_000 }, () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let server: TestConsole;
  let admin: WireClient;
  const services = mmlTestServices();
  before(async () => {
    temp = await openTempStore();
    const { store } = temp;
    services.loggers.setLevel('info');
    const operators = new StoredOperators({ store });
    await operators.ensureAdmin('Sesame-1');
    server = await startTestConsole({
      ...services,
      operators,
      commandGroups: new StoredCommandGroups({ store }),
    });
    admin = await WireClient.open(server.port);
    await admin.login('admin', 'Sesame-1');
    await ok(
      'ADD CMDGROUP: NAME=users, COMMANDS="add usr"&"RMV USER"&"CLR CALL", NOTE="those who make users"',
    );
    await ok(`ADD OPERATOR: NAME=li, PASSWORD="${PASSWORD}", ROLE=GUEST, GROUPS=users`);
  });
  after(async () => {
    admin.close();
    await server.close();
    await temp.close();
  });

  async function ok(command: string): Promise<string> {
    const report = await admin.run(command);
    assert.match(report, /RETCODE = 0 /, command);
    return report;
  }

  async function login(name: string): Promise<WireClient> {
    const client = await WireClient.open(server.port);
    await client.login(name, PASSWORD);
    await client.run('DSP VERSION');
    return client;
  }

  it('LST CMDGROUP shows the patterns, who has them, and every command they give', async () => {
    const report = await ok('LST CMDGROUP: NAME=users');
    assert.match(report, /Operators += {2}li\r\n {2}Commands += {2}ADD USER, RMV USER, CLR CALL\r\n/);
    assert.match(report, / {2}ADD USER +OPERATOR\r\n {2}CLR CALL +ADMIN\r\n {2}RMV USER +\w+\r\n/);
    assert.match(await ok('LST OPERATOR'), /li +GUEST .* users\r\n/);
    assert.match(await admin.run('LST CMDGROUP: NAME=none'), /RETCODE = 4001/);
  });

  it('an operator may run what its groups give besides its role, and nothing more', async () => {
    const li = await login('li');
    assert.match(await li.run('ADD USER: USERNAME=1001, PASSWORD=secret1'), /RETCODE = 0 /);
    assert.match(await li.run('MOD USER: USERNAME=1001, NAME=Li'), /RETCODE = 3002 /);
    assert.match(await li.run('HLP'), / {2}ADD USER /);
    assert.doesNotMatch(await li.run('HLP'), / {2}MOD USER /);
    assert.match(await li.run('CLR CALL'), /RETCODE = 3003 /, 'dangerous stays dangerous');
    assert.match(await li.run('CLR CALL: CONFIRM=YES'), /RETCODE = 0 /);
    li.close();
  });

  it('a change of a group counts at once in the sessions of its operators', async () => {
    const li = await login('li');
    await ok('MOD CMDGROUP: NAME=users, COMMANDS="MOD USER"');
    assert.match(await li.run('ADD USER: USERNAME=1002, PASSWORD=secret1'), /RETCODE = 3002 /);
    assert.match(await li.run('MOD USER: USERNAME=1002, NAME=Li'), /RETCODE = 4001 /);
    await ok('MOD CMDGROUP: NAME=users, COMMANDS="ADD USER"&"MOD USER"');
    assert.match(await li.run('ADD USER: USERNAME=1002, PASSWORD=secret1'), /RETCODE = 0 /);
    li.close();
  });

  it('a change of a group ends reports that go on which it no longer gives', async () => {
    await ok('MOD CMDGROUP: NAME=users, COMMANDS="DSP TRACE"&"DSP LOG"');
    const [watcher, follower] = [await login('li'), await login('li')];
    watcher.send('DSP TRACE: WATCH=1\n');
    follower.send('DSP LOG: FOLLOW=YES, MODULE=groups\n');
    for (let i = 0; i < 2; i++) assert.match(await watcher.until('END\r\n'), /RETCODE = 0 /);
    const log = services.loggers.for('groups');
    log.error('to be seen');
    await follower.until('to be seen');
    await ok('MOD CMDGROUP: NAME=users, COMMANDS="MOD USER"');
    log.error('not for li');
    assert.doesNotMatch(await follower.until(/RETCODE = 3002 [\s\S]*END\r\n/), /not for li/);
    // A report that was on its way may come before it.
    assert.match(await watcher.until(/RETCODE = 3002 |(?:RETCODE = 0 [\s\S]*){3}/), /RETCODE = 3002 $/);
    await watcher.until('END\r\n');
    for (const client of [watcher, follower]) {
      assert.match(await client.run('DSP VERSION'), /%%DSP VERSION;%%\r\nRETCODE = 0 /);
      client.close();
    }
    await ok('MOD CMDGROUP: NAME=users, COMMANDS="ADD USER"&"MOD USER"');
  });

  it('no group gives the commands on operators and groups, by no pattern', async () => {
    const alone = await admin.run('ADD CMDGROUP: NAME=power, COMMANDS="MOD OPERATOR"');
    assert.match(alone, /RETCODE = 3007 .*ADMIN alone/);
    assert.match(await admin.run('ADD CMDGROUP: NAME=power, COMMANDS="* CMDGROUP"'), /RETCODE = 3007/);
    const all = await ok('ADD CMDGROUP: NAME=power, COMMANDS=*');
    assert.doesNotMatch(all, / {2}\w+ (?:OPERATOR|CMDGROUP) /);
    await ok('MOD OPERATOR: NAME=li, GROUPS=users&power');
    const li = await login('li');
    for (const command of [
      'MOD OPERATOR: NAME=li, ROLE=ADMIN',
      `ADD OPERATOR: NAME=x, PASSWORD="${PASSWORD}", ROLE=ADMIN`,
      'MOD CMDGROUP: NAME=users, COMMANDS=*',
      'SET PASSWORD: NAME=admin, PASSWORD="Sesame-2"',
    ])
      assert.match(await li.run(command), /RETCODE = 3002 /, command);
    assert.match(await li.run('RMV SESSION: ID=999'), /RETCODE = 4001 /);
    li.close();
  });

  it('names that do not exist are refused; a group in use stays', async () => {
    assert.match(await admin.run('ADD CMDGROUP: NAME=x, COMMANDS="ADD USRE"'), /RETCODE = 1002 .*ADD USER/);
    assert.match(await admin.run('ADD CMDGROUP: NAME=x, COMMANDS="A;B"'), /RETCODE = 2003 /);
    assert.match(await admin.run('ADD CMDGROUP: NAME=users, COMMANDS="ADD USER"'), /RETCODE = 4002 /);
    assert.match(
      await admin.run('MOD OPERATOR: NAME=li, GROUPS=none-such'),
      /RETCODE = 4001 .*command group/,
    );
    assert.match(await admin.run('RMV CMDGROUP: NAME=users'), /RETCODE = 3007 .*li/);
    assert.match(await ok('MOD OPERATOR: NAME=li, GROUPS=NONE'), /Command groups += {2}NONE/);
    await ok('RMV CMDGROUP: NAME=users');
    assert.match(await admin.run('RMV CMDGROUP: NAME=users'), /RETCODE = 4001 /);
  });
});
