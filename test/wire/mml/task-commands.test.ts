import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { StoredCommandGroups } from '../../../src/accounts/stored-command-groups.js';
import { StoredOperators } from '../../../src/accounts/stored-operators.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { StoreError } from '../../../src/store/errors.js';
import { StoredTasks } from '../../../src/tasks/stored-tasks.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';
import { openTempStore } from '../../support/temp-store.js';
import { waitFor } from '../../support/wait-for.js';

const PASSWORD = 'Long enough';

describe('tasks at the console', { timeout: 60_000 }, () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let server: TestConsole;
  let admin: WireClient;
  let li: WireClient;
  const services = mmlTestServices();
  let operators: StoredOperators;
  before(async () => {
    temp = await openTempStore();
    const { store } = temp;
    operators = new StoredOperators({ store });
    await operators.ensureAdmin('Sesame-1');
    server = await startTestConsole({
      ...services,
      figures: () => figures(),
      operators,
      commandGroups: new StoredCommandGroups({ store }),
      tasks: new StoredTasks({
        store,
        log: silentLogger,
        alarms: services.alarms,
        node: 'n1',
        server: 'n1:here',
      }),
    });
    admin = await login('admin', 'Sesame-1');
    await ok(admin, `ADD OPERATOR: NAME=li, PASSWORD="${PASSWORD}", ROLE=OPERATOR`);
    li = await login('li', PASSWORD);
  });
  after(async () => {
    admin.close();
    li.close();
    await server.close();
    await temp.close();
  });

  let figures = services.figures;

  async function login(name: string, password: string): Promise<WireClient> {
    const client = await WireClient.open(server.port);
    await client.login(name, password);
    return client;
  }

  async function ok(client: WireClient, command: string): Promise<string> {
    const report = await client.run(command);
    assert.match(report, /RETCODE = 0 /, `${command}\n${report}`);
    return report;
  }

  async function script(name: string, text: string): Promise<void> {
    await mkdir(join(server.directory, 'exchange'), { recursive: true });
    await writeFile(join(server.directory, 'exchange', name), text);
  }

  /** The newest run of a task once it is over, as DSP TASK prints it. */
  async function ended(name: string): Promise<string> {
    let line = '';
    await waitFor(`${name} to end`, async () => {
      const report = await ok(admin, `DSP TASK: NAME=${name}`);
      line = report.split('\r\n').find((one) => one.startsWith(`  ${name} `)) ?? 'RUNNING';
      return !line.includes('RUNNING');
    });
    return line.replace(/ {2,}/g, ' ').trim();
  }

  async function run(name: string, by = admin): Promise<string> {
    await ok(by, `STR TASK: NAME=${name}`);
    return ended(name);
  }

  /** Number of the session that a task of li runs in. */
  async function taskSession(name: string): Promise<string> {
    const wanted = new RegExp(`(\\d+) +li +OPERATOR +task:${name} +task `);
    let id = '';
    await waitFor('the session of the task', async () => {
      id = wanted.exec(await ok(admin, 'LST SESSION'))?.[1] ?? '';
      return id !== '';
    });
    return id;
  }

  const results = (name: string): string => {
    const directory = join(server.directory, 'exchange', 'tasks', name);
    return readFileSync(join(directory, readdirSync(directory).sort().at(-1)!), 'utf8');
  };

  it('runs commands as the operator who made it; reports in a file, every command in the operation log', async () => {
    const added = await ok(li, 'ADD TASK: NAME=show, COMMAND="DSP VERSION; LST USER", NOTE="a first one"');
    assert.match(added, /State += {2}ACTIVE\r\n {2}Schedule += {2}NONE\r\n/);
    assert.match(added, /Runs as += {2}li\r\n {2}Commands += {2}2\r\n/);
    assert.match(await run('show', li), /^show .* OK 2 2 0 - - .* li tasks\/show\/\d{8}-\d{6}\.txt n1$/);
    assert.match(
      results('show'),
      /^\/\/ task show as li, .*\n\/\/ 1\/2 {2}line 1\n\+\+\+[\s\S]*%%DSP VERSION;%%\nRETCODE = 0 [\s\S]*--- {4}END\n\n\/\/ 2\/2 {2}line 1\n[\s\S]*%%LST USER;%%\n[\s\S]*\/\/ 2 of 2 commands run, 0 failed, .*\n$/,
    );
    const log = await ok(admin, 'LST OPLOG: KEYWORD="LST USER", LIMIT=5');
    assert.match(log, / li +task:show +\d+ +0 .* LST USER\r\n/);
    assert.match(await ok(li, 'LST TASK: NAME=show'), / 1 {2}DSP VERSION\r\n +1 {2}LST USER\r\n/);
  });

  it('reads a file with comments once, stops at the first failure and names its line; ONERROR=GO goes on', async () => {
    await script(
      'night.mml',
      '// users\nLST USER;\n\n// a number that is not there\nLST USER:\n  USERNAME=nobody;\nDSP VERSION;\n',
    );
    await ok(li, 'ADD TASK: NAME=night, FILE=night.mml');
    await script('night.mml', 'LGO;');
    assert.match(await run('night', li), / FAILED 2 3 1 5 4001 /);
    assert.doesNotMatch(results('night'), /DSP VERSION/);
    await ok(li, 'MOD TASK: NAME=night, ONERROR=GO');
    assert.match(await run('night', li), / FAILED 3 3 1 5 4001 /);
    assert.match(results('night'), /%%DSP VERSION;%%\nRETCODE = 0 [\s\S]*3 of 3 commands run, 1 failed/);
  });

  it('checks every command before it takes a script', async () => {
    await script('wrong.mml', 'LST USER;\nLST USRE;\nMOD USER: NAME=x;\nCLR CALL;\n');
    const refused = await li.run('ADD TASK: NAME=wrong, FILE=wrong.mml');
    assert.match(refused, /RETCODE = 2011 .*3 of its commands have errors\. Line 2: RETCODE 1002 .*LST USER/);
    assert.match(
      await li.run('ADD TASK: NAME=wrong, COMMAND="RST SERVICE: CONFIRM=YES"'),
      /Line 1: RETCODE 3002/,
    );
    assert.match(await admin.run('ADD TASK: NAME=wrong, COMMAND="RST SERVICE"'), /Line 1: RETCODE 3003/);
    assert.match(await li.run('ADD TASK: NAME=wrong, COMMAND="// nothing"'), /RETCODE = 2011 .*no command/);
    assert.match(await li.run('ADD TASK: NAME=wrong, COMMAND="STR TASK: NAME=show"'), /cannot change tasks/);
    assert.match(await li.run('ADD TASK: NAME=wrong, COMMAND="DSP CALL: WATCH=2"'), /Line 1: RETCODE 4004/);
    assert.match(await li.run('ADD TASK: NAME=wrong, COMMAND="DSP LOG: FOLLOW=YES"'), /Line 1: RETCODE 4004/);
    assert.match(await li.run('ADD TASK: NAME=wrong, FILE=../../etc/passwd'), /RETCODE = 2010/);
    assert.match(
      await li.run('ADD TASK: NAME=wrong, COMMAND="LST USER", CRON="61 * * * *"'),
      /RETCODE = 2003/,
    );
    assert.match(await li.run('ADD TASK: NAME=wrong, COMMAND="LST USER", AT="2020-01-01"'), /has passed/);
    assert.match(await li.run('ADD TASK: NAME="a/b", COMMAND="LST USER"'), /RETCODE = 2003/);
    await script('large.mml', 'LST USER;\n'.repeat(10_000));
    assert.match(await li.run('ADD TASK: NAME=wrong, FILE=large.mml'), /RETCODE = 2010 .*larger than 65536/);
    await script('many.mml', 'LST USER;\n'.repeat(1001));
    assert.match(
      await li.run('ADD TASK: NAME=wrong, FILE=many.mml'),
      /RETCODE = 2011 .*Line 1001: .*1000 commands/,
    );
    assert.match(await li.run('DSP TASK: NAME=wrong'), /RETCODE = 4001/);
  });

  it('holds no secrets, and shows none where one is refused', async () => {
    const inside = 'ADD USER: USERNAME=1, PASSWORD=hush-hush';
    const refused = await li.run(`ADD TASK: NAME=secret, COMMAND="${inside}"`);
    assert.match(
      refused,
      /%%ADD TASK: NAME=secret, COMMAND=\*{6};%%\r\nRETCODE = 2011 .*PASSWORD is a secret/,
    );
    assert.doesNotMatch(await ok(admin, 'LST OPLOG: KEYWORD=TASK'), /hush/);
    for (const { value } of await temp.store.collection('tasks').list({ limit: 1000 }))
      assert.doesNotMatch(JSON.stringify(value), /hush/);
  });

  it('has the rights that its operator has when it runs', async () => {
    await ok(admin, `ADD OPERATOR: NAME=wu, PASSWORD="${PASSWORD}", ROLE=OPERATOR`);
    const wu = await login('wu', PASSWORD);
    await ok(wu, 'ADD TASK: NAME=rights, COMMAND="LST USER; RMV USER: USERNAME=nobody", ONERROR=GO');
    assert.match(await run('rights'), / FAILED 2 2 1 1 4001 /);
    await ok(admin, 'MOD OPERATOR: NAME=wu, ROLE=GUEST');
    assert.match(await run('rights'), / FAILED 0 2 1 1 3002 /, 'nothing of it is run');
    await ok(admin, 'ADD CMDGROUP: NAME=removers, COMMANDS="RMV USER"');
    await ok(admin, 'MOD OPERATOR: NAME=wu, GROUPS=removers');
    assert.match(await run('rights'), / FAILED 2 2 1 1 4001 /);
    await ok(admin, 'RMV OPERATOR: NAME=wu, CONFIRM=YES');
    assert.match(await run('rights'), / FAILED 0 2 1 - 3009 /);
    await ok(admin, `ADD OPERATOR: NAME=wu, PASSWORD="${PASSWORD}", ROLE=ADMIN`);
    assert.match(await run('rights'), / FAILED 0 2 1 - 3009 /, 'another one of that name');
    await ok(admin, 'MOD TASK: NAME=rights, COMMAND="LST USER"');
    assert.match(await ok(admin, 'LST TASK: NAME=rights'), /Runs as += {2}admin\r\n/);
    assert.match(await run('rights'), / OK 1 1 0 /);
  });

  it('is changed and started by its operator and by ADMIN alone', async () => {
    await ok(admin, 'ADD TASK: NAME=power, COMMAND="CLR CALL: CONFIRM=YES"');
    for (const command of [
      'MOD TASK: NAME=power, COMMAND="LST USER"',
      'STR TASK: NAME=power',
      'STP TASK: NAME=power',
    ])
      assert.match(await li.run(command), /RETCODE = 3007 .*belongs to admin/, command);
    for (const verb of ['RMV', 'ACT', 'DEA'])
      assert.match(await li.run(`${verb} TASK: NAME=power`), /RETCODE = 3007 .*belongs to admin/);
    assert.match(await ok(admin, 'DEA TASK: NAME=show'), /State += {2}INACTIVE/);
    assert.match(await ok(li, 'ACT TASK: NAME=show'), /State += {2}ACTIVE/);
  });

  it('runs at its time', async () => {
    const at = new Date(Date.now() + 2000);
    const two = (value: number) => String(value).padStart(2, '0');
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    const added = await ok(
      li,
      `ADD TASK: NAME=once, COMMAND="SET SESSION: FORMAT=JSON; DSP VERSION", AT="${day} ${time}"`,
    );
    assert.match(added, new RegExp(`Schedule += {2}ONCE\\r\\n {2}Next += {2}${day} ${time}`));
    await waitFor('its time', () => Date.now() >= at.getTime());
    await waitFor('a run', async () => /SCHEDULE/.test(await ok(admin, 'DSP TASK: NAME=once')));
    assert.match(await ended('once'), / OK 2 2 0 .* SCHEDULE /);
    const json = results('once')
      .split('\n')
      .find((line) => line.includes('"DSP VERSION"'))!;
    assert.equal(JSON.parse(json).retcode, 0);
    assert.match(await ok(li, 'LST TASK: NAME=once'), /State += {2}DONE\r\n/);
    assert.match(
      await ok(li, 'MOD TASK: NAME=once, CRON="0 2 * * mon-fri"'),
      /Schedule += {2}0 2 \* \* MON-FRI\r\n/,
    );
    assert.match(await ok(li, 'MOD TASK: NAME=once, SCHEDULE=NONE'), /Schedule += {2}NONE\r\n {2}Next +=\s/);
  });

  it('is STOPPED when its session is ended during its last command, and its alarm stays', async () => {
    await ok(li, 'ADD TASK: NAME=last, COMMAND="DSP VERSION; DSP PERF"');
    services.alarms.raise('TASK_FAILED', 'last', 'the run before');
    const kept = figures;
    const asked = new Promise<void>((resolve) => {
      figures = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    await ok(li, 'STR TASK: NAME=last');
    await asked;
    await ok(admin, `RMV SESSION: ID=${await taskSession('last')}`);
    figures = kept;
    assert.match(await ended('last'), / STOPPED 1 2 0 /);
    assert.match(results('last'), /%%DSP PERF;%%\nRETCODE = 4006 [\s\S]*\/\/ 1 of 2 commands run, 0 failed/);
    assert.equal(services.alarms.active({ name: 'TASK_FAILED', subject: 'last' }).length, 1);
  });

  it('leaves no file open when its operator cannot be looked up', async () => {
    await ok(li, 'ADD TASK: NAME=away, COMMAND="DSP VERSION"');
    const present = operators.present;
    operators.present = (name) =>
      name === 'li'
        ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'away'))
        : present.call(operators, name);
    const run = await ok(admin, 'STR TASK: NAME=away').then(() => ended('away'));
    operators.present = present;
    assert.match(run, / FAILED /);
    const open = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return [];
      }
    });
    assert.deepEqual(
      open.filter((path) => path.includes('/tasks/away/')),
      [],
    );
  });

  it('is ended by STP TASK and by RMV SESSION; its session is listed while it runs', async () => {
    await script('long.mml', 'HLP;\n'.repeat(1000));
    await ok(li, 'ADD TASK: NAME=long, FILE=long.mml');
    await ok(li, 'STR TASK: NAME=long');
    await taskSession('long');
    assert.match(await ok(li, 'STP TASK: NAME=long'), / long .* STOPPED +\d+ +1000 +0 /);
    assert.match(await li.run('STP TASK: NAME=long'), /RETCODE = 3007 .*does not run/);
    await ok(li, 'SET SESSION: LANG=ZH');
    assert.match(
      await li.run('STP TASK: NAME=long'),
      /RETCODE = 3007 {2}不允许：long 不在本服务器上执行\r\n/,
    );
    await ok(li, 'SET SESSION: LANG=EN');
    await ok(li, 'STR TASK: NAME=long');
    assert.match(await li.run('RMV TASK: NAME=long'), /RETCODE = 3007 .*running/);
    const next = await taskSession('long');
    await ok(admin, `RMV SESSION: ID=${next}`);
    assert.match(await ended('long'), / STOPPED /);
    await ok(li, 'RMV TASK: NAME=long');
    assert.equal(existsSync(join(server.directory, 'exchange', 'tasks', 'long')), false);
    assert.match(await li.run('DSP TASK: NAME=long'), /RETCODE = 4001/);
  });
});
